/**
 * Data on its way to standard output: for people in a terminal, as one JSON value a line in a pipe or
 * where `--json` asks for it. Foreign text is escaped on either way.
 *
 * @module
 */

import { escapeUnprintable, type JsonValue } from "@rcsp/rcsp";
import type { TextOutput } from "../process/io.ts";
import type { Paint } from "./styles.ts";
import { type Column, layOut } from "./table.ts";
import { displayWidth, wrap } from "./text_width.ts";

/**
 * Writes a line of text, escaped, and in a terminal wrapped between words. `own` follows as it is.
 */
export async function writeLine(to: TextOutput, text: string, own = ""): Promise<void> {
  const safe = escapeUnprintable(text);
  const isLong = to.isTerminal && displayWidth(safe) > to.columns;
  const shown = isLong ? wrap(safe, to.columns).join("\n") : safe;
  await to.write(`${shown}${own}\n`);
}

/** The command's output. Everything rejects with an `OutputClosed` once nobody reads. */
export class Output {
  /** Whether JSON is wanted. */
  readonly json: boolean;
  /** Puts a style on text that is safe already. */
  readonly paint: Paint;
  readonly #to: TextOutput;

  /** Makes an output. */
  constructor(to: TextOutput, options: { json: boolean; paint: Paint }) {
    this.#to = to;
    this.json = options.json;
    this.paint = options.paint;
  }

  /** How many columns a line has. */
  get columns(): number {
    return this.#to.columns;
  }

  /** A value: one line of JSON, or laid out in several for people. */
  async value(value: JsonValue): Promise<void> {
    await this.#to.write(this.json ? jsonLine(value) : `${prettyJson(value)}\n`);
  }

  /** A value as one line of JSON, whatever was asked for. */
  async jsonLine(value: JsonValue): Promise<void> {
    await this.#to.write(jsonLine(value));
  }

  /** A line of text, foreign or our own; escaped. */
  async line(text: string): Promise<void> {
    await writeLine(this.#to, text);
  }

  /** Text of our own, of any number of lines, that may be painted. Foreign text in it must be safe. */
  async text(text: string): Promise<void> {
    await this.#to.write(text.endsWith("\n") ? text : `${text}\n`);
  }

  /** A table for people; returns how many columns had no room. */
  async table(columns: readonly Column[], rows: readonly (readonly string[])[]): Promise<number> {
    const { lines, hidden } = layOut(columns, rows, this.columns, this.paint);
    await this.#to.write(`${lines.join("\n")}\n`);
    return hidden;
  }
}

/** A value as safe JSON: the same value, with nothing in it that steers a terminal. */
export function safeJson(value: JsonValue): string {
  return escapeUnprintable(JSON.stringify(value));
}

/** A value as safe JSON in several lines. */
export function prettyJson(value: JsonValue): string {
  return escapeUnprintable(JSON.stringify(value, null, 2), { layout: true });
}

/** A foreign value in a few words: text as it is, anything else as JSON. */
export function words(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function jsonLine(value: JsonValue): string {
  return `${safeJson(value)}\n`;
}
