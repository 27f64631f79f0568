/**
 * Lines in a terminal that are drawn again in the same place.
 *
 * @module
 */

import type { Clock, TextOutput } from "../process/io.ts";

const TO_LINE_END = "\x1b[K";
const TO_SCREEN_END = "\x1b[J";
const CLEAR_SCREEN = "\x1b[H\x1b[J";
/** Milliseconds without a drawing after which it may have been stopped: a shell writes below then. */
const STOPPED = 1_000;

/** Draws lines over those that were drawn before. The last ones stay. */
export class LiveView {
  readonly #to: TextOutput;
  readonly #clock: Clock;
  #drawn = 0;
  #drawnAt = -Infinity;
  #size = "";

  /** Creates a view; `to` must be a terminal. */
  constructor(to: TextOutput, clock: Clock) {
    this.#to = to;
    this.#clock = clock;
  }

  /**
   * Draws lines, none of which may be wider than `columns`. What does not fit on the screen is left out,
   * as the cursor cannot get back to it.
   */
  async draw(lines: readonly string[]): Promise<void> {
    const { columns, rows = 24 } = this.#to;
    const most = Math.max(1, rows - 1);
    const shown = lines.length <= most
      ? lines
      : [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more lines`];
    const size = `${columns} ${rows}`;
    // A terminal that has become smaller has broken the lines: where they are is not known.
    const isResized = size !== this.#size;
    const now = this.#clock.now();
    const isNew = this.#drawn === 0 || now - this.#drawnAt > STOPPED;
    const up = isNew ? "" : isResized ? CLEAR_SCREEN : `\x1b[${this.#drawn}A\r`;
    this.#drawnAt = now;
    this.#size = size;
    this.#drawn = shown.length;
    await this.#to.write(
      `${up}${shown.map((line) => `${line}${TO_LINE_END}\n`).join("")}${TO_SCREEN_END}`,
    );
  }
}
