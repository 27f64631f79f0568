/**
 * The open WebSockets of the pages.
 *
 * @module
 */

import type { WebSocket } from "ws";
import type { Clock } from "../../process/io.ts";
import { UI_LIMITS } from "./limits.ts";

/** "Going away", as the close code of a server that stops. */
const GOING_AWAY = 1001;

/** One open WebSocket. */
interface Entry {
  readonly path: string;
  /** Whether it has answered the last ping. */
  isAlive: boolean;
}

/** Counts them, and closes those whose other end is gone. */
export class WebSockets {
  readonly #clock: Clock;
  readonly #log: (text: string) => void;
  readonly #entries = new Map<WebSocket, Entry>();
  #timer: unknown;

  constructor(clock: Clock, log: (text: string) => void) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Whether a path has room for another one. */
  hasRoom(path: string): boolean {
    const taken = [...this.#entries.values()].filter((entry) => entry.path === path);
    return taken.length < UI_LIMITS.pages;
  }

  /** Adds one that was just accepted. `remote` is its other end, for the log. */
  add(webSocket: WebSocket, path: string, remote: string): void {
    const entry = { path, isAlive: true };
    this.#entries.set(webSocket, entry);
    webSocket.on("pong", () => {
      entry.isAlive = true;
    });
    webSocket.on("ping", () => {
      // Each is answered: a page that does not read the answers would fill the memory (in Bun).
      if (webSocket.bufferedAmount <= UI_LIMITS.unsent) return;
      this.#log(`Closed ${path} of ${remote}: more than ${UI_LIMITS.unsent} bytes are unsent`);
      webSocket.terminate();
    });
    webSocket.on("error", ({ message }) => this.#log(`Closed ${path} of ${remote}: ${message}`));
    webSocket.on("close", () => {
      this.#entries.delete(webSocket);
      if (this.#entries.size === 0) this.#stop();
    });
    this.#timer ??= this.#schedule();
  }

  /** Closes all. */
  close(): void {
    for (const webSocket of this.#entries.keys()) {
      webSocket.close(GOING_AWAY);
      webSocket.terminate();
    }
    this.#stop();
  }

  #schedule(): unknown {
    return this.#clock.set(() => {
      this.#ping();
      this.#timer = this.#schedule();
    }, UI_LIMITS.pingInterval);
  }

  #stop(): void {
    this.#clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #ping(): void {
    for (const [webSocket, entry] of this.#entries) {
      if (!entry.isAlive) {
        this.#log(`Closed ${entry.path}: no answer to a ping within ${UI_LIMITS.pingInterval} ms`);
        webSocket.terminate();
        continue;
      }
      entry.isAlive = false;
      if (webSocket.readyState === webSocket.OPEN) webSocket.ping();
    }
  }
}
