/**
 * Frames to bytes. Free of any runtime.
 *
 * @module
 */

import { fillHeader, HEADER_SIZE, type PayloadType, writeHeader } from "./header.ts";

const encoder = new TextEncoder();
// Above this length in code units the exact size is worth a second look at the text.
const LONG_TEXT = 64 * 1024;
const FIRST_CAPACITY = 4096;
// A buffer of up to this many bytes is kept for the next batch; a larger one is let go.
const KEPT_CAPACITY = 1024 * 1024;

/**
 * Makes one frame: header and body in one buffer. Text is sent as UTF-8 (assumed), bytes as they are.
 *
 * @throws {RangeError} If `type` is no payload type or the body is longer than 2^32 - 1 bytes.
 */
export function encodeFrame(type: PayloadType, json: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const body = typeof json === "string" ? encoder.encode(json) : json;
  const frame = new Uint8Array(HEADER_SIZE + body.length);
  writeHeader(frame, 0, { type, payloadSize: body.length });
  frame.set(body, HEADER_SIZE);
  return frame;
}

/** The bytes that a text takes as UTF-8 if these are more than `most`; they are counted only then. */
export function oversize(text: string, most: number): number | undefined {
  // A code unit takes one to three bytes.
  if (text.length * 3 <= most) return undefined;
  const size = encoder.encode(text).length;
  return size > most ? size : undefined;
}

/** Gathers frames in one growing buffer, so that many go out in one write. */
export class FrameBatch {
  #buffer = new Uint8Array(FIRST_CAPACITY);
  /** Where the body of the first frame goes, which often is the only one. */
  #firstBody = this.#buffer.subarray(HEADER_SIZE);
  #length = 0;

  /** The bytes gathered. */
  get length(): number {
    return this.#length;
  }

  /** The frames gathered; the view is valid until the next `add` or `clear`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Adds a frame with a body of text; returns the bytes of the body. */
  add(type: PayloadType, json: string): number {
    if (json.length > LONG_TEXT) return this.#addLong(type, json);
    const start = this.#length;
    const body = start + HEADER_SIZE;
    // One code unit takes three bytes at most.
    this.#reserve(body + json.length * 3);
    const room = start === 0 ? this.#firstBody : this.#buffer.subarray(body);
    const size = encoder.encodeInto(json, room).written;
    fillHeader(this.#buffer, start, type, size);
    this.#length = body + size;
    return size;
  }

  /** Adds bytes that are frames already. */
  addBytes(bytes: Uint8Array): void {
    this.#reserve(this.#length + bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Starts anew, in the same memory unless that has become large. */
  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > KEPT_CAPACITY) this.#use(new Uint8Array(FIRST_CAPACITY));
  }

  #addLong(type: PayloadType, json: string): number {
    const body = encoder.encode(json);
    this.#reserve(this.#length + HEADER_SIZE + body.length);
    fillHeader(this.#buffer, this.#length, type, body.length);
    this.#buffer.set(body, this.#length + HEADER_SIZE);
    this.#length += HEADER_SIZE + body.length;
    return body.length;
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(capacity, this.#buffer.length * 2));
    grown.set(this.bytes);
    this.#use(grown);
  }

  #use(buffer: Uint8Array<ArrayBuffer>): void {
    this.#buffer = buffer;
    this.#firstBody = buffer.subarray(HEADER_SIZE);
  }
}
