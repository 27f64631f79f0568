/** `node:net`, reading into one buffer. */

import { connect, createServer, type Socket } from "node:net";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { RawEnd, RawSockets } from "./raw.ts";

const BUFFER = 64 * 1024;

/** See the file's own text. */
export const sockets: RawSockets = {
  async connect(port, onBytes): Promise<RawEnd> {
    const onread = {
      buffer: new Uint8Array(BUFFER),
      callback(size: number, buffer: Uint8Array): boolean {
        onBytes(buffer.subarray(0, size));
        return true;
      },
    };
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, onread });
    await once(socket, "connect");
    return endOf(socket);
  },
  async listen(onEnd): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("data", onEnd(endOf(socket)));
      socket.on("error", () => {});
    });
    server.listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  },
};

function endOf(socket: Socket): RawEnd {
  return {
    // A stream keeps what it cannot send, so what the caller uses again must be a copy.
    write: (bytes) => void socket.write(Buffer.from(bytes)),
    close: () => void socket.destroy(),
  };
}
