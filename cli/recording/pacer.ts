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
  #isGone = false;
  /** Ends the wait that is under way; not a race with the end of the socket, which would keep them all. */
  #wake = (): void => {};

  constructor(clock: Clock, socket: Socket) {
    this.#clock = clock;
    socket.closed.then(() => {
      this.#isGone = true;
      this.#wake();
    });
  }

  /**
   * Resolves at the moment; returns whether the client is still there. Wait for one moment before the
   * next.
   */
  async until(moment: number): Promise<boolean> {
    const clock = this.#clock;
    for (let left = moment - clock.now(); left > 0; left = moment - clock.now()) {
      if (this.#isGone) return false;
      let timer: unknown;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = clock.set(resolve, Math.min(Math.ceil(left), LONGEST_TIMER));
      });
      clock.clear(timer);
    }
    return !this.#isGone;
  }
}
