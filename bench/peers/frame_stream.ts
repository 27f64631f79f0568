/** The package frame-stream, a Node Transform. */

import { setImmediate } from "node:timers";
import frameStream from "frame-stream";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

/** frame-stream. */
export const frameStreamPeer: Peer = {
  name: "frame-stream",
  published: true,
  maxChunks: Infinity,
  async open(sink): Promise<Run> {
    const options = {
      lengthSize: 8,
      getLength: (bytes: Uint8Array): number => sizeAt(bytes, 0),
      // No back-pressure.
      readableHighWaterMark: 2 ** 30,
      writableHighWaterMark: 2 ** 30,
    };
    const stream = frameStream.decode(options);
    let received = 0;
    stream.on("data", (payload: Uint8Array) => {
      received++;
      // It does not report the type.
      sink(4, payload);
    });
    await nextTurn();
    return async ({ buffers, payloads }, until) => {
      received = 0;
      let consumed = 0;
      for (const chunk of buffers) {
        if (isOver(consumed, until)) break;
        stream.write(chunk);
        consumed++;
      }
      while (consumed === buffers.length && received < payloads.length) await nextTurn();
      return consumed;
    };
  },
};

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
