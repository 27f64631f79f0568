/** This project's decoder, with its errors and limits on. */

import { FrameDecoder } from "../../src/wire/mod.ts";
import { isOver, type Peer, type Run } from "./peer.ts";

/** See the file's own text. */
export const ours: Peer = {
  name: "ours",
  published: false,
  mostChunks: Infinity,
  open(sink): Run {
    const decoder = new FrameDecoder();
    return ({ chunks }, until) => {
      let taken = 0;
      for (const chunk of chunks) {
        if (isOver(taken, until)) break;
        decoder.push(chunk, sink);
        taken++;
      }
      return taken;
    };
  },
};
