/**
 * What is recorded, on its way to a file: written as it comes, one write after the other.
 *
 * @module
 */

import { EXIT, Failure, systemReason } from "../exit_codes.ts";
import { type FileOutput, OutputClosed } from "../process/io.ts";
import { formatSize, quote } from "../text/values.ts";

/** An open file. */
export interface NamedFile {
  /** What messages call it. */
  readonly name: string;
  readonly file: FileOutput;
}

export class FileWriter {
  /** Bytes (characters of text) that wait to be written. */
  waiting = 0;
  /** Those that are written. */
  written = 0;
  readonly #opened: Promise<NamedFile>;
  #name = "";
  readonly #failed = Promise.withResolvers<never>();
  #parts: (string | Uint8Array)[] = [];
  #writing: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  /** Creates a writer; what comes before the file is open waits for it. */
  constructor(opened: NamedFile | Promise<NamedFile>) {
    this.#opened = Promise.resolve(opened);
    this.#opened.then(({ name }) => this.#name = name, (error) => this.fail(error));
    this.#failed.promise.catch(() => {});
  }

  /** Rejects once writing has failed. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Adds bytes, which the writer then owns, or text. */
  push(part: string | Uint8Array): void {
    if (this.#failure !== undefined || part.length === 0) return;
    this.#parts.push(part);
    this.waiting += part.length;
    this.#writing ??= this.#write();
  }

  /** Resolves when no more than `most` waits, or nothing can be written any more. */
  async room(most: number): Promise<void> {
    while (this.waiting > most && this.#writing !== undefined) await this.#writing;
  }

  /** Throws why nothing can be written any more, if that is so. */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Ends writing with an error: what waits is dropped. */
  fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    const safe = this.written === 0 ? "" : `. The first ${formatSize(this.written)} are safe`;
    const message = `Cannot write ${quote(this.#name)}: ${systemReason(cause)}${safe}`;
    // Of standard output all is said already.
    const error = cause instanceof OutputClosed || cause instanceof Failure
      ? cause
      : new Failure(message, EXIT.output, { cause });
    this.#failure = { error };
    this.#parts = [];
    this.waiting = 0;
    this.#failed.reject(error);
  }

  /** Writes what is left, and closes. Rejects if anything could not be written. */
  async close(): Promise<void> {
    await this.#writing;
    const closing = this.#opened.then(({ file }) => file.close());
    if (this.#failure === undefined) return await closing;
    await closing.catch(() => {});
    throw this.#failure.error;
  }

  async #write(): Promise<void> {
    // All text of one turn of the event loop goes out in one write.
    await Promise.resolve();
    try {
      const { file } = await this.#opened;
      while (this.#parts.length > 0) {
        const part = this.#next();
        await file.write(part);
        this.written += part.length;
        this.waiting = Math.max(0, this.waiting - part.length);
      }
    } catch (cause) {
      this.fail(cause);
    } finally {
      this.#writing = undefined;
    }
  }

  #next(): string | Uint8Array {
    if (typeof this.#parts[0] !== "string") return this.#parts.shift()!;
    const end = this.#parts.findIndex((part) => typeof part !== "string");
    return this.#parts.splice(0, end === -1 ? this.#parts.length : end).join("");
  }
}
