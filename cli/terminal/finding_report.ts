/**
 * Findings, a line each: for people with a mark in front, in a pipe as JSON.
 *
 * @module
 */

import { escapeUnprintable, type JsonObject } from "@rcsp/rcsp";
import type { Output } from "./output.ts";
import type { Style } from "./styles.ts";
import { wrap } from "./text_width.ts";

/** How well it is. */
export type Mark = "ok" | "warn" | "fail" | "info";

const STYLES: Readonly<Record<Mark, Style>> = {
  ok: "good",
  warn: "strong",
  fail: "bad",
  info: "faint",
};
/** Most characters of a finding: part of it may be foreign. */
const LONGEST = 400;

/** Says findings, and keeps count. */
export class Report {
  /** How many of each there are. */
  readonly counts: Record<Mark, number> = { ok: 0, warn: 0, fail: 0, info: 0 };
  readonly #out: Output;

  /** Makes a report that goes to `out`. */
  constructor(out: Output) {
    this.#out = out;
  }

  /** A finding about `check`; `more` goes into the JSON besides. */
  async add(mark: Mark, check: string, finding: string, more: JsonObject = {}): Promise<void> {
    this.counts[mark]++;
    const shown = finding.length > LONGEST ? `${finding.slice(0, LONGEST)}…` : finding;
    if (this.#out.json) {
      return await this.#out.jsonLine({ result: mark, check, finding: shown, ...more });
    }
    const painted = this.#out.paint(STYLES[mark], mark.padEnd(4));
    const text = escapeUnprintable(`${check}: ${shown}`);
    await this.#out.text(`${painted}  ${wrap(text, this.#out.columns - 6).join("\n      ")}`);
  }
}
