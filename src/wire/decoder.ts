/**
 * Incremental frame decoder.
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
 * Receives one frame. `payload` is a view that is valid only during the call: copy (`slice()`) what
 * you keep.
 */
export type FrameSink = (type: PayloadType, payload: Uint8Array) => void;

/** Options of a {@link FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Maximum payload size in bytes; a header that declares more is an error. Default: 16 MiB. */
  maxPayload?: number | undefined;
}

const EMPTY: Uint8Array<ArrayBuffer> = new Uint8Array(0);
const FIRST_CAPACITY = 8192;
// Below this size a byte loop beats TypedArray.set().
const FEW_BYTES = 16;
// Up to this size it is faster to copy a whole chunk than to create views of its parts.
const SHORT_CHUNK = 2048;
// A larger buffer is released once it is empty.
const MAX_KEPT_CAPACITY = 1024 * 1024 + HEADER_SIZE + SHORT_CHUNK;

/**
 * Splits a byte stream into frames, whatever the chunk boundaries.
 *
 * - `push` calls the sink for each frame that is complete and does not keep the chunk: its memory can
 *   be reused as soon as `push` returns.
 * - A frame that arrives in one chunk is usually not copied. A frame that is split is collected in one
 *   reused buffer, which grows with the bytes received, not with the size that the header declares.
 * - An error is final, even one that the sink throws: every later call throws the same error.
 */
export class FrameDecoder {
  readonly #maxPayload: number;
  /** Stream offset of the next frame, or of the incomplete one. */
  #position = 0;
  /** Holds the incomplete frame from `#start` to `#end`. */
  #buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** Size of the incomplete frame with its header; 0 if even the header is incomplete. */
  #frameSize = 0;
  #failure: { error: unknown } | undefined;
  #busy = false;

  /** Creates a decoder for the start of a stream. */
  constructor(options: FrameDecoderOptions = {}) {
    this.#maxPayload = limit("maxPayload", options.maxPayload);
  }

  /**
   * Decodes the next chunk and calls `sink` for every frame that it completes.
   *
   * @throws {ProtocolError} If a header is invalid.
   * @throws {LimitError} If a header declares more than `maxPayload` bytes.
   */
  push(chunk: Uint8Array, sink: FrameSink): void {
    const { length } = chunk;
    const end = this.#end + length;
    if (end - this.#start < this.#frameSize && end <= this.#buffer.length) {
      // Inside a body: no frame is complete and nothing can fail.
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
   * Ends the stream.
   *
   * @throws {ProtocolError} If the last frame is incomplete.
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (!this.partial) return;
    const inBody = this.#frameSize > 0;
    const received = this.#end - this.#start - (inBody ? HEADER_SIZE : 0);
    this.#fail(
      new ProtocolError("cut-frame", "Cannot read frame", {
        expected: inBody ? `${this.#frameSize - HEADER_SIZE} bytes of body` : "8 bytes of header",
        received: `${received}, then the end`,
        offset: this.#position,
        bytes: this.#buffer.subarray(this.#start, Math.min(this.#start + HEADER_SIZE, this.#end)),
      }),
    );
  }

  /** Whether a frame has begun and is not complete. */
  get partial(): boolean {
    return this.#end > this.#start;
  }

  #fail(error: unknown): never {
    this.#failure = { error };
    this.#frameSize = 0;
    throw error;
  }

  /** Continues the incomplete frame; returns where the rest of the chunk begins. */
  #resume(chunk: Uint8Array, sink: FrameSink): number {
    const { length } = chunk;
    let at = 0;
    if (this.#end - this.#start <= HEADER_SIZE) {
      at = Math.min(length, this.#start + HEADER_SIZE - this.#end);
      this.#append(chunk, 0, at);
      if (this.#end - this.#start < HEADER_SIZE) return at;
      const size = this.#checkHeader(this.#buffer, this.#start);
      if (at + size <= length) {
        // Only the header was split.
        const type = this.#buffer[this.#start + 3] as PayloadType;
        this.#start = this.#end = this.#frameSize = 0;
        this.#position += HEADER_SIZE + size;
        sink(type, new Uint8Array(chunk.buffer, chunk.byteOffset + at, size));
        return at + size;
      }
      this.#frameSize = HEADER_SIZE + size;
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
  #emitFrames(bytes: Uint8Array, at: number, end: number, sink: FrameSink): number {
    // subarray() of a Buffer is a Buffer, whose slice() would alias. In V8 a new view is faster too,
    // provided that `buffer` is read once: that alone costs half a view.
    const { byteOffset } = bytes;
    let buffer: ArrayBufferLike | undefined;
    while (end - at >= HEADER_SIZE) {
      const size = this.#checkHeader(bytes, at);
      const body = at + HEADER_SIZE;
      if (body + size > end) {
        this.#frameSize = HEADER_SIZE + size;
        break;
      }
      buffer ??= bytes.buffer;
      this.#position += HEADER_SIZE + size;
      sink(bytes[at + 3] as PayloadType, new Uint8Array(buffer, byteOffset + body, size));
      at = body + size;
    }
    return at;
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

  /** Returns the size of the body. */
  #checkHeader(bytes: Uint8Array, at: number): number {
    if (!isHeader(bytes, at)) throw headerError(bytes, at, this.#position);
    const size = payloadSizeAt(bytes, at);
    if (size > this.#maxPayload) {
      const action = `Cannot read frame at byte ${this.#position}`;
      throw payloadLimitError(action, size, this.#maxPayload, true);
    }
    return size;
  }
}
