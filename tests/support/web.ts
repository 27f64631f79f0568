/** Requests as bytes: `fetch()` and browsers do not let a program choose `Host` and `Origin`. */

import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";

/** A response as it came. */
export interface RawResponse {
  /** 0 if the connection was closed without a response. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A connection that sends and receives bytes. */
export interface RawConnection {
  readonly socket: Socket;
  /** All bytes received so far, as Latin-1. */
  readonly received: string;
  /** Resolves when the other end has closed the connection, or broken it. */
  readonly closed: Promise<void>;
}

/** Opens a connection to 127.0.0.1. */
export async function openRaw(port: number): Promise<RawConnection> {
  let received = "";
  const socket = connect(port, "127.0.0.1");
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  socket.on("connect", opened.resolve);
  socket.on("data", (chunk) => received += (chunk as Buffer).toString("latin1"));
  socket.on("error", () => {});
  socket.on("close", () => {
    opened.resolve();
    closed.resolve();
  });
  await opened.promise;
  return {
    socket,
    get received() {
      return received;
    },
    closed: closed.promise,
  };
}

/** Sends bytes and reads until the server closes the connection. */
export async function sendRaw(port: number, bytes: string | Uint8Array): Promise<RawResponse> {
  const connection = await openRaw(port);
  connection.socket.write(bytes);
  await connection.closed;
  return parseResponse(connection.received);
}

/** The text of a request. Values of `headers` may be lists, and replace the default `Host`. */
export function request(
  port: number,
  path: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  method = "GET",
): string {
  const all = { Host: `127.0.0.1:${port}`, ...headers };
  const lines = Object.entries(all).flatMap(([name, values]) =>
    [values].flat().map((value) => `${name}: ${value}`)
  );
  return `${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`;
}

/** The headers of an upgrade that offers sub-protocols. */
export function upgradeHeaders(...protocols: readonly string[]): Record<string, string> {
  return {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": Buffer.alloc(16).toString("base64"),
    ...(protocols.length === 0 ? {} : { "Sec-WebSocket-Protocol": protocols.join(", ") }),
  };
}

/** Reads a response. */
export function parseResponse(text: string): RawResponse {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Map(lines.map((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  }));
  return { status: Number(first.split(" ")[1] ?? 0), headers, body: rest.join("\r\n\r\n") };
}
