/**
 * Notices when something that should get on does not. Free of any runtime.
 *
 * @module
 */

import { CLOCK, type Clock } from "../clock.ts";

/** Milliseconds that what waits in the system gets to come in, after a time is over. */
const GRACE = 50;

/** What a stall timer looks at and what it does. */
export interface StallTimerOptions {
  /** Milliseconds without progress. */
  readonly timeout: number;
  /** A number that changes with each progress; `undefined` while there is nothing to wait for. */
  readonly progress: () => number | undefined;
  /** Called when there was no progress for so long. */
  readonly onStall: () => void;
  readonly clock?: Clock;
}

/** Looks once in a while, rather than setting a timer anew at each progress. */
export class StallTimer {
  readonly #options: StallTimerOptions;
  readonly #clock: Clock;
  #timer: unknown;
  #stopped = false;

  constructor(options: StallTimerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? CLOCK;
  }

  /** Sees to it that it looks, until there is nothing to wait for. */
  watch(): void {
    if (this.#timer === undefined) this.#wait(this.#options.progress(), this.#options.timeout);
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true;
    this.#clock.clear(this.#timer);
  }

  #wait(before: number | undefined, delay: number, isLastTurn = false): void {
    if (before === undefined || this.#stopped) return;
    const { timeout, progress, onStall } = this.#options;
    this.#timer = this.#clock.set(() => {
      this.#timer = undefined;
      const now = progress();
      if (now !== before) this.#wait(now, timeout);
      else if (isLastTurn) onStall();
      // A busy process fires its timers late, and first of all: what has come waits in the system.
      else this.#wait(before, GRACE, true);
    }, delay);
  }
}
