/**
 * The files of an export, one for each hand.
 *
 * @module
 */

import type { Context } from "../command_line/command.ts";
import { createFile } from "../process/files.ts";
import { FileWriter } from "./file_writer.ts";
import type { HandSample } from "./hand_samples.ts";

/** Bytes that wait for the disk at most. */
const MOST_WAITING = 4 * 1024 * 1024;
/** Files of one export; of further hands nothing is kept. */
export const MOST_FILES = 64;

export class HandFiles {
  /** The names of the files, in their order. */
  readonly names: string[] = [];
  /** Whether there were more hands than files. */
  isFull = false;
  readonly #context: Context;
  readonly #base: string;
  readonly #ending: string;
  readonly #writers = new Map<string, FileWriter>();

  /** `base` is what all names begin with. */
  constructor(context: Context, base: string, ending: string) {
    this.#context = context;
    this.#base = base;
    this.#ending = ending;
  }

  /** The file of a hand, `undefined` if there are too many; `head` makes what it begins with. */
  async open(key: string, of: HandSample, head: () => string): Promise<FileWriter | undefined> {
    const known = this.#writers.get(key);
    if (known !== undefined) return known;
    if (this.#writers.size >= MOST_FILES) {
      this.isFull = true;
      return undefined;
    }
    const name = this.#name(`${of.hand.side ?? `device_${of.device.id}`}`);
    const file = await createFile(this.#context.io, name, this.#context.line.on("force"));
    const writer = new FileWriter({ name, file });
    this.#writers.set(key, writer);
    writer.push(head());
    return writer;
  }

  /** Adds text to a file, as fast as the disk takes it. */
  async add(writer: FileWriter, text: string): Promise<void> {
    writer.push(text);
    await writer.room(MOST_WAITING);
    writer.throwIfFailed();
  }

  /** Ends all files. Rejects if anything could not be written. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#writers.values(), (writer) => writer.close()));
  }

  #name(hand: string): string {
    let name = `${this.#base}-${hand}${this.#ending}`;
    for (let i = 2; this.names.includes(name); i++) {
      name = `${this.#base}-${hand}-${i}${this.#ending}`;
    }
    this.names.push(name);
    return name;
  }
}
