/**
 * The log of refused requests: whoever sends them must not be able to fill it.
 *
 * @module
 */

import type { Clock } from "../process/io.ts";

/** Most different lines of `logOnce()`. */
const MOST_LINES = 100;
/** Lines at once. */
const BURST = 20;
/** Milliseconds until one more line may be logged. */
const INTERVAL = 1_000;

/** Logs lines at a bounded rate, and says how many were left out. */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #log: (text: string) => void;
  #left = BURST;
  #refilledAt: number;
  #omitted = 0;

  constructor(clock: Clock, log: (text: string) => void) {
    this.#clock = clock;
    this.#log = log;
    this.#refilledAt = clock.now();
  }

  /** Logs a line, or counts it. */
  add(text: string): void {
    const earned = Math.floor((this.#clock.now() - this.#refilledAt) / INTERVAL);
    this.#left = Math.min(BURST, this.#left + earned);
    this.#refilledAt += earned * INTERVAL;
    if (this.#left === 0) {
      this.#omitted++;
      return;
    }
    this.#left--;
    const more = this.#omitted === 0 ? "" : ` (and ${this.#omitted} more before, not shown)`;
    this.#omitted = 0;
    this.#log(`${text}${more}`);
  }
}

/** Logs each line once, and only so many: who causes them may cause many. */
export function logOnce(log: (text: string) => void): (text: string) => void {
  const logged = new Set<string>();
  return (text) => {
    if (logged.has(text) || logged.size >= MOST_LINES) return;
    logged.add(text);
    log(text);
  };
}
