/**
 * RCSP over WebSockets: for a page in a browser, which cannot open TCP sockets, and for the bridge that it
 * connects to. Binary messages are pieces of the byte stream; where one ends has no meaning.
 *
 * ```ts no-run
 * import { createClient } from "@rcsp/rcsp/core";
 * import { webSocketConnector } from "@rcsp/rcsp/websocket";
 *
 * const connector = webSocketConnector("wss://studio.example/rcsp", { protocols: "rcsp.v1" });
 * const rcsp = await createClient(connector);
 * console.log(await rcsp.listDevices());
 * ```
 *
 * Both ends use the WebSocket of the web, or one like it, and import nothing.
 *
 * @module
 */

import { ConnectionError } from "../src/errors.ts";
import { quote } from "../src/escape.ts";
import { orAbort } from "../src/socket/or_abort.ts";
import { type Connector, RuntimeSocket, type Socket } from "../src/socket/socket.ts";
import {
  checkMaxBuffered,
  RawWebSocket,
  type WebSocketLike,
  type WebSocketOptions,
} from "../src/socket/web_socket.ts";

export { ConnectionError, RcspError } from "../src/errors.ts";
export type { ConnectionErrorCode, ProtocolErrorCode, RcspErrorCode } from "../src/errors.ts";
export { WebSocketCloseError } from "../src/socket/web_socket_close.ts";
export type { CloseInfo } from "../src/socket/web_socket_close.ts";
export type { WebSocketLike, WebSocketOptions } from "../src/socket/web_socket.ts";
export type {
  Address,
  Connector,
  ConnectorOptions,
  KeepAliveOptions,
  Socket,
} from "../src/socket/socket.ts";

/** Options of {@link webSocketConnector}. */
export interface WebSocketConnectorOptions extends Omit<WebSocketOptions, "remote"> {
  /** The sub-protocols to offer, best first; the server must accept one of them. Default: none. */
  readonly protocols?: string | readonly string[] | undefined;
  /** The class to use. Default: the runtime's `WebSocket`. */
  readonly WebSocket?: WebSocketClass | undefined;
}

/** The class `WebSocket`, or one like it. */
export type WebSocketClass = new (url: string, protocols?: string[]) => WebSocketLike;

/**
 * Makes a connector that opens a WebSocket to `url` (`ws:` or `wss:`), in browsers, Deno, Bun and Node 22 or
 * newer.
 *
 * - The address that a client passes to it is ignored, and `keepAlive` too: use the client's `heartbeat`.
 * - It rejects with a `ConnectionError`. The web's WebSocket does not say why it could not connect: a
 *   refused upgrade (401, 403) looks as if nothing listens there.
 * - A socket ends normally with the close codes 1000, 1001 and 1005. Others are a `WebSocketCloseError`.
 * - `closeWrite()` ends both directions: a WebSocket has no half close.
 *
 * @throws {TypeError} If the URL is invalid, or the runtime has no WebSocket.
 * @throws {RangeError} If `maxBuffered` is not an integer from 1 on.
 */
export function webSocketConnector(
  url: string | URL,
  options: WebSocketConnectorOptions = {},
): Connector {
  const { protocols = [], WebSocket = runtimeWebSocket(), ...rest } = options;
  const offered = typeof protocols === "string" ? [protocols] : [...protocols];
  const { href, remote } = checkUrl(url);
  checkMaxBuffered(options.maxBuffered);
  return async (_address, { signal } = {}) => {
    signal?.throwIfAborted();
    const webSocket = create(WebSocket, href, offered, remote);
    // Made before it is open, so that no message is missed.
    const raw = new RawWebSocket(webSocket, { ...rest, remote });
    const socket = new RuntimeSocket(raw);
    const opening = raw.opened.then(() => checkProtocol(socket, webSocket.protocol, offered));
    return await (signal === undefined ? opening : orAbort(opening, signal).catch((error) => {
      socket.close();
      throw error;
    }));
  };
}

/**
 * Makes a {@linkcode Socket} from a WebSocket that a server has accepted: one of the package `ws`, or of
 * `Deno.upgradeWebSocket()`. Call it in the turn in which you receive the WebSocket, so that no message is
 * missed. It ends as the sockets of {@linkcode webSocketConnector} do.
 *
 * @throws {RangeError} If `maxBuffered` is not an integer from 1 on.
 */
export function fromWebSocket(webSocket: WebSocketLike, options: WebSocketOptions = {}): Socket {
  return new RuntimeSocket(new RawWebSocket(webSocket, options));
}

function runtimeWebSocket(): WebSocketClass {
  const { WebSocket } = globalThis as { WebSocket?: unknown };
  if (typeof WebSocket === "function") return WebSocket as WebSocketClass;
  throw new TypeError("Cannot use WebSockets: this runtime has none, pass one as 'WebSocket'");
}

/** The URL, and the same without what may be secret. */
function checkUrl(url: string | URL): { href: string; remote: string } {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    throw new TypeError(`Invalid WebSocket URL ${quote(String(url))}`, { cause });
  }
  const { href, protocol, host, pathname } = parsed;
  if (protocol !== "ws:" && protocol !== "wss:") {
    throw new TypeError(`Invalid WebSocket URL ${quote(href)}: expected ws: or wss:`);
  }
  return { href, remote: `${protocol}//${host}${pathname}` };
}

function create(
  WebSocket: WebSocketClass,
  href: string,
  protocols: string[],
  remote: string,
): WebSocketLike {
  try {
    return new WebSocket(href, protocols);
  } catch (cause) {
    // A sub-protocol that is not a token, or a page that may not connect there: it will not get better.
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TypeError(`Cannot connect to ${remote}: ${reason}`, { cause });
  }
}

/** Not every runtime refuses a server that accepts none of the sub-protocols. */
function checkProtocol(socket: Socket, accepted: string, offered: readonly string[]): Socket {
  if (offered.length === 0 || offered.includes(accepted)) return socket;
  socket.close();
  const what = accepted === "" ? "none of them" : quote(accepted);
  throw new ConnectionError(
    "connection-failed",
    `Cannot connect to ${socket.remote}: ${offered.length} sub-protocols were offered, ` +
      `the server accepted ${what}`,
  );
}
