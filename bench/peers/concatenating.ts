/** A naive decoder: concatenates each chunk with the rest, and creates a DataView per header. */

import { concat } from "@std/bytes";
import { isOver, type Peer, type Run, type Sink } from "./peer.ts";

const MAX_PAYLOAD = 16 * 1024 * 1024;

/** Emits the frames at the start of `bytes`; returns the rest. */
export function cutFront(bytes: Uint8Array, sink: Sink): Uint8Array {
  while (bytes.length >= 8) {
    const header = new DataView(bytes.buffer, bytes.byteOffset, 8);
    const type = header.getUint8(3);
    if (header.getUint8(0) !== 0xdc || header.getUint8(1) !== 1 || header.getUint8(2) !== 8) {
      throw new Error("Invalid header");
    }
    if (type < 1 || type > 4) throw new Error(`Invalid type ${type}`);
    const size = header.getUint32(4, true);
    if (size > MAX_PAYLOAD) throw new Error(`Frame declares ${size} bytes`);
    if (bytes.length < 8 + size) break;
    sink(type, bytes.subarray(8, 8 + size));
    bytes = bytes.subarray(8 + size);
  }
  return bytes;
}

/** The naive decoder. */
export const concatenating: Peer = {
  name: "concatenating",
  published: false,
  maxChunks: Infinity,
  open(sink): Run {
    let rest: Uint8Array = new Uint8Array(0);
    return ({ chunks }, until) => {
      let consumed = 0;
      for (const chunk of chunks) {
        if (isOver(consumed, until)) break;
        rest = cutFront(concat([rest, chunk]), sink);
        consumed++;
      }
      return consumed;
    };
  },
};
