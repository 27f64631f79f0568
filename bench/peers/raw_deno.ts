/** `Deno.connect` and `Deno.listen`: `read` into one buffer, one `write` at a time. */

import { Backlog, type OnBytes, type RawEnd, type RawSockets } from "./raw.ts";

const BUFFER = 64 * 1024;

/** See the file's own text. */
export const sockets: RawSockets = {
  async connect(port, onBytes): Promise<RawEnd> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return open(conn, () => onBytes);
  },
  listen(onEnd): Promise<number> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    acceptAll(listener, onEnd);
    return Promise.resolve(listener.addr.port);
  },
};

async function acceptAll(listener: Deno.TcpListener, onEnd: (end: RawEnd) => OnBytes) {
  for await (const conn of listener) open(conn, onEnd);
}

function open(conn: Deno.TcpConn, onEnd: (end: RawEnd) => OnBytes): RawEnd {
  conn.setNoDelay(true);
  const backlog = new Backlog();
  let writing = false;
  const end: RawEnd = {
    write(bytes): void {
      if (writing) backlog.add(bytes);
      else send(bytes);
    },
    close: () => conn.close(),
  };
  read(conn, onEnd(end));
  return end;

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
      // The other end has gone: the reader sees it too.
    }
    writing = false;
  }
}

async function read(conn: Deno.TcpConn, onBytes: OnBytes): Promise<void> {
  const buffer = new Uint8Array(BUFFER);
  try {
    for (;;) {
      const size = await conn.read(buffer);
      if (size === null) break;
      onBytes(buffer.subarray(0, size));
    }
    conn.close();
  } catch {
    // Closed on this side.
  }
}
