/**
 * What the bridge sends its pages beside the bytes of RCSP, as JSON in text messages.
 *
 * @module
 */

/** The state of the bridge. */
export interface BridgeStatus {
  /** The driver's address, or `simulator`. */
  readonly driver: string;
  readonly state: "connecting" | "ready" | "reconnecting" | "closed";
  /** Milliseconds from the bridge to the driver and back; `null` before the first response. */
  readonly roundTrip: number | null;
  /** How many times a lost connection was replaced. */
  readonly reconnects: number;
  /** Milliseconds without a connection before the current one; `null` if it is the first. */
  readonly gap: number | null;
  /** Why there is no connection. */
  readonly error: string | null;
  /** Whether a page may start a simulator. */
  readonly simulate: boolean;
  /** Whether the driver is a simulator inside the bridge. */
  readonly simulating: boolean;
  /** The commands that were allowed beside those that only read. */
  readonly allow: readonly string[];
  /** The connection to the solved hands. */
  readonly motion: "connecting" | "ready" | "reconnecting" | "off";
}
