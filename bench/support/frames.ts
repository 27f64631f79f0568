/** Makes what the benches read: JSON bodies of an exact size, streams of frames, and their chunks. */

import { Buffer } from "node:buffer";
import { concat } from "@std/bytes";
import { encodeFrame, HEADER_SIZE, PayloadType } from "../../src/wire/mod.ts";

/** A stream of frames, cut. */
export interface CutStream {
  /** All of it. */
  readonly bytes: Uint8Array;
  readonly payloads: readonly Uint8Array[];
  /** Where each body begins. */
  readonly offsets: readonly number[];
  readonly chunks: readonly Uint8Array[];
  /** The same chunks for those who need the methods of a Buffer. */
  readonly buffers: readonly Buffer[];
}

/** An event's body of exactly `size` bytes, as a driver might send it. At least 80 bytes. */
export function eventJson(size: number, text: "ascii" | "multi-byte" = "ascii"): string {
  const head = '{"Publisher":"DeviceEvents","Topic":"ButtonPushed","DeviceId":7';
  const reading = '{"PressType":"SinglePress","Timestamp":1700000000.125,"Battery":87}';
  const tail = (note: string): string => `,"Note":"${note}"}`;
  let json = head;
  const room = (): number => size - json.length - tail("").length;
  if (room() > reading.length + 12) {
    json += `,"Data":[${reading}`;
    while (room() > reading.length + 2) json += `,${reading}`;
    json += "]";
  }
  // Two bytes a letter in UTF-8.
  const wide = text === "ascii" ? 0 : room() >> 1;
  return json + tail("\u00e9".repeat(wide) + "x".repeat(room() - 2 * wide));
}

/** A small body of exactly `size` bytes, for sizes that `eventJson` cannot make. */
export function smallJson(size: number): string {
  const head = '{"Topic":"ButtonPushed","DeviceId":7,"Note":"';
  return head + "x".repeat(size - head.length - 2) + '"}';
}

/** A body of `size` bytes, each of another value than those beside it. */
export function noisePayload(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => i * 31 + (i >> 8) * 7 + seed);
}

/** Frames of these bodies, all of them events, one behind the other. */
export function joinFrames(payloads: readonly Uint8Array[]): Uint8Array {
  return concat(payloads.map((payload) => encodeFrame(PayloadType.Event, payload)));
}

/** Cuts frames of these bodies into chunks of `size` bytes; `Infinity` is all at once. */
export function cutFrames(payloads: readonly Uint8Array[], size: number): CutStream {
  const bytes = joinFrames(payloads);
  const offsets: number[] = [];
  let at = 0;
  for (const payload of payloads) {
    offsets.push(at + HEADER_SIZE);
    at += HEADER_SIZE + payload.length;
  }
  const buffers = cut(bytes, size, (from, to) => Buffer.from(bytes.buffer, from, to - from));
  const chunks = cut(bytes, size, (from, to) => bytes.subarray(from, to));
  return { bytes, payloads, offsets, chunks, buffers };
}

function cut<T extends Uint8Array>(
  bytes: Uint8Array,
  size: number,
  view: (from: number, to: number) => T,
): T[] {
  const chunks: T[] = [];
  if (size === 1) {
    // A million views of one byte would take a hundred megabytes: 256 do.
    const first = new Map<number, T>();
    bytes.forEach((byte, at) => {
      let chunk = first.get(byte);
      if (chunk === undefined) first.set(byte, chunk = view(at, at + 1));
      chunks.push(chunk);
    });
    return chunks;
  }
  // The last chunk is the longest, never a short one: pg-protocol moves a short one into the chunk
  // before it, which would change the stream for all.
  let at = 0;
  for (; at + 2 * size <= bytes.length; at += size) chunks.push(view(at, at + size));
  chunks.push(view(at, bytes.length));
  return chunks;
}
