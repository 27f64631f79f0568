/**
 * Incremental decoder of motion frames.
 *
 * @module
 */

import { LimitError, ProtocolError } from "../errors.ts";
import { MARKER } from "../wire/header.ts";
import { MOTION_HEADER_SIZE, MOTION_PORTS, MotionPrefix, readUint32 } from "./frame.ts";
import { motionLimit } from "./limits.ts";

/**
 * Receives one frame. `payload` is a view that is valid only during the call: copy (`slice()`) what
 * you keep.
 */
export type MotionSink = (prefix: MotionPrefix, payload: Uint8Array) => void;

/** Options of a {@link MotionDecoder}. */
export interface MotionDecoderOptions {
  /** Longest payload in bytes; a header that claims more fails. Default: 16 MiB. */
  maxPayload?: number | undefined;
}

/** So many frames with an unknown prefix in a row mean that the stream is not RGMP. */
export const MAX_UNKNOWN_FRAMES = 10;

const FIRST_CAPACITY = 4096;
// A chunk of up to this size is copied whole although only its start is needed: cheaper than a view.
const SHORT_CHUNK = 2048;
// A larger buffer is released after its frame.
const KEPT_CAPACITY = 1024 * 1024;

/**
 * Splits a byte stream, cut anywhere, into motion frames.
 *
 * - `push` calls the sink for every complete frame before it returns, so the chunk can be reused.
 * - A frame inside one chunk is not copied. A split frame is collected in one reused buffer that
 *   grows with the bytes received, not with the bytes claimed.
 * - A frame with an unknown prefix is skipped by its length and counted in `skipped`, as a newer
 *   version may have more of them. Ten in a row are an error.
 * - After an error (also one that the sink throws) every later call throws it again.
 */
export class MotionDecoder {
  readonly #maxPayload: number;
  readonly #header = new Uint8Array(MOTION_HEADER_SIZE);
  #headerFilled = 0;
  #body = new Uint8Array(0);
  #bodyFilled = 0;
  #bodySize = 0;
  #inBody = false;
  /** Bytes of all chunks before the current one. */
  #position = 0;
  #unknownInRow = 0;
  #skipped = 0;
  #failure: { readonly error: unknown } | undefined;
  #busy = false;

  /** Creates a decoder at the start of a stream. */
  constructor(options: MotionDecoderOptions = {}) {
    this.#maxPayload = motionLimit("maxPayload", options.maxPayload);
  }

  /** Frames with an unknown prefix so far. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Whether a frame has begun and is not complete. */
  get partial(): boolean {
    return this.#inBody || this.#headerFilled > 0;
  }

  /**
   * Decodes the next chunk and calls `sink` for every frame that it completes.
   *
   * @throws {ProtocolError} If the stream is not RGMP.
   * @throws {LimitError} If a header claims more than `maxPayload` bytes.
   */
  push(chunk: Uint8Array, sink: MotionSink): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#busy) throw new TypeError("Cannot push a chunk from within a sink");
    this.#busy = true;
    try {
      this.#decode(chunk, sink);
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  /**
   * Marks the end of the stream.
   *
   * @throws {ProtocolError} If it ended inside a frame.
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.partial) return;
    const [expected, received, begun] = this.#inBody
      ? [`${this.#bodySize} bytes of payload`, this.#bodyFilled, MOTION_HEADER_SIZE]
      : ["8 bytes of header", this.#headerFilled, 0];
    const error = new ProtocolError("cut-frame", "Cannot read motion frame", {
      expected,
      received: `${received}, then the end`,
      offset: this.#position - received - begun,
      bytes: this.#inBody ? this.#header : this.#header.subarray(0, received),
    });
    this.#failure = { error };
    throw error;
  }

  #decode(chunk: Uint8Array, sink: MotionSink): void {
    const end = chunk.length;
    let at = 0;
    if (this.#inBody) at = this.#continueBody(chunk, 0, sink);
    else if (this.#headerFilled > 0) at = this.#continueHeader(chunk, sink);
    while (end - at >= MOTION_HEADER_SIZE) {
      const size = this.#check(chunk, at, this.#position + at);
      const body = at + MOTION_HEADER_SIZE;
      const next = body + size;
      if (next > end) {
        for (let i = 0; i < MOTION_HEADER_SIZE; i++) this.#header[i] = chunk[at + i]!;
        this.#beginBody(size);
        at = this.#continueBody(chunk, body, sink);
        break;
      }
      if (isKnown(chunk, at)) sink(chunk[at] as MotionPrefix, view(chunk, body, next));
      at = next;
    }
    while (at < end) this.#header[this.#headerFilled++] = chunk[at++]!;
    this.#position += end;
  }

  /** Continues a header from an earlier chunk; returns where in this chunk it stopped. */
  #continueHeader(chunk: Uint8Array, sink: MotionSink): number {
    let at = 0;
    while (this.#headerFilled < MOTION_HEADER_SIZE) {
      if (at === chunk.length) return at;
      this.#header[this.#headerFilled++] = chunk[at++]!;
    }
    this.#headerFilled = 0;
    this.#beginBody(this.#check(this.#header, 0, this.#position + at - MOTION_HEADER_SIZE));
    return this.#continueBody(chunk, at, sink);
  }

