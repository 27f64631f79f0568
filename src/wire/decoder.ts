/**
 * Bytes to frames. Free of any runtime.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { limit } from "../limits.ts";
import {
  HEADER_SIZE,
  headerError,
  isHeader,
  payloadLimitError,
  payloadSizeAt,
  type PayloadType,
} from "./header.ts";

/**
 * Takes one frame. `payload` is a view that is valid during the call only: copy (`slice()`) what you
 * keep.
 */
export type FrameSink = (type: PayloadType, payload: Uint8Array) => void;

/** Options of a {@link FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Longest body in bytes; a header that claims more fails. Default: 16 MiB. */
  maxPayload?: number | undefined;
}

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);
const FIRST_SCRATCH = 8192;
// Below this many bytes a loop is quicker than a call of `set`.
const FEW_BYTES = 16;
// A chunk of up to this many bytes is kept whole although only its first bytes are wanted: that costs
// less than a view of them.
const SHORT_CHUNK = 2048;
// A scratch of up to this many bytes is kept for the next split frame; a larger one is let go.
const KEPT_SCRATCH = 1024 * 1024 + SHORT_CHUNK;

/**
 * Cuts a stream of bytes, in whatever pieces it comes, into frames.
 *
 * - Each complete frame is given to the sink before `push` returns, so the chunk's memory is free for
 *   use again afterwards.
 * - A frame inside one chunk is not copied. A frame that is split is gathered in one buffer, which is
 *   used again for the next and grows with the bytes received, not with the bytes claimed.
 * - After an error (also one that the sink throws) the stream is lost: every later call throws it again.
 */
export class FrameDecoder {
  readonly #maxPayload: number;
  /** The bytes of all chunks before the one at hand. */
  #position = 0;
  /** The start of a header that is not complete yet. */
  readonly #header = new Uint8Array(HEADER_SIZE);
  #headerFilled = 0;
  /** The start of a body that is not complete yet, behind its complete header. */
  #scratch = EMPTY;
  #bodyFilled = 0;
  #bodySize = 0;
  #inBody = false;
  #failure: { error: unknown } | undefined;
  #busy = false;

  /** Makes a decoder at the start of a stream. */
  constructor(options: FrameDecoderOptions = {}) {
    this.#maxPayload = limit("maxPayload", options.maxPayload);
  }

  /**
   * Takes the next chunk and calls `sink` for every frame that it completes.
   *
   * @throws {ProtocolError} If a header is wrong.
   * @throws {LimitError} If a header claims more than `maxPayload` bytes.
   */
  push(chunk: Uint8Array, sink: FrameSink): void {
    if (this.#inBody) {
      // The middle of a body: no sink is called, and nothing can fail.
      const filled = this.#bodyFilled + chunk.length;
      if (filled < this.#bodySize && filled <= this.#scratch.length) {
        this.#append(chunk);
        this.#bodyFilled = filled;
        this.#position += chunk.length;
        return;
      }
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#busy) throw new TypeError("Cannot push a chunk from within a sink");
    this.#busy = true;
    try {
      this.#decode(chunk, sink);
    } catch (error) {
      this.#failure = { error };
      this.#inBody = false;
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Tells that the stream has ended.
   *
   * @throws {ProtocolError} If it ended inside a frame.
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.partial) return;
    const error = this.#inBody
      ? this.#cut(`${this.#bodySize} bytes of body`, `${this.#bodyFilled}, then the end`)
      : this.#cut("8 bytes of header", `${this.#headerFilled}, then the end`);
    this.#failure = { error };
    this.#inBody = false;
    throw error;
  }

  /** Whether a frame has begun and is not complete. */
  get partial(): boolean {
    return this.#inBody || this.#headerFilled > 0;
  }

  #cut(expected: string, received: string): ProtocolError {
    const bytes = this.#inBody ? this.#header : this.#header.subarray(0, this.#headerFilled);
    const begun = this.#inBody ? HEADER_SIZE + this.#bodyFilled : this.#headerFilled;
    return new ProtocolError("cut-frame", "Cannot read frame", {
      expected,
      received,
      offset: this.#position - begun,
      bytes,
    });
  }

