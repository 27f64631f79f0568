/** `node:net`, reading into one buffer. */

import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { RawSocket, RawSockets } from "./raw_socket.ts";

const READ_BUFFER = 64 * 1024;

/** Raw sockets on Node. */
export const sockets: RawSockets = {
  async connect(port, onBytes): Promise<RawSocket> {
    const onread = {
      buffer: new Uint8Array(READ_BUFFER),
      callback(size: number, buffer: Uint8Array): boolean {
        onBytes(buffer.subarray(0, size));
        return true;
      },
    };
    const socket = connect({ host: "127.0.0.1", port, noDelay: true, onread });
    await once(socket, "connect");
    return wrap(socket);
  },
  async listen(onSocket): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => {
      socket.on("data", onSocket(wrap(socket)));
      socket.on("error", () => {});
    });
    server.listen({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return (server.address() as { port: number }).port;
  },
};

function wrap(socket: Socket): RawSocket {
  return {
    // A stream keeps a reference to what it cannot send at once.
    write: (bytes) => void socket.write(Buffer.from(bytes)),
    close: () => void socket.destroy(),
  };
}
