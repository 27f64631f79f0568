/** The buffer list `bl`. */

import { BufferList } from "bl";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

/** See the file's own text. */
export const bl: Peer = {
  name: "bl",
  published: true,
  // It takes chunks from the front of an array, one by one.
  mostChunks: 16_384,
  open(sink): Run {
    const list = new BufferList();
    let size = -1;
    let type = 0;
    return ({ buffers }, until) => {
      let taken = 0;
      for (const chunk of buffers) {
        if (isOver(taken, until)) break;
        list.append(chunk);
        while (list.length >= 8) {
          // Asked once a message: a slice of a header that is split costs a copy.
          if (size < 0) {
            const header = list.slice(0, 8);
            size = sizeAt(header, 0);
            type = header[3]!;
          }
          if (list.length < 8 + size) break;
          sink(type, list.slice(8, 8 + size));
          list.consume(8 + size);
          size = -1;
        }
        taken++;
      }
      return taken;
    };
  },
};
