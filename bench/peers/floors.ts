/** Lower bounds for a decoder: one copy of all bytes, and one view per message. */

import type { CutStream } from "../support/frames.ts";
import type { Sink } from "./peer.ts";

// The target is reused, like the buffer of a decoder.
const MAX_TARGET = 1024 * 1024;

/** Copies every chunk into one buffer. */
export function memcpy({ chunks, bytes, payloads }: CutStream): () => number {
  const longest = payloads.reduce((size, payload) => Math.max(size, payload.length + 8), 0);
  const most = Math.max(MAX_TARGET, longest, chunks[0]!.length);
  const target = new Uint8Array(Math.min(bytes.length, most));
  return () => {
    let at = 0;
    for (const chunk of chunks) {
      if (at + chunk.length > target.length) at = 0;
      target.set(chunk, at);
      at += chunk.length;
    }
    return payloads.length;
  };
}

/** One `subarray` of the stream per message, at known offsets. */
export function subarrays({ bytes, offsets, payloads }: CutStream, sink: Sink): () => number {
  const ends = offsets.map((offset, i) => offset + payloads[i]!.length);
  return () => {
    for (let i = 0; i < offsets.length; i++) sink(4, bytes.subarray(offsets[i], ends[i]));
    return offsets.length;
  };
}
