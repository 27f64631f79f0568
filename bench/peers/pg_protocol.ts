/** The buffer of the parser of node-postgres, with our header instead of its own. */

import { Buffer } from "node:buffer";
import { Parser } from "pg-protocol/dist/parser.js";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

/** The state of the parser. */
interface ParserBuffer {
  buffer: Buffer;
  bufferLength: number;
  bufferOffset: number;
  mergeBuffer(chunk: Buffer): void;
}

const NONE = Buffer.alloc(0);

/** pg-protocol. */
export const pgProtocol: Peer = {
  name: "pg-protocol",
  published: true,
  maxChunks: Infinity,
  open(sink): Run {
    const parser = new Parser() as unknown as ParserBuffer;
    return ({ buffers }, until) => {
      let consumed = 0;
      for (const chunk of buffers) {
        if (isOver(consumed, until)) break;
        parser.mergeBuffer(chunk);
        const end = parser.bufferOffset + parser.bufferLength;
        const { buffer } = parser;
        let at = parser.bufferOffset;
        while (at + 8 <= end) {
          const next = at + 8 + sizeAt(buffer, at);
          if (next > end) break;
          sink(buffer[at + 3]!, buffer.subarray(at + 8, next));
          at = next;
        }
        // Like the end of its `parse`.
        const isEmpty = at === end;
        if (isEmpty) parser.buffer = NONE;
        parser.bufferLength = isEmpty ? 0 : end - at;
        parser.bufferOffset = isEmpty ? 0 : at;
        consumed++;
      }
      return consumed;
    };
  },
};