  #decode(chunk: Uint8Array, sink: FrameSink): void {
    const end = chunk.length;
    let at = 0;
    if (this.#inBody) at = this.#goOnWithBody(chunk, 0, sink);
    else if (this.#headerFilled > 0) at = this.#goOnWithHeader(chunk, sink);
    while (end - at >= HEADER_SIZE) {
      const size = this.#check(chunk, at, this.#position + at);
      const body = at + HEADER_SIZE;
      const next = body + size;
      if (next > end) {
        for (let i = 0; i < HEADER_SIZE; i++) this.#header[i] = chunk[at + i]!;
        this.#begin(size);
        this.#keep(chunk, body, end);
        at = end;
        break;
      }
      sink(chunk[at + 3] as PayloadType, view(chunk, body, next));
      at = next;
    }
    while (at < end) this.#header[this.#headerFilled++] = chunk[at++]!;
    this.#position += end;
  }

  /** Goes on with the header that an earlier chunk began; gives where in the chunk it stopped. */
  #goOnWithHeader(chunk: Uint8Array, sink: FrameSink): number {
    let at = 0;
    while (this.#headerFilled < HEADER_SIZE) {
      if (at === chunk.length) return at;
      this.#header[this.#headerFilled++] = chunk[at++]!;
    }
    this.#headerFilled = 0;
    this.#begin(this.#check(this.#header, 0, this.#position + at - HEADER_SIZE));
    return this.#goOnWithBody(chunk, at, sink);
  }

  /** Goes on with the body that an earlier chunk began; gives where in the chunk it stopped. */
  #goOnWithBody(chunk: Uint8Array, from: number, sink: FrameSink): number {
    const missing = this.#bodySize - this.#bodyFilled;
    if (chunk.length - from < missing) {
      this.#keep(chunk, from, chunk.length);
      return chunk.length;
    }
    const type = this.#header[3] as PayloadType;
    const to = from + missing;
    this.#inBody = false;
    if (this.#bodyFilled === 0) {
      // Only the header was split: the body lies whole in this chunk.
      sink(type, view(chunk, from, to));
      return to;
    }
    this.#keep(chunk, from, to);
    sink(type, new Uint8Array(this.#scratch.buffer, 0, this.#bodySize));
    if (this.#scratch.length > KEPT_SCRATCH) this.#scratch = EMPTY;
    return to;
  }

  #begin(size: number): void {
    this.#inBody = true;
    this.#bodySize = size;
    this.#bodyFilled = 0;
  }

  /** Adds a part of a chunk to the body. */
  #keep(chunk: Uint8Array, from: number, to: number): void {
    const at = this.#bodyFilled;
    const filled = at + to - from;
    if (filled > this.#scratch.length) this.#grow(at, filled);
    const { length } = chunk;
    const whole = from === 0 &&
      (to === length || length <= SHORT_CHUNK && at + length <= this.#scratch.length);
    this.#append(whole ? chunk : chunk.subarray(from, to));
    this.#bodyFilled = filled;
  }

  /** Puts bytes behind the body so far, where there is room for them. */
  #append(bytes: Uint8Array): void {
    const scratch = this.#scratch;
    const { length } = bytes;
    let at = this.#bodyFilled;
    if (length >= FEW_BYTES) scratch.set(bytes, at);
    else for (let i = 0; i < length; i++) scratch[at++] = bytes[i]!;
  }

  #grow(filled: number, needed: number): void {
    const doubled = Math.max(needed, this.#scratch.length * 2, FIRST_SCRATCH);
    const most = Math.max(this.#bodySize + SHORT_CHUNK, FIRST_SCRATCH);
    const grown = new Uint8Array(Math.min(doubled, most));
    grown.set(this.#scratch.subarray(0, filled));
    this.#scratch = grown;
  }

  /** The size that the header claims, if all of the header is right. */
  #check(bytes: Uint8Array, offset: number, position: number): number {
    if (!isHeader(bytes, offset)) throw headerError(bytes, offset, position);
    const size = payloadSizeAt(bytes, offset);
    if (size > this.#maxPayload) {
      throw payloadLimitError(
        `Cannot read frame at byte ${position}`,
        size,
        this.#maxPayload,
        true,
      );
    }
    return size;
  }
}

/**
 * A view that is a plain `Uint8Array`, as the `slice` of a `Buffer` does not copy. To ask for `buffer`
 * is quicker than `subarray` in V8 and slower in Bun, but for the first time only: so the last frame of
 * a chunk, which often is its only one, does without.
 */
function view(chunk: Uint8Array, from: number, to: number): Uint8Array {
  return to === chunk.length && chunk.constructor === Uint8Array
    ? chunk.subarray(from, to)
    : new Uint8Array(chunk.buffer, chunk.byteOffset + from, to - from);
}
