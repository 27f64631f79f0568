/**
 * One timer for many deadlines. Free of any runtime.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** Rings at the earliest deadline that it knew of when it was last set. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (now: number) => number;
  #timer: unknown;
  #wakeAt = Infinity;

  /** `ring` deals with all that has fallen due, and gives the next deadline, or `Infinity`. */
  constructor(clock: Clock, ring: (now: number) => number) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Sees to it that it rings at a deadline at the latest. */
  set(deadline: number): void {
    if (deadline >= this.#wakeAt) return;
    this.clear();
    if (deadline === Infinity) return;
    this.#wakeAt = deadline;
    const delay = Math.max(0, deadline - this.#clock.now());
    this.#timer = this.#clock.set(() => {
      this.clear();
      this.set(this.#ring(this.#clock.now()));
    }, delay);
  }

  /** Leaves no timer behind. */
  clear(): void {
    this.#clock.clear(this.#timer);
    this.#timer = undefined;
    this.#wakeAt = Infinity;
  }
}
