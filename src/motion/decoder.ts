/**
 * Incremental decoder of motion frames.
 *
 * @module
 */

import { LimitError, ProtocolError } from "../errors.ts";
import { limit } from "../limits.ts";
import { MARKER } from "../wire/header.ts";
import { MOTION_HEADER_SIZE, MOTION_PORTS, MotionPrefix, readUint32 } from "./frame.ts";

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

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);
const FIRST_CAPACITY = 8192;
// Below this size a byte loop beats TypedArray.set().
const FEW_BYTES = 16;
// Up to this size it is faster to copy a whole chunk than to create views of its parts.
const SHORT_CHUNK = 2048;
// A larger buffer is released once it is empty.
const MAX_KEPT_CAPACITY = 1024 * 1024 + MOTION_HEADER_SIZE + SHORT_CHUNK;

/**
 * Splits a byte stream, cut anywhere, into motion frames.
 *
 * - `push` calls the sink for every complete frame before it returns, so the chunk can be reused.
 * - A frame inside one chunk is usually not copied. A split frame is collected in one reused buffer
 *   that grows with the bytes received, not with the bytes claimed.
 * - A frame with an unknown prefix is skipped by its length and counted in `skipped`, as a newer
 *   version may have more of them. Ten in a row are an error.
 * - After an error (also one that the sink throws) every later call throws it again.
 */
export class MotionDecoder {
  readonly #maxPayload: number;
  /** Stream offset of the next frame, or of the incomplete one. */
  #position = 0;
  /** Holds the incomplete frame from `#start` to `#end`. */
  #buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** Size of the incomplete frame with its header; 0 if even the header is incomplete. */
  #frameSize = 0;
  /** Size of the payload that is being skipped, and how much of it is missing. */
  #skipSize = 0;
  #skipLeft = 0;
  #unknownInRow = 0;
  #skipped = 0;
  #failure: { readonly error: unknown } | undefined;
  #busy = false;

  /** Creates a decoder at the start of a stream. */
  constructor(options: MotionDecoderOptions = {}) {
    this.#maxPayload = limit("maxPayload", options.maxPayload);
  }

  /** Frames with an unknown prefix so far. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Whether a frame has begun and is not complete. */
  get partial(): boolean {
    return this.#end > this.#start || this.#skipLeft > 0;
  }

