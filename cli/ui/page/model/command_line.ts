/** What people type into the command box, and its history. */

import type { JsonObject } from "@rcsp/rcsp/core";

/** A command to send. */
export interface TypedCommand {
  readonly name: string;
  readonly args: JsonObject | undefined;
}

/**
 * Reads `Name` or `Name {"DeviceId": 1}`.
 *
 * @throws {Error} If it is neither; the message is for the person who typed it.
 */
export function parseCommand(line: string): TypedCommand {
  const [, name, json = ""] = /^\s*([^\s{]+)\s*([^]*)$/.exec(line) ?? [];
  if (name === undefined) throw new Error("Type a command, such as ListDevices");
  if (json.trim() === "") return { name, args: undefined };
  let args: unknown;
  try {
    args = JSON.parse(json);
  } catch (error) {
    throw new Error(`The arguments are not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof args !== "object" || args === null || Array.isArray(args)) {
    throw new Error('The arguments must be an object, such as {"DeviceId": 1}');
  }
  return { name, args: args as JsonObject };
}

const MOST_LINES = 50;

/** The lines that were sent, as a shell keeps them. */
export class History {
  readonly #lines: string[];
  #at: number;
  #draft = "";

  constructor(lines: readonly string[] = []) {
    this.#lines = lines.slice(-MOST_LINES);
    this.#at = this.#lines.length;
  }

  /** The lines, the newest last. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    if (this.#lines.at(-1) !== line) this.#lines.push(line);
    if (this.#lines.length > MOST_LINES) this.#lines.shift();
    this.#at = this.#lines.length;
  }

  /** The line before (-1) or after (1) the one that is shown, whose text is `current`. */
  move(step: -1 | 1, current: string): string {
    if (this.#at === this.#lines.length) this.#draft = current;
    this.#at = Math.min(Math.max(this.#at + step, 0), this.#lines.length);
    return this.#lines[this.#at] ?? this.#draft;
  }
}
