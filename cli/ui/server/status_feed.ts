/**
 * The state of the bridge for all pages.
 *
 * @module
 */

import type { WebSocket } from "ws";
import type { Clock } from "../../process/io.ts";
import type { BridgeStatus } from "../bridge_status.ts";
import { UI_LIMITS } from "./limits.ts";

/** Milliseconds between two looks at the round trip. */
const ROUND_TRIP_INTERVAL = 1_000;

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
