/** it-length-prefixed over uint8arraylist, in its quicker form: the synchronous one. */

import { decode, type LengthDecoderFunction } from "it-length-prefixed";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

// It has no place for a type: that of the last header is that of the message that comes next.
let type = 0;

const lengthDecoder: LengthDecoderFunction = (bytes) => {
  // A RangeError is how it is told that the prefix is not complete.
  if (bytes.length < 8) throw new RangeError("Too short");
  const header = bytes.subarray(0, 8);
  type = header[3]!;
  return sizeAt(header, 0);
};
lengthDecoder.bytes = 8;

/** See the file's own text. */
export const itLengthPrefixed: Peer = {
  name: "it-length-prefixed",
  published: true,
  // It takes chunks from the front of an array, one by one.
  mostChunks: 16_384,
  open(sink): Run {
    return ({ chunks }, until) => {
      let taken = 0;
      function* source(): Generator<Uint8Array> {
        for (const chunk of chunks) {
          if (isOver(taken, until)) return;
          yield chunk;
          taken++;
        }
      }
      try {
        for (const message of decode(source(), { lengthDecoder })) sink(type, message.subarray());
      } catch (error) {
        // It minds that the stream was cut short.
        if (taken === chunks.length) throw error;
      }
      return taken;
    };
  },
};
