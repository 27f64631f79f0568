/** The common interface of all decoders. */

import type { CutStream } from "../support/frames.ts";

/** Receives the type and the body of a frame; the view is valid only during the call. */
export type Sink = (type: number, payload: Uint8Array) => void;

/**
 * Decodes the chunks of a stream until `until`, a time of `performance.now()`; returns the number of
 * chunks. Can run again after it has decoded all of them.
 */
export type Run = (stream: CutStream, until: number) => number | Promise<number>;

/** One decoder. */
export interface Peer {
  readonly name: string;
  /** Whether it is a published package. */
  readonly published: boolean;
  /** Maximum number of chunks per message; beyond it, a quadratic decoder takes too long. */
  readonly maxChunks: number;
  /** Creates a decoder for the start of a stream. */
  readonly open: (sink: Sink) => Run | Promise<Run>;
}

const MAX_PAYLOAD = 16 * 1024 * 1024;

/** Returns the size in a header, after the same checks as in our decoder. */
export function sizeAt(bytes: Uint8Array, at: number): number {
  const type = bytes[at + 3]!;
  if (bytes[at] !== 0xdc || bytes[at + 1] !== 1 || bytes[at + 2] !== 8 || type < 1 || type > 4) {
    throw new Error(`Invalid header at ${at}`);
  }
  const size = (bytes[at + 4]! | bytes[at + 5]! << 8 | bytes[at + 6]! << 16 |
    bytes[at + 7]! << 24) >>> 0;
  if (size > MAX_PAYLOAD) throw new Error(`The frame at ${at} declares ${size} bytes`);
  return size;
}

/** Whether to stop; reads the clock once in 256 chunks. */
export function isOver(consumed: number, until: number): boolean {
  return (consumed & 255) === 255 && performance.now() > until;
}
