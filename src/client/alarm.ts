/**
 * One timer for many deadlines. Free of any runtime.
 *
 * @module
 */

import type { Clock } from "../clock.ts";

/** What may differ from one alarm to another. */
export interface AlarmOptions {
  /** Grows while input is read. */
  readonly progress?: (() => number) | undefined;
  /** Whether it does not keep the process alive, where the runtime knows how. Default: `false`. */
  readonly background?: boolean | undefined;
}

/**
 * Rings at the earliest deadline that it knew of when it was last set.
 *
 * Where the application was busy, a timer fires late, and before the runtime has read what came
 * meanwhile. So it never judges at once: it gives I/O one more turn, and further ones while they bring
 * something, for as long as the timer was late.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #onDue: (now: number) => number;
  readonly #progress: () => number;
  readonly #background: boolean;
  #timer: unknown;
  #dueAt = Infinity;

  /**
   * `ring` deals with all that was due at a time, that of the timer, and gives the next deadline, or
   * `Infinity`.
   */
  constructor(clock: Clock, ring: (now: number) => number, options: AlarmOptions = {}) {
    const { progress = (): number => 0, background = false } = options;
    this.#clock = clock;
    this.#onDue = ring;
    this.#progress = progress;
    this.#background = background;
  }

  /** Whether a deadline is waited for. */
  get isSet(): boolean {
    return this.#dueAt !== Infinity;
  }

  /** Sees to it that it rings at a deadline at the latest. */
  set(deadline: number): void {
    if (deadline >= this.#dueAt) return;
    this.clear();
    if (deadline === Infinity) return;
    this.#dueAt = deadline;
    this.#after(Math.max(0, deadline - this.#clock.now()), () => {
      const now = this.#clock.now();
      this.#letRead(now, now + (now - deadline));
    });
  }

  /** Leaves no timer behind. */
  clear(): void {
    this.#clock.clear(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Infinity;
  }

  #letRead(now: number, until: number): void {
    const before = this.#progress();
    this.#after(0, () => {
      if (this.#clock.now() < until && this.#progress() !== before) {
        this.#letRead(now, until);
        return;
      }
      this.clear();
      this.set(this.#onDue(now));
    });
  }

  #after(delay: number, action: () => void): void {
    this.#timer = this.#clock.set(action, delay, this.#background);
  }
}