  /**
   * Decodes the next chunk and calls `sink` for every frame that it completes.
   *
   * @throws {ProtocolError} If the stream is not RGMP.
   * @throws {LimitError} If a header claims more than `maxPayload` bytes.
   */
  push(chunk: Uint8Array, sink: MotionSink): void {
    const { length } = chunk;
    const end = this.#end + length;
    if (end - this.#start < this.#frameSize && end <= this.#buffer.length) {
      // Inside a payload: no frame is complete and nothing can fail.
      this.#append(chunk, 0, length);
      return;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#busy) throw new TypeError("Cannot push a chunk from within a sink");
    this.#busy = true;
    try {
      const from = this.partial ? this.#resume(chunk, sink) : 0;
      const to = this.#emitFrames(chunk, from, length, sink);
      if (to < length) this.#append(chunk, to, length);
    } catch (error) {
      this.#fail(error);
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
    const isSkipping = this.#skipLeft > 0;
    const size = isSkipping ? this.#skipSize : this.#frameSize - MOTION_HEADER_SIZE;
    const filled = this.#end - this.#start;
    const inPayload = size >= 0;
    const received = isSkipping
      ? size - this.#skipLeft
      : inPayload
      ? filled - MOTION_HEADER_SIZE
      : filled;
    const headerEnd = Math.min(this.#start + MOTION_HEADER_SIZE, this.#end);
    this.#fail(
      new ProtocolError("cut-frame", "Cannot read motion frame", {
        expected: inPayload ? `${size} bytes of payload` : "8 bytes of header",
        received: `${received}, then the end`,
        offset: this.#position,
        bytes: this.#buffer.subarray(this.#start, headerEnd),
      }),
    );
  }

  #fail(error: unknown): never {
    this.#failure = { error };
    this.#frameSize = 0;
    throw error;
  }

  /** Continues the incomplete frame; returns where the rest of the chunk begins. */
  #resume(chunk: Uint8Array, sink: MotionSink): number {
    if (this.#skipLeft > 0) return this.#skip(chunk.length);
    const { length } = chunk;
    let at = 0;
    if (this.#end - this.#start <= MOTION_HEADER_SIZE) {
      at = Math.min(length, this.#start + MOTION_HEADER_SIZE - this.#end);
      this.#append(chunk, 0, at);
      if (this.#end - this.#start < MOTION_HEADER_SIZE) return at;
      if (!isKnown(this.#buffer, this.#start)) {
        // Emits nothing, and forgets the header.
        this.#start = this.#emitFrames(this.#buffer, this.#start, this.#end, sink);
        return at + (this.#skipLeft > 0 ? this.#skip(length - at) : 0);
      }
      this.#frameSize = MOTION_HEADER_SIZE + this.#payloadSize(this.#buffer, this.#start);
    }
    const missing = this.#start + this.#frameSize - this.#end;
    const to = length <= SHORT_CHUNK ? length : Math.min(length, at + missing);
    this.#append(chunk, at, to);
    if (to - at < missing) return to;
    this.#frameSize = 0;
    this.#start = this.#emitFrames(this.#buffer, this.#start, this.#end, sink);
    if (!this.partial) {
      this.#start = this.#end = 0;
      if (this.#buffer.length > MAX_KEPT_CAPACITY) this.#buffer = EMPTY;
    } else if (this.#start + this.#frameSize + SHORT_CHUNK > this.#buffer.length) {
      // Moving the start of a frame now is cheaper than moving most of it later.
      this.#reserve(0);
    }
    return to;
  }

  /** Emits the complete frames from `at` to `end`; returns where the incomplete one begins. */
  #emitFrames(bytes: Uint8Array, at: number, end: number, sink: MotionSink): number {
    // subarray() of a Buffer is a Buffer, whose slice() would alias. In V8 a new view is faster too,
    // provided that `buffer` is read once: that alone costs half a view.
    const { byteOffset } = bytes;
    let buffer: ArrayBufferLike | undefined;
    while (end - at >= MOTION_HEADER_SIZE) {
      const payload = at + MOTION_HEADER_SIZE;
      if (!isKnown(bytes, at)) {
        this.#startSkipping(bytes, at);
        at = payload + this.#skip(end - payload);
        continue;
      }
      const size = this.#payloadSize(bytes, at);
      if (payload + size > end) {
        this.#frameSize = MOTION_HEADER_SIZE + size;
        break;
      }
      this.#unknownInRow = 0;
      this.#position += MOTION_HEADER_SIZE + size;
      buffer ??= bytes.buffer;
      sink(bytes[at] as MotionPrefix, new Uint8Array(buffer, byteOffset + payload, size));
      at = payload + size;
    }
    return at;
  }

  /** Skips up to `length` bytes of an unknown payload; returns how many. */
  #skip(length: number): number {
    const skipped = Math.min(this.#skipLeft, length);
    this.#skipLeft -= skipped;
    if (this.#skipLeft === 0) this.#position += MOTION_HEADER_SIZE + this.#skipSize;
    return skipped;
  }

  #append(chunk: Uint8Array, from: number, to: number): void {
    const length = to - from;
    if (this.#end + length > this.#buffer.length) this.#reserve(length);
    const buffer = this.#buffer;
    const end = this.#end;
    if (length < FEW_BYTES) { for (let i = 0; i < length; i++) buffer[end + i] = chunk[from + i]!; }
    else buffer.set(length === chunk.length ? chunk : chunk.subarray(from, to), end);
    this.#end = end + length;
  }

  /** Makes room for more bytes behind the incomplete frame. */
  #reserve(length: number): void {
    const filled = this.#end - this.#start;
    const needed = filled + length;
    const old = this.#buffer;
    if (needed <= old.length && old.length <= MAX_KEPT_CAPACITY) {
      old.copyWithin(0, this.#start, this.#end);
    } else {
      const most = Math.max(this.#frameSize + SHORT_CHUNK, FIRST_CAPACITY);
      const capacity = Math.max(needed, old.length * 2, FIRST_CAPACITY);
      this.#buffer = new Uint8Array(Math.min(capacity, most));
      this.#buffer.set(old.subarray(this.#start, this.#end));
    }
    this.#start = 0;
    this.#end = filled;
  }

  /** The size of a known frame's payload. */
  #payloadSize(bytes: Uint8Array, at: number): number {
    const size = readUint32(bytes, at + 4);
    if (size <= this.#maxPayload) return size;
    throw new LimitError(
      `Cannot read motion frame at byte ${this.#position} as its payload of ${size} bytes is longer ` +
        `than 'maxPayload' (${this.#maxPayload})`,
      "maxPayload",
      this.#maxPayload,
      true,
    );
  }

  /** An unknown frame begins. */
  #startSkipping(bytes: Uint8Array, at: number): void {
    const size = readUint32(bytes, at + 4);
    const isRcsp = this.#position === 0 && bytes[at] === MARKER;
    const row = ++this.#unknownInRow;
    this.#skipped++;
    if (isRcsp || size > this.#maxPayload || row === MAX_UNKNOWN_FRAMES) {
      throw notRgmp(bytes, at, { position: this.#position, row, isRcsp });
    }
    this.#skipSize = this.#skipLeft = size;
  }
}

function notRgmp(
  bytes: Uint8Array,
  at: number,
  { position, row, isRcsp }: { position: number; row: number; isRcsp: boolean },
): ProtocolError {
  const inRow = row > 1 ? `, the unknown frame ${row} in a row` : "";
  return new ProtocolError("bad-type", "Cannot read motion frame", {
    expected: "prefix 1, 2 or 3",
    received: isRcsp
      ? `0xdc, the first byte of RCSP: try port ${MOTION_PORTS.raw} or ${MOTION_PORTS.hands}`
      : `${readUint32(bytes, at)}${inRow}, so the other side may not send RGMP`,
    offset: position,
    bytes: bytes.subarray(at, at + MOTION_HEADER_SIZE),
  });
}

function isKnown(bytes: Uint8Array, at: number): boolean {
  const low = bytes[at]!;
  return low >= MotionPrefix.Definition && low <= MotionPrefix.Disconnect &&
    (bytes[at + 1]! | bytes[at + 2]! | bytes[at + 3]!) === 0;
}
