/** Input of the benches: JSON bodies of an exact size, streams of frames, and their chunks. */

import { Buffer } from "node:buffer";
import { concat } from "@std/bytes";
import { encodeFrame, HEADER_SIZE, PayloadType } from "../../src/wire/mod.ts";

/** Whether each chunk is an array of its own, or a view of one large buffer. */
export type ChunkKind = "own" | "views";

/** A stream of frames, cut into chunks. */
export interface CutStream {
  /** The whole stream. */
  readonly bytes: Uint8Array;
  readonly payloads: readonly Uint8Array[];
  /** Where each body begins in `bytes`. */
  readonly offsets: readonly number[];
  readonly chunks: readonly Uint8Array[];
  /** The same chunks for peers that need the methods of a Buffer. */
  readonly buffers: readonly Buffer[];
}

/** An event body of exactly `size` bytes, at least 80. */
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
  // Two bytes per letter in UTF-8.
  const wide = text === "ascii" ? 0 : room() >> 1;
  return json + tail("\u00e9".repeat(wide) + "x".repeat(room() - 2 * wide));
}

/** A body of exactly `size` bytes, for sizes too small for `eventJson`. */
export function smallJson(size: number): string {
  const head = '{"Topic":"ButtonPushed","DeviceId":7,"Note":"';
  return head + "x".repeat(size - head.length - 2) + '"}';
}

/** A body of `size` bytes in which neighbors differ. */
export function noisePayload(size: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => i * 31 + (i >> 8) * 7 + seed);
}

/** Encodes the bodies as consecutive event frames. */
export function joinFrames(payloads: readonly Uint8Array[]): Uint8Array {
  return concat(payloads.map((payload) => encodeFrame(PayloadType.Event, payload)));
}

/** Encodes the bodies and cuts the stream into chunks of `size` bytes; `Infinity` is one chunk. */
export function cutFrames(
  payloads: readonly Uint8Array[],
  size: number,
  kind: ChunkKind = "views",
): CutStream {
  const bytes = joinFrames(payloads);
  const offsets: number[] = [];
  let at = 0;
  for (const payload of payloads) {
    offsets.push(at + HEADER_SIZE);
    at += HEADER_SIZE + payload.length;
  }
  const chunks = cut(bytes, size, kind);
  const buffers = chunks.map(({ buffer, byteOffset, length }) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, length)
  );
  return { bytes, payloads, offsets, chunks, buffers };
}

/** Cuts a stream into chunks of `size` bytes. */
export function cut(bytes: Uint8Array, size: number, kind: ChunkKind): Uint8Array[] {
  const chunkAt = (from: number, to: number): Uint8Array =>
    kind === "own" ? bytes.slice(from, to) : bytes.subarray(from, to);
  if (size === 1) {
    // A million chunks of one byte would need a hundred megabytes: reuse 256.
    const byValue = new Map<number, Uint8Array>();
    bytes.forEach((byte, at) => {
      if (!byValue.has(byte)) byValue.set(byte, chunkAt(at, at + 1));
    });
    return Array.from(bytes, (byte) => byValue.get(byte)!);
  }
  const chunks: Uint8Array[] = [];
  // The last chunk is the longest: pg-protocol would copy a short one into the chunk before it.
  let at = 0;
  for (; at + 2 * size <= bytes.length; at += size) chunks.push(chunkAt(at, at + size));
  chunks.push(chunkAt(at, bytes.length));
  return chunks;
}
