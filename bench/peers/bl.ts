/** The buffer list of the package `bl`. */

import { BufferList } from "bl";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

/** bl. */
export const bl: Peer = {
  name: "bl",
  published: true,
  // Removes chunks from the start of an array, one by one.
  maxChunks: 16_384,
  open(sink): Run {
    const list = new BufferList();
    let size = -1;
    let type = 0;
    return ({ buffers }, until) => {
      let consumed = 0;
      for (const chunk of buffers) {
        if (isOver(consumed, until)) break;
        list.append(chunk);
        while (list.length >= 8) {
          // Once per message: slicing a split header copies it.
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
        consumed++;
      }
      return consumed;
    };
  },
};
