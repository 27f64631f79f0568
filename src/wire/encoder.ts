/**
 * Frame encoder.
 *
 * @module
 */

import { fillHeader, HEADER_SIZE, type PayloadType, writeHeader } from "./header.ts";

const encoder = new TextEncoder();
// Longer texts, in code units, are encoded first so that their exact size is known.
const LONG_TEXT = 64 * 1024;
const FIRST_CAPACITY = 4096;
// clear() releases a larger buffer.
const MAX_KEPT_CAPACITY = 1024 * 1024;

/**
 * Encodes one frame, header and body, in a new buffer. Text is encoded as UTF-8 (assumed), bytes are
 * copied unchanged.
 *
 * @throws {RangeError} If `type` is not a payload type or the body is longer than 2^32 - 1 bytes.
 */
export function encodeFrame(type: PayloadType, json: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const body = typeof json === "string" ? encoder.encode(json) : json;
  const frame = new Uint8Array(HEADER_SIZE + body.length);
  writeHeader(frame, 0, { type, payloadSize: body.length });
  frame.set(body, HEADER_SIZE);
  return frame;
}

/**
 * The UTF-8 length of a text in bytes if that exceeds `most`, else `undefined`; short texts are not
 * encoded.
 */
export function utf8LengthIfOver(text: string, most: number): number | undefined {
  // A code unit needs at most three bytes.
  if (text.length * 3 <= most) return undefined;
  const size = encoder.encode(text).length;
  return size > most ? size : undefined;
}

/** Collects frames in one growing buffer, so that one write sends them all. */
export class FrameBatch {
  #buffer = new Uint8Array(FIRST_CAPACITY);
  /** Cached view for the body of the first frame, which often is the only one. */
  #firstBody = this.#buffer.subarray(HEADER_SIZE);
  #length = 0;

  /** Size in bytes of the collected frames. */
  get length(): number {
    return this.#length;
  }

  /** The collected frames; the view is valid until the next `add`, `addBytes` or `clear`. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Adds a frame; returns the size of its body in bytes. */
  add(type: PayloadType, json: string): number {
    if (json.length > LONG_TEXT) return this.#addLong(type, json);
    const start = this.#length;
    const body = start + HEADER_SIZE;
    // A code unit needs at most three bytes.
    this.#reserve(body + json.length * 3);
    const room = start === 0 ? this.#firstBody : this.#buffer.subarray(body);
    const size = encoder.encodeInto(json, room).written;
    fillHeader(this.#buffer, start, type, size);
    this.#length = body + size;
    return size;
  }

  /** Adds frames that are already encoded. */
  addBytes(bytes: Uint8Array): void {
    this.#reserve(this.#length + bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Removes all frames; keeps the buffer unless it has become large. */
  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > MAX_KEPT_CAPACITY) this.#use(new Uint8Array(FIRST_CAPACITY));
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
