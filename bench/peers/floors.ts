/** What no decoder can beat by much: the copy of all bytes, and one view for each message. */

import type { CutStream } from "../support/frames.ts";
import type { Sink } from "./peer.ts";

// The target of the copy is used over and over, as a decoder's own buffer is.
const MOST_TARGET = 1024 * 1024;

/** `set` of every chunk into one buffer. */
export function memcpy({ chunks, bytes, payloads }: CutStream): () => number {
  const longest = payloads.reduce((size, payload) => Math.max(size, payload.length + 8), 0);
  const most = Math.max(MOST_TARGET, longest, chunks[0]!.length);
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

/** One `subarray` a message, of the whole stream, at places that are known. */
export function subarrays({ bytes, offsets, payloads }: CutStream, sink: Sink): () => number {
  const ends = offsets.map((offset, i) => offset + payloads[i]!.length);
  return () => {
    for (let i = 0; i < offsets.length; i++) sink(4, bytes.subarray(offsets[i], ends[i]));
    return offsets.length;
  };
}
