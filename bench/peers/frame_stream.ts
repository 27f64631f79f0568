/** frame-stream, a Transform of Node's streams. */

import { setImmediate } from "node:timers";
import frameStream from "frame-stream";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

/** See the file's own text. */
export const frameStreamPeer: Peer = {
  name: "frame-stream",
  published: true,
  mostChunks: Infinity,
  async open(sink): Promise<Run> {
    const options = {
      lengthSize: 8,
      getLength: (bytes: Uint8Array): number => sizeAt(bytes, 0),
      // So large that it never waits for its reader.
      readableHighWaterMark: 2 ** 30,
      writableHighWaterMark: 2 ** 30,
    };
    const stream = frameStream.decode(options);
    let received = 0;
    stream.on("data", (payload: Uint8Array) => {
      received++;
      // It has no place for a type, so it is spared that.
      sink(4, payload);
    });
    await nextTurn();
    return async ({ buffers, payloads }, until) => {
      received = 0;
      let taken = 0;
      for (const chunk of buffers) {
        if (isOver(taken, until)) break;
        stream.write(chunk);
        taken++;
      }
      while (taken === buffers.length && received < payloads.length) await nextTurn();
      return taken;
    };
  },
};

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
