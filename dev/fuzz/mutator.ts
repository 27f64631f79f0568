/** Mutates valid frames in one reused buffer. */

import { randomInteger } from "../../src/simulator/random.ts";

/** Returns numbers from 0 up to, but not including, 1. */
export type Random = () => number;

const HEADER = 8;
// Longer inputs are cut: the point is many of them.
const CAPACITY = 64 * 1024;
const ROOM = 256;
const BYTES = [0, 1, 2, 4, 8, 0x0a, 0x22, 0x2c, 0x30, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d]
  .concat([0x7f, 0x80, 0xbf, 0xc0, 0xdb, 0xdc, 0xdd, 0xed, 0xef, 0xf5, 0xfe, 0xff]);

/** Builds a stream frame by frame; each may be changed as it is added. */
export class Mutator {
  readonly #buffer = new Uint8Array(CAPACITY);
  readonly #view = new DataView(this.#buffer.buffer);
  #random: Random = Math.random;
  #limit = 0;
  #end = 0;
  #start = 0;
  #mutated = 0;

  /** Starts a new stream; mutated sizes are chosen around `limit`. */
  begin(random: Random, limit: number): void {
    this.#random = random;
    this.#limit = limit;
    this.#end = this.#start = this.#mutated = 0;
  }

  /** The stream; valid until the next `begin()`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#end);
  }

  /** Number of mutated frames. */
  get mutated(): number {
    return this.#mutated;
  }

  /** Counts a change that was made to the order of frames. */
  count(frames: number): void {
    this.#mutated += frames;
  }

  /** Appends bytes unchanged; returns whether there was room. */
  add(bytes: Uint8Array): boolean {
    if (this.#end + bytes.length + ROOM > CAPACITY) return false;
    this.#buffer.set(bytes, this.#end);
    this.#start = this.#end;
    this.#end += bytes.length;
    return true;
  }

  /** Appends random bytes. */
  addNoise(length: number): void {
    this.#start = this.#end;
    for (let i = 0; i < length; i++) this.#buffer[this.#end++] = this.#byte();
    this.#mutated++;
  }

  /**
   * Changes the frame that was added last; `framed` is how often its header stays right, so that what
   * follows is reached.
   */
  mutate(framed = 0.5): void {
    const before = this.#end;
    const headed = before - this.#start >= HEADER;
    const wellFramed = headed && this.#random() < framed;
    const changes = 1 + Math.floor(this.#random() * this.#random() * 4);
    for (let i = 0; i < changes; i++) {
      if (headed && !wellFramed && this.#random() < 0.5) this.#changeHeader();
      else this.changeBytes(wellFramed ? this.#start + HEADER : this.#start);
    }
    if (wellFramed) this.#view.setUint32(this.#start + 4, this.#end - this.#start - HEADER, true);
    this.#mutated++;
  }

  /** Continues inside the last frame with the end of another. */
  splice(other: Uint8Array): void {
    this.#end = this.#start + this.#upTo(this.#end - this.#start);
    const from = this.#upTo(other.length);
    this.add(other.subarray(from));
    this.#mutated++;
  }

  /** Truncates the stream somewhere in its last frame. */
  truncate(): void {
    this.#end = this.#start + this.#upTo(this.#end - this.#start);
    this.#mutated++;
  }

  /** One change to the bytes from `from` on. */
  changeBytes(from: number): void {
    const at = from + this.#upTo(this.#end - from);
    switch (Math.floor(this.#random() * 6)) {
      case 0:
        if (at < this.#end) this.#buffer[at]! ^= 1 << this.#upTo(7);
        return;
      case 1:
        if (at < this.#end) this.#buffer[at] = this.#byte();
        return;
      case 2: {
        const length = this.#open(at, 1 + this.#upTo(7));
        for (let i = 0; i < length; i++) this.#buffer[at + i] = this.#byte();
        return;
      }
      case 3: {
        const to = Math.min(this.#end, at + 1 + this.#upTo(7));
        this.#buffer.copyWithin(at, to, this.#end);
        this.#end -= to - at;
        return;
      }
      case 4: {
        const source = this.#buffer.slice(at, Math.min(this.#end, at + 1 + this.#upTo(40)));
        const length = this.#open(at, source.length);
        this.#buffer.set(source.subarray(0, length), at);
        return;
      }
      default:
        this.#end = at;
    }
  }

  /** Inserts bytes at a random position from `from` on. */
  insert(bytes: Uint8Array, from: number): void {
    const at = from + this.#upTo(this.#end - from);
    const length = this.#open(at, bytes.length);
    this.#buffer.set(bytes.subarray(0, length), at);
  }

  #changeHeader(): void {
    const kind = Math.floor(this.#random() * 10);
    // Marker, version, header size, type; the size more often than each of them.
    if (kind < 4) this.#buffer[this.#start + kind] = kind === 3 ? this.#upTo(6) : this.#byte();
    else if (kind === 4) this.#buffer[this.#start + this.#upTo(7)]! ^= 1 << this.#upTo(7);
    else this.#changeSize();
  }

  #changeSize(): void {
    const at = this.#start + 4;
    const size = this.#view.getUint32(at, true);
    const limit = this.#limit;
    const sizes = [0, 1, size - 1, size + 1, size + HEADER, limit - 1, limit, limit + 1];
    const huge = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
    const pick = this.#upTo(sizes.length + huge.length);
    if (pick === sizes.length + huge.length) this.#view.setUint32(at, size, false);
    else this.#view.setUint32(at, sizes[pick] ?? huge[pick - sizes.length]!, true);
  }

  /** Makes room for bytes; returns how many fit. */
  #open(at: number, length: number): number {
    const fits = Math.min(length, CAPACITY - this.#end);
    this.#buffer.copyWithin(at + fits, at, this.#end);
    this.#end += fits;
    return fits;
  }

  #byte(): number {
    return this.#random() < 0.5 ? this.#upTo(255) : BYTES[this.#upTo(BYTES.length - 1)]!;
  }

  #upTo(high: number): number {
    return randomInteger(this.#random, 0, high);
  }
}
