/**
 * Turns what is pushed into what is pulled, with back-pressure. Free of any runtime.
 *
 * @module
 */

import { Fifo } from "../src/fifo.ts";

/** The chunks that came and were not read yet, then the end or the error. */
export class Inbox {
  readonly #chunks = new Fifo<Uint8Array>();
  readonly #resume: () => void;
  readonly #capacity: number;
  #size = 0;
  #full = false;
  #reader: PromiseWithResolvers<Uint8Array | null> | undefined;
  /** What ends the chunks; `undefined` while more may come. */
  #end: { readonly failure?: unknown } | undefined;

  /**
   * `resume` is called when all is read after a `push()` that returned `false`. Up to `capacity`
   * bytes wait before it does: with the default of 1, a single chunk.
   */
  constructor(resume: () => void, capacity = 1) {
    this.#resume = resume;
    this.#capacity = capacity;
  }

  /** The error that ended it, if one did. */
  get failure(): unknown {
    return this.#end?.failure;
  }

  /** Takes a chunk; `false` asks to push no more until `resume` is called. */
  push(chunk: Uint8Array): boolean {
    if (chunk.length === 0) return true;
    const reader = this.#takeReader();
    if (reader !== undefined) {
      reader.resolve(chunk);
      return true;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    this.#full = this.#size >= this.#capacity;
    return !this.#full;
  }

  /** No more will come. Only the first end or error counts. */
  end(): void {
    if (this.#end !== undefined) return;
    this.#end = {};
    this.#takeReader()?.resolve(null);
  }

  /** The connection broke. Only the first end or error counts. */
  fail(failure: unknown): void {
    if (this.#end !== undefined) return;
    this.#end = { failure };
    this.#takeReader()?.reject(failure);
  }

  /** The next chunk, or `null` at the end, or a rejection after an error. One call at a time. */
  read(): Promise<Uint8Array | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#size -= chunk.length;
      if (this.#full && this.#size === 0) {
        this.#full = false;
        this.#resume();
      }
      return Promise.resolve(chunk);
    }
    if (this.#end === undefined) return (this.#reader = Promise.withResolvers()).promise;
    return "failure" in this.#end ? Promise.reject(this.#end.failure) : Promise.resolve(null);
  }

  #takeReader(): PromiseWithResolvers<Uint8Array | null> | undefined {
    const reader = this.#reader;
    this.#reader = undefined;
    return reader;
  }
}
