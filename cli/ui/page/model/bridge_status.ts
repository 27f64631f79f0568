/** What the bridge says about its link to the driver, in text frames beside the bytes of RCSP. */

/** The state of the bridge. */
export interface BridgeStatus {
  /** The driver's address. */
  readonly driver: string;
  readonly state: "connecting" | "ready" | "reconnecting" | "closed";
  /** Milliseconds from the bridge to the driver and back; `null` before the first response. */
  readonly roundTrip: number | null;
  readonly reconnects: number;
  /** Milliseconds without a connection before the current one; `null` if there was none. */
  readonly gap: number | null;
  /** Why there is no connection. */
  readonly error: string | null;
  /** Whether the page may start a simulator. */
  readonly simulate: boolean;
  /** Whether the driver is a simulator that the bridge has started. */
  readonly simulating: boolean;
  /** The commands that were allowed beside those that only read. */
  readonly allow: readonly string[];
  readonly version: string;
  readonly motion: "connecting" | "ready" | "reconnecting" | "off";
}

/** Reads a text frame; `undefined` if it is not a status. What is missing or odd becomes its default. */
export function readBridgeStatus(text: string): BridgeStatus | undefined {
  const json = parse(text);
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const fields = json as Record<string, unknown>;
  if (typeof fields["driver"] !== "string") return undefined;
  return {
    driver: fields["driver"],
    state: oneOf(fields["state"], ["connecting", "ready", "reconnecting", "closed"]),
    roundTrip: numberOr(fields["roundTrip"], null),
    reconnects: numberOr(fields["reconnects"], 0),
    gap: numberOr(fields["gap"], null),
    error: typeof fields["error"] === "string" ? fields["error"] : null,
    simulate: fields["simulate"] === true,
    simulating: fields["simulating"] === true,
    allow: Array.isArray(fields["allow"])
      ? fields["allow"].filter((name): name is string => typeof name === "string")
      : [],
    version: typeof fields["version"] === "string" ? fields["version"] : "",
    motion: oneOf(fields["motion"], ["off", "connecting", "ready", "reconnecting"]),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function oneOf<T extends string>(value: unknown, names: readonly [T, ...T[]]): T {
  return names.find((name) => name === value) ?? names[0];
}

function numberOr<T>(value: unknown, otherwise: T): number | T {
  return typeof value === "number" && Number.isFinite(value) ? value : otherwise;
}
