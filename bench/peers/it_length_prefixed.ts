/** The package it-length-prefixed in its faster, synchronous form. */

import { decode, type LengthDecoderFunction } from "it-length-prefixed";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

// It does not report the type: keep that of the last header for the next message.
let type = 0;

const lengthDecoder: LengthDecoderFunction = (bytes) => {
  // A RangeError means that the prefix is incomplete.
  if (bytes.length < 8) throw new RangeError("Too short");
  const header = bytes.subarray(0, 8);
  type = header[3]!;
  return sizeAt(header, 0);
};
lengthDecoder.bytes = 8;

/** it-length-prefixed. */
export const itLengthPrefixed: Peer = {
  name: "it-length-prefixed",
  published: true,
  // Removes chunks from the start of an array, one by one.
  maxChunks: 16_384,
  open(sink): Run {
    return ({ chunks }, until) => {
      let consumed = 0;
      function* source(): Generator<Uint8Array> {
        for (const chunk of chunks) {
          if (isOver(consumed, until)) return;
          yield chunk;
          consumed++;
        }
      }
      try {
        for (const message of decode(source(), { lengthDecoder })) sink(type, message.subarray());
      } catch (error) {
        // It rejects a stream that was stopped early.
        if (consumed === chunks.length) throw error;
      }
      return consumed;
    };
  },
};
