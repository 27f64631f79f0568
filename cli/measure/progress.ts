/**
 * A progress bar on standard error, in a terminal only.
 *
 * @module
 */

import type { TextOutput } from "../process/io.ts";

const BAR = 24;
const CLEAR = "\r\x1b[2K";

/** See the module's own text. */
export class Progress {
  readonly #to: TextOutput;
  #shown = -1;

  /** Makes a bar that is not shown yet. */
  constructor(to: TextOutput) {
    this.#to = to;
  }

  /** Shows how much of something is done: 0 to 1. `title` must be our own text. */
  async show(title: string, share: number): Promise<void> {
    if (!this.#to.isTerminal) return;
    const filled = Math.min(BAR, Math.max(0, Math.floor(share * BAR)));
    if (filled === this.#shown) return;
    this.#shown = filled;
    const bar = `[${"#".repeat(filled)}${" ".repeat(BAR - filled)}] ${title}`;
    await this.#write(`${CLEAR}${bar.slice(0, Math.max(1, this.#to.columns - 1))}`);
  }

  /** Takes the bar away. */
  async clear(): Promise<void> {
    if (this.#shown === -1) return;
    this.#shown = -1;
    await this.#write(CLEAR);
  }

  /** That nobody looks is no reason to fail. */
  async #write(text: string): Promise<void> {
    await this.#to.write(text).catch(() => {});
  }
}
