/**
 * A limit for what runs at once.
 *
 * @module
 */

import { Fifo } from "../fifo.ts";

/** Runs so many tasks at once; further ones wait in order. */
export class PendingCommands {
  readonly #most: number;
  readonly #waiting = new Fifo<() => void>();
  #running = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs a task, immediately if there is room. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running < this.#most) this.#running++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
