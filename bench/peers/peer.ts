/** What all ways to cut a stream into frames have in common, ours and the others'. */

import type { CutStream } from "../support/frames.ts";

/** Takes the type and the body of a frame; the view is good during the call only. */
export type Sink = (type: number, payload: Uint8Array) => void;

/**
 * Takes the chunks of a stream until `until` (as `performance.now()` tells time) and gives how many
 * it took. A run that took all of them may be followed by another.
 */
export type Run = (stream: CutStream, until: number) => number | Promise<number>;

/** One way to cut a stream into frames. */
export interface Peer {
  readonly name: string;
  /** Whether it is a package that others use, so that its makers had time to make it quick. */
  readonly published: boolean;
  /** Most chunks of one message before its time goes beyond all bounds. */
  readonly mostChunks: number;
  /** Makes a decoder at the start of a stream. */
  readonly open: (sink: Sink) => Run | Promise<Run>;
}

const MAX_PAYLOAD = 16 * 1024 * 1024;

/** The size that a header claims, with the checks that ours makes: none gets an easier task. */
export function sizeAt(bytes: Uint8Array, at: number): number {
  const type = bytes[at + 3]!;
  if (bytes[at] !== 0xdc || bytes[at + 1] !== 1 || bytes[at + 2] !== 8 || type < 1 || type > 4) {
    throw new Error(`There is no header at ${at}`);
  }
  const size = (bytes[at + 4]! | bytes[at + 5]! << 8 | bytes[at + 6]! << 16 |
    bytes[at + 7]! << 24) >>> 0;
  if (size > MAX_PAYLOAD) throw new Error(`Frame at ${at} claims ${size} bytes`);
  return size;
}

/** Whether it is time to stop; the clock is looked at once in 256 chunks. */
export function isOver(taken: number, until: number): boolean {
  return (taken & 255) === 255 && performance.now() > until;
}
