/** A socket whose other side is the fuzzer. */

import { concat } from "@std/bytes";
import { ConnectionError } from "../../src/errors.ts";
import type { Socket } from "../../src/socket/socket.ts";
import type { Random } from "./mutator.ts";
import { randomInteger } from "../../src/simulator/random.ts";

/** How a socket handles writes. */
export type Writing = "at once" | "late" | "never";

/** Largest chunks: single bytes, pieces of a header, pieces of a frame, many frames at once. */
const LARGEST = [1, 9, 100, 65_536];

const LATE_TURNS = 5;

export class FuzzSocket implements Socket {
  readonly remote = "fuzz";
  readonly #gone = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#gone.promise;
  /** The written chunks, in order. */
  readonly written: Uint8Array[] = [];
  readonly #random: Random;
  readonly #writing: Writing;
  readonly #largest: number;
  // One buffer for all reads, so that a view kept beyond its read shows as garbage.
  #chunk = new Uint8Array(0);
  #incoming: Uint8Array = this.#chunk;
  #end: "end" | "reset" | undefined;
  #isClosed = false;
  #reading: PromiseWithResolvers<Uint8Array | null> | undefined;
  #reader: "idle" | "waiting" = "idle";

  constructor(random: Random, writing: Writing = "at once") {
    this.#random = random;
    this.#writing = writing;
    this.#largest = LARGEST[randomInteger(random, 0, LARGEST.length - 1)]!;
  }

  /** Whether its owner has closed it. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** All bytes that were written. */
  get output(): Uint8Array {
    return concat(this.written);
  }

  /** Delivers bytes in chunks of random sizes. They must not change until they are read. */
  feed(bytes: Uint8Array): void {
    this.#incoming = concat([this.#incoming, bytes]);
    this.#wake();
  }

  /** Ends the stream after the delivered bytes. */
  finish(how: "end" | "reset"): void {
    this.#end = how;
    this.#wake();
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader === "waiting") throw new Error("A second read() waits");
    if (this.#isClosed) return Promise.resolve(null);
    if (this.#incoming.length > 0) return Promise.resolve(this.#next());
    if (this.#end === "end") return Promise.resolve(null);
    if (this.#end === "reset") return Promise.reject(reset());
    this.#reader = "waiting";
    this.#reading = Promise.withResolvers();
    return this.#reading.promise;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#writing === "never") await this.closed;
    if (this.#writing === "late") { for (let i = 0; i < LATE_TURNS; i++) await null; }
    if (this.#isClosed) throw new ConnectionError("connection-closed", "Closed while writing");
    // Copied only now, so that a change during the pending write shows.
    this.written.push(bytes.slice());
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#gone.resolve();
    this.#reading?.resolve(null);
  }

  #wake(): void {
    if (this.#reader === "idle" || this.#isClosed) return;
    const reading = this.#reading!;
    this.#reader = "idle";
    this.#reading = undefined;
    this.read().then(reading.resolve, reading.reject);
  }

  #next(): Uint8Array {
    const length = Math.min(this.#incoming.length, randomInteger(this.#random, 1, this.#largest));
    if (this.#chunk.length < length) this.#chunk = new Uint8Array(length);
    this.#chunk.fill(0xee);
    this.#chunk.set(this.#incoming.subarray(0, length));
    this.#incoming = this.#incoming.subarray(length);
    return this.#chunk.subarray(0, length);
  }
}

function reset(): ConnectionError {
  return new ConnectionError("connection-reset", "Reset by the fuzzer");
}
