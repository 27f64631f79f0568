/**
 * Waits for the moments of a replay, for as long as its client is there.
 *
 * @module
 */

import type { Socket } from "@rcsp/rcsp";
import type { Clock } from "../process/io.ts";

const LONGEST_TIMER = 2 ** 31 - 1;

export class Pacer {
  readonly #clock: Clock;
  readonly #gone: Promise<false>;
  #isGone = false;

  constructor(clock: Clock, socket: Socket) {
    this.#clock = clock;
    this.#gone = socket.closed.then(() => {
      this.#isGone = true;
      return false;
    });
  }

  /** Milliseconds, as of the clock. */
  now(): number {
    return this.#clock.now();
  }

  /** Resolves at the moment; returns whether the client is still there. */
  async until(moment: number): Promise<boolean> {
    const clock = this.#clock;
    for (let left = moment - clock.now(); left > 0; left = moment - clock.now()) {
      let timer: unknown;
      const due = new Promise<boolean>((resolve) => {
        timer = clock.set(() => resolve(true), Math.min(Math.ceil(left), LONGEST_TIMER));
      });
      const there = await Promise.race([due, this.#gone]);
      clock.clear(timer);
      if (!there) return false;
    }
    return !this.#isGone;
  }
}
