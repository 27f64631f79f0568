/** This project's decoder, with all checks and limits. */

import { FrameDecoder } from "../../src/wire/mod.ts";
import { isOver, type Peer, type Run } from "./peer.ts";

/** Our decoder. */
export const ours: Peer = {
  name: "ours",
  published: false,
  maxChunks: Infinity,
  open(sink): Run {
    const decoder = new FrameDecoder();
    return ({ chunks }, until) => {
      let consumed = 0;
      for (const chunk of chunks) {
        if (isOver(consumed, until)) break;
        decoder.push(chunk, sink);
        consumed++;
      }
      return consumed;
    };
  },
};
