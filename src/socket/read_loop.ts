/**
 * Pulled reads as pushed chunks.
 *
 * @module
 */

import type { Receiver } from "./socket.ts";

/** Reads in a loop and pushes each chunk, while the receiver accepts more. */
export class ReadLoop {
  readonly #read: () => Promise<Uint8Array | null>;
  readonly #receiver: Receiver;
  #running = false;

  constructor(read: () => Promise<Uint8Array | null>, receiver: Receiver) {
    this.#read = read;
    this.#receiver = receiver;
  }

  /** Starts the loop, unless it is running. */
  resume(): void {
    if (!this.#running) this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      for (;;) {
        const chunk = await this.#read();
        if (chunk === null) return this.#receiver.onEnd();
        if (!this.#receiver.onChunk(chunk)) return;
      }
    } catch (cause) {
      this.#receiver.onError(cause);
    } finally {
      this.#running = false;
    }
  }
}
