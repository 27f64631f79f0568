/**
 * Lines on their way to a file, written as they come.
 *
 * @module
 */

import type { PayloadType } from "@rcsp/rcsp/wire";
import { EXIT, Failure, systemReason } from "../exit_codes.ts";
import { createFile } from "../process/files.ts";
import { type CliIo, type Clock, type FileOutput, OutputClosed } from "../process/io.ts";
import { quote } from "../text/values.ts";
import { bytesLine, cutLine, type Direction, frameLine, headLine, type Place } from "./format.ts";

/** Characters that wait to be written before `room()` does. */
const FULL = 4 * 1024 * 1024;
/** Characters that wait at most: where nothing can be held back, recording fails instead. */
const OVERFULL = 64 * 1024 * 1024;

export class Recorder {
  /** Frames so far. */
  frames = 0;
  readonly #file: FileOutput;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #began: number;
  readonly #failed = Promise.withResolvers<never>();
  #waiting: string[] = [];
  #length = 0;
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Made by `openRecorder()`. */
  constructor(file: FileOutput, name: string, clock: Clock) {
    this.#file = file;
    this.#name = name;
    this.#clock = clock;
    this.#began = clock.now();
    this.#failed.promise.catch(() => {});
  }

  /** Rejects once writing has failed. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Records a frame. */
  frame(direction: Direction, connection: number, type: PayloadType, payload: Uint8Array): void {
    this.frames++;
    this.line(frameLine(this.#place(direction, connection), type, payload));
  }

  /** Records bytes that are no frames. */
  bytes(direction: Direction, connection: number, bytes: Uint8Array): void {
    this.line(bytesLine(this.#place(direction, connection), bytes));
  }

  /** Records that a connection ended within a frame. */
  cut(direction: Direction, connection: number, received: number): void {
    this.line(cutLine(this.#place(direction, connection), received));
  }

  /** Adds a line as it is. */
  line(text: string): void {
    if (this.#failure !== undefined) return;
    if (this.#length > OVERFULL) return this.#fail(new Error("frames come faster than that"));
    this.#waiting.push(text);
    this.#length += text.length;
    this.#writing ??= this.#write();
  }

  /** Resolves when more may be recorded. */
  async room(): Promise<void> {
    while (this.#length > FULL && this.#writing !== undefined) await this.#writing;
  }

  /** Writes what is left, and closes. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#file.close();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #place(direction: Direction, connection: number): Place {
    return { time: this.#clock.now() - this.#began, direction, connection };
  }

  async #write(): Promise<void> {
    // All lines of one turn of the event loop go out in one write.
    await Promise.resolve();
    try {
      while (this.#waiting.length > 0) {
        const text = this.#waiting.join("");
        this.#waiting = [];
        await this.#file.write(text);
        this.#length -= text.length;
      }
    } catch (cause) {
      this.#fail(cause);
    } finally {
      this.#writing = undefined;
    }
  }

  #fail(cause: unknown): void {
    const message = `Cannot write ${quote(this.#name)}: ${systemReason(cause)}`;
    // Of standard output all is said already.
    const error = cause instanceof OutputClosed || cause instanceof Failure
      ? cause
      : new Failure(message, EXIT.output, { cause });
    this.#failure = { error };
    this.#waiting = [];
    this.#length = 0;
    this.#failed.reject(error);
  }
}

/**
 * Creates a file, or takes standard output for `-`, and writes the first line.
 *
 * @throws {Failure} If it cannot be created; unless `force`, also if it is there.
 */
export async function openRecorder(
  { io, clock }: { readonly io: CliIo; readonly clock: Clock },
  path: string,
  options: { force: boolean; about: Readonly<Record<string, string>> },
): Promise<Recorder> {
  const file = path === "-" ? toStdout(io) : await createFile(io, path, options.force);
  const recorder = new Recorder(file, path, clock);
  recorder.line(headLine(new Date(io.now()), options.about));
  return recorder;
}

function toStdout({ stdout }: CliIo): FileOutput {
  return { write: (text) => stdout.write(text), close: () => Promise.resolve() };
}
