/** `Deno.connect` and `Deno.listen`: `read` into one buffer, one `write` at a time. */

import { Backlog, type OnBytes, type RawSocket, type RawSockets } from "./raw_socket.ts";

const READ_BUFFER = 64 * 1024;

/** Raw sockets on Deno. */
export const sockets: RawSockets = {
  async connect(port, onBytes): Promise<RawSocket> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return wrap(conn, () => onBytes);
  },
  listen(onSocket): Promise<number> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    acceptAll(listener, onSocket);
    return Promise.resolve(listener.addr.port);
  },
};

async function acceptAll(listener: Deno.TcpListener, onSocket: (socket: RawSocket) => OnBytes) {
  for await (const conn of listener) wrap(conn, onSocket);
}

function wrap(conn: Deno.TcpConn, onSocket: (socket: RawSocket) => OnBytes): RawSocket {
  conn.setNoDelay(true);
  const backlog = new Backlog();
  let writing = false;
  const socket: RawSocket = {
    write(bytes): void {
      if (writing) backlog.add(bytes);
      else send(bytes);
    },
    close: () => conn.close(),
  };
  read(conn, onSocket(socket));
  return socket;

  async function send(bytes: Uint8Array): Promise<void> {
    writing = true;
    try {
      for (;;) {
        let sent = await conn.write(bytes);
        while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
        if (backlog.length === 0) break;
        bytes = backlog.takeAll();
      }
    } catch {
      // The peer has closed the connection: read() ends too.
    }
    writing = false;
  }
}

async function read(conn: Deno.TcpConn, onBytes: OnBytes): Promise<void> {
  const buffer = new Uint8Array(READ_BUFFER);
  try {
    for (;;) {
      const size = await conn.read(buffer);
      if (size === null) break;
      onBytes(buffer.subarray(0, size));
    }
    conn.close();
  } catch {
    // close() was called.
  }
}
