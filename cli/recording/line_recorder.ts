/**
 * A recording of RCSP alone: one JSON object a line, see `format.ts`.
 *
 * @module
 */

import type { PayloadType } from "@rcsp/rcsp/wire";
import type { Clock } from "../process/io.ts";
import { plural } from "../text/values.ts";
import { FileWriter, type NamedFile } from "./file_writer.ts";
import { type Direction, entryLine, frameEntry, headLine } from "./format.ts";
import type { About, Recorder } from "./recorder.ts";

/** Characters that wait to be written before `room()` does. */
const FULL = 4 * 1024 * 1024;
/** Characters that wait at most: where nothing can be held back, recording fails instead. */
const OVERFULL = 64 * 1024 * 1024;

export class LineRecorder implements Recorder {
  readonly #writer: FileWriter;
  readonly #clock: Clock;
  readonly #began: number;
  #frames = 0;

  /** Writes the first line. */
  constructor(file: NamedFile, { clock, started, about }: About) {
    this.#writer = new FileWriter(file);
    this.#clock = clock;
    this.#began = clock.now();
    this.#writer.push(headLine(started, about));
  }

  get failed(): Promise<never> {
    return this.#writer.failed;
  }

  frame(direction: Direction, connection: number, type: PayloadType, payload: Uint8Array): void {
    this.#frames++;
    this.entry(direction, frameEntry(direction, connection, type, payload));
  }

  entry(_direction: Direction, entry: string): void {
    this.#writer.push(entryLine(this.#clock.now() - this.#began, entry));
    if (this.#writer.waiting > OVERFULL) {
      this.#writer.fail(new Error("frames come faster than that"));
    }
  }

  async room(): Promise<void> {
    await this.#writer.room(FULL);
  }

  async close(connections: number): Promise<string> {
    await this.#writer.close();
    return `${plural(this.#frames, "frame")} of ${plural(connections, "connection")} recorded`;
  }
}