  #beginBody(size: number): void {
    this.#inBody = true;
    this.#bodySize = size;
    this.#bodyFilled = 0;
  }

  /** Continues a payload; returns where in this chunk it stopped. */
  #continueBody(chunk: Uint8Array, from: number, sink: MotionSink): number {
    const known = isKnown(this.#header, 0);
    const missing = this.#bodySize - this.#bodyFilled;
    if (chunk.length - from < missing) {
      if (known) this.#append(chunk, from, chunk.length);
      this.#bodyFilled += chunk.length - from;
      return chunk.length;
    }
    const to = from + missing;
    this.#inBody = false;
    if (!known) return to;
    const prefix = this.#header[0] as MotionPrefix;
    if (this.#bodyFilled === 0) {
      // Only the header was split: the payload is whole in this chunk.
      sink(prefix, view(chunk, from, to));
      return to;
    }
    this.#append(chunk, from, to);
    const body = this.#body;
    if (body.length > KEPT_CAPACITY) this.#body = new Uint8Array(0);
    sink(prefix, new Uint8Array(body.buffer, 0, this.#bodySize));
    return to;
  }

  #append(chunk: Uint8Array, from: number, to: number): void {
    const filled = this.#bodyFilled + to - from;
    if (filled > this.#body.length) this.#grow(filled);
    const { length } = chunk;
    const isWhole = from === 0 &&
      (to === length || (length <= SHORT_CHUNK && this.#bodyFilled + length <= this.#body.length));
    this.#body.set(isWhole ? chunk : chunk.subarray(from, to), this.#bodyFilled);
  }

  #grow(filled: number): void {
    const doubled = Math.max(filled, this.#body.length * 2, FIRST_CAPACITY);
    const most = Math.max(this.#bodySize + SHORT_CHUNK, FIRST_CAPACITY);
    const grown = new Uint8Array(Math.min(doubled, most));
    grown.set(this.#body.subarray(0, this.#bodyFilled));
    this.#body = grown;
  }

  /** Checks the header at `offset` and returns the size that it claims. */
  #check(bytes: Uint8Array, offset: number, position: number): number {
    const size = readUint32(bytes, offset + 4);
    const known = isKnown(bytes, offset);
    if (known) this.#unknownInRow = 0;
    else {
      this.#skipped++;
      this.#unknownInRow++;
      const isRcsp = position === 0 && bytes[offset] === MARKER;
      if (isRcsp || size > this.#maxPayload || this.#unknownInRow === MAX_UNKNOWN_FRAMES) {
        throw this.#notRgmp(bytes, offset, position, isRcsp);
      }
    }
    if (size > this.#maxPayload) {
      throw new LimitError(
        `Cannot read motion frame at byte ${position} as its payload of ${size} bytes is longer ` +
          `than 'maxPayload' (${this.#maxPayload})`,
        "maxPayload",
        this.#maxPayload,
        true,
      );
    }
    return size;
  }

  #notRgmp(bytes: Uint8Array, offset: number, position: number, isRcsp: boolean): ProtocolError {
    const prefix = readUint32(bytes, offset);
    const row = this.#unknownInRow > 1 ? `, the unknown frame ${this.#unknownInRow} in a row` : "";
    return new ProtocolError("bad-type", "Cannot read motion frame", {
      expected: "prefix 1, 2 or 3",
      received: isRcsp
        ? `0xdc, the first byte of RCSP: try port ${MOTION_PORTS.raw} or ${MOTION_PORTS.hands}`
        : `${prefix}${row}, so the other side may not send RGMP`,
      offset: position,
      bytes: bytes.subarray(offset, offset + MOTION_HEADER_SIZE),
    });
  }
}

function isKnown(bytes: Uint8Array, offset: number): boolean {
  const low = bytes[offset]!;
  return low >= MotionPrefix.Definition && low <= MotionPrefix.Disconnect &&
    (bytes[offset + 1]! | bytes[offset + 2]! | bytes[offset + 3]!) === 0;
}

/**
 * Returns a plain Uint8Array even for a Buffer, whose slice() would alias. Reading `buffer` beats
 * subarray() in V8, but costs the first time: the last frame of a chunk, often its only one, avoids it.
 */
function view(chunk: Uint8Array, from: number, to: number): Uint8Array {
  return to === chunk.length && chunk.constructor === Uint8Array
    ? chunk.subarray(from, to)
    : new Uint8Array(chunk.buffer, chunk.byteOffset + from, to - from);
}
