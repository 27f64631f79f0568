/** The buffer of the parser that node-postgres reads with, with our header in place of its own. */

import { Buffer } from "node:buffer";
import { Parser } from "pg-protocol/dist/parser.js";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

/** What the parser's `parse` works on. */
interface ParserBuffer {
  buffer: Buffer;
  bufferLength: number;
  bufferOffset: number;
  mergeBuffer(chunk: Buffer): void;
}

const NONE = Buffer.alloc(0);

/** See the file's own text. */
export const pgProtocol: Peer = {
  name: "pg-protocol",
  published: true,
  mostChunks: Infinity,
  open(sink): Run {
    const parser = new Parser() as unknown as ParserBuffer;
    return ({ buffers }, until) => {
      let taken = 0;
      for (const chunk of buffers) {
        if (isOver(taken, until)) break;
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
        // As its `parse` ends.
        const done = at === end;
        if (done) parser.buffer = NONE;
        parser.bufferLength = done ? 0 : end - at;
        parser.bufferOffset = done ? 0 : at;
        taken++;
      }
      return taken;
    };
  },
};
