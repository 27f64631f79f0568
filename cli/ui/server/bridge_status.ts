/**
 * What the pages receive beside the bytes of RCSP: the state of the bridge, as JSON in text messages.
 *
 * @module
 */

import type { WebSocket } from "ws";
import type { Clock } from "../../process/io.ts";
import { UI_LIMITS } from "./limits.ts";

/** Milliseconds between two looks at the round trip. */
const ROUND_TRIP_INTERVAL = 1_000;

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
  readonly version: string;
  /** The connection to the solved hands. */
  readonly motion: "connecting" | "ready" | "reconnecting" | "off";
}

/** Sends the status to every page: at once, on each change, and a new round trip once per second. */
export class StatusFeed {
  readonly #read: () => BridgeStatus;
  readonly #clock: Clock;
  readonly #pages = new Set<WebSocket>();
  #roundTrip: number | null = null;
  #last = "";
  #timer: unknown;

  constructor(read: () => BridgeStatus, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  /** Adds a page until it closes. */
  add(webSocket: WebSocket): void {
    // A round trip that was measured since is news for the others too.
    this.update();
    this.#pages.add(webSocket);
    webSocket.on("close", () => {
      this.#pages.delete(webSocket);
      if (this.#pages.size === 0) this.close();
    });
    this.#timer ??= this.#schedule();
    this.#last = this.#encode();
    send(webSocket, this.#last);
  }

  /** Sends the status if it has changed. */
  update(): void {
    if (this.#pages.size === 0) return;
    const text = this.#encode();
    if (text === this.#last) return;
    this.#last = text;
    for (const webSocket of this.#pages) send(webSocket, text);
  }

  /** Stops the timer. */
  close(): void {
    this.#clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): unknown {
    return this.#clock.set(() => {
      this.#timer = this.#schedule();
      this.#roundTrip = this.#read().roundTrip;
      this.update();
    }, ROUND_TRIP_INTERVAL);
  }

  #encode(): string {
    const status = this.#read();
    this.#roundTrip ??= status.roundTrip;
    return JSON.stringify({ ...status, roundTrip: this.#roundTrip });
  }
}

function send(webSocket: WebSocket, text: string): void {
  if (webSocket.readyState !== webSocket.OPEN) return;
  if (webSocket.bufferedAmount > UI_LIMITS.unsent) webSocket.terminate();
  else webSocket.send(text);
}
