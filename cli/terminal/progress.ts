/**
 * How far long work is: a bar with its rate and the time left in a terminal, nothing in a pipe.
 *
 * @module
 */

import type { Context } from "../command_line/command.ts";
import { formatDuration } from "../command_line/duration.ts";
import { formatSize } from "../text/values.ts";

/** Milliseconds between two looks; nothing is shown of work that is done sooner. */
const EVERY = 200;
const BAR = 20;

export class Progress {
  readonly #context: Context;
  readonly #total: number | undefined;
  readonly #began: number;
  #shownAt: number;
  #isShown = false;

  /** Creates a bar; without a total in bytes it shows the rate alone. */
  constructor(context: Context, total: number | undefined) {
    this.#context = context;
    this.#total = total;
    this.#began = this.#shownAt = context.clock.now();
  }

  /** Shows how many bytes are done. */
  async update(done: number): Promise<void> {
    const { io, clock } = this.#context;
    const now = clock.now();
    if (!io.stderr.isTerminal || now - this.#shownAt < EVERY) return;
    this.#shownAt = now;
    this.#isShown = true;
    const rate = done / (now - this.#began) * 1_000;
    const parts = [`${formatSize(done)}`, `${formatSize(Math.round(rate))}/s`];
    if (this.#total !== undefined && this.#total > 0) {
      const share = Math.min(done / this.#total, 1);
      const filled = Math.round(share * BAR);
      parts.unshift(
        `[${"#".repeat(filled)}${" ".repeat(BAR - filled)}] ${Math.floor(share * 100)} %`,
      );
      parts.push(`${formatDuration((this.#total - done) / rate * 1_000)} left`);
    }
    const line = parts.join("  ").slice(0, Math.max(io.stderr.columns - 1, 1));
    await io.stderr.write(`\r\x1b[K${line}`).catch(() => {});
  }

  /** Clears the line. */
  async end(): Promise<void> {
    if (this.#isShown) await this.#context.io.stderr.write("\r\x1b[K").catch(() => {});
  }
}
