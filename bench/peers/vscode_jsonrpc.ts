/** The message buffer of vscode-jsonrpc; header and body are each read as a body of known size. */

import { AbstractMessageBuffer } from "vscode-jsonrpc";
import { isOver, type Peer, type Run, sizeAt } from "./peer.ts";

/** Its buffer for Node, for any runtime. */
class MessageBuffer extends AbstractMessageBuffer {
  protected override emptyBuffer(): Uint8Array {
    return new Uint8Array(0);
  }
  protected override fromString(value: string): Uint8Array {
    return new TextEncoder().encode(value);
  }
  protected override toString(value: Uint8Array): string {
    return new TextDecoder().decode(value);
  }
  protected override asNative(bytes: Uint8Array, length?: number): Uint8Array {
    return length === undefined ? bytes : bytes.subarray(0, length);
  }
  protected override allocNative(length: number): Uint8Array {
    return new Uint8Array(length);
  }
}

/** vscode-jsonrpc. */
export const vscodeJsonrpc: Peer = {
  name: "vscode-jsonrpc",
  published: true,
  // Removes chunks from the start of an array, one by one.
  maxChunks: 16_384,
  open(sink): Run {
    const buffer = new MessageBuffer();
    let size = -1;
    let type = 0;
    return ({ buffers }, until) => {
      let consumed = 0;
      // It relies on the slice() of Buffer, which does not copy.
      for (const chunk of buffers) {
        if (isOver(consumed, until)) break;
        buffer.append(chunk);
        for (;;) {
          if (size < 0) {
            const header = buffer.tryReadBody(8);
            if (header === undefined) break;
            size = sizeAt(header, 0);
            type = header[3]!;
          }
          const body = buffer.tryReadBody(size);
          if (body === undefined) break;
          sink(type, body);
          size = -1;
        }
        consumed++;
      }
      return consumed;
    };
  },
};
