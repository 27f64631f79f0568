/**
 * Sockets on Node, over `node:net`, which Deno and Bun have too.
 *
 * @module
 */

import {
  connect as netConnect,
  createServer,
  type Server,
  type Socket as NetSocket,
} from "node:net";
import { formatAddress, listenAddress } from "../src/address.ts";
import type { RcspClient } from "../src/client/client.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import { keepAliveDelay } from "../src/keep_alive.ts";
import type { RawSocket } from "../src/raw_socket.ts";
import type { Address, Connector, Listen, Listener, Socket } from "../src/socket.ts";
import { toConnectionError } from "../src/socket_error.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { dial } from "./dial.ts";
import { Inbox } from "./inbox.ts";
import { connectBy } from "./connect.ts";
import { guard } from "./guard.ts";

/** In bytes. */
const BUFFER = 64 * 1024;

/** Opens a socket with `node:net`. */
export const connector: Connector = async (address, options = {}): Promise<Socket> => {
  const keepAlive = keepAliveDelay(options.keepAlive);
  return await dial(address, options.signal, (to, signal) => open(to, signal, keepAlive));
};

/** Connects a client over `node:net`; otherwise as `connect()` of `@rcsp/rcsp`. */
export function connect(options: ConnectOptions = {}): Promise<RcspClient> {
  return connectBy(connector, options);
}

/** Listens with `node:net`. */
export const listen: Listen = async (options): Promise<Listener> => {
  const asked = listenAddress(options);
  const keepAlive = keepAliveDelay(options?.keepAlive);
  const queue = new AcceptQueue();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    queue.push(guard(accepted(socket, keepAlive)));
  });
  try {
    await listening(server, asked);
  } catch (cause) {
    throw toConnectionError(cause, "listen", formatAddress(asked));
  }
  const address = addressOf(server, asked);
  server.on("error", (cause) => {
    queue.fail(toConnectionError(cause, "accept", formatAddress(address)));
  });
  return queue.toListener(address, () => void server.close());
};

function open(
  address: Address,
  signal: AbortSignal | undefined,
  keepAlive: false | number,
): Promise<RawSocket> {
  // Two buffers in turn: one is with the reader, the next chunk waits in the other, and while it
  // waits nothing is read.
  const buffers: [Uint8Array, Uint8Array] = [new Uint8Array(BUFFER), new Uint8Array(BUFFER)];
  let turn: 0 | 1 = 1;
  const inbox = new Inbox(() => socket.resume());
  const socket = netConnect({
    ...address,
    allowHalfOpen: true,
    noDelay: true,
    onread: {
      buffer: () => buffers[turn = turn === 0 ? 1 : 0],
      callback: (size, buffer) => inbox.push(buffer.subarray(0, size)),
    },
  });
  const { promise, resolve, reject } = Promise.withResolvers<RawSocket>();
  const onAbort = (): void => void socket.destroy();
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.once("connect", () => resolve(new NetRawSocket(socket, inbox, address, keepAlive)));
  socket.on("error", reject);
  socket.once("close", () => reject(signal?.reason));
  return promise.finally(() => signal?.removeEventListener("abort", onAbort));
}

function accepted(socket: NetSocket, keepAlive: false | number): RawSocket {
  const inbox = new Inbox(() => socket.resume());
  socket.on("data", ({ buffer, byteOffset, length }) => {
    if (!inbox.push(new Uint8Array(buffer, byteOffset, length))) socket.pause();
  });
  return new NetRawSocket(socket, inbox, { host: "a client", port: 0 }, keepAlive);
}

class NetRawSocket implements RawSocket {
  readonly remote: string;
  readonly closed: Promise<void>;
  readonly #socket: NetSocket;
  readonly #inbox: Inbox;

  constructor(socket: NetSocket, inbox: Inbox, address: Address, keepAlive: false | number) {
    this.#socket = socket;
    this.#inbox = inbox;
    // Not by the options of a server, which Deno's node:net passes over.
    if (keepAlive !== false) socket.setKeepAlive(true, keepAlive);
    const { remoteAddress: host = address.host, remotePort: port = address.port } = socket;
    this.remote = formatAddress({ host, port });
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("end", () => inbox.end());
    socket.on("error", (error) => inbox.fail(error));
    socket.on("close", () => inbox.end());
  }

  read(): Promise<Uint8Array | null> {
    return this.#inbox.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        // The first error says more than that the socket is destroyed.
        if (error) reject(this.#inbox.failure ?? error);
        else resolve();
      });
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  close(): void {
    this.#socket.destroy();
  }
}

function listening(server: Server, { host, port }: Address): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host, port }, resolve);
  return promise.finally(() => server.off("error", reject));
}

function addressOf(server: Server, asked: Address): Address {
  const bound = server.address();
  if (bound === null || typeof bound === "string") return asked;
  return { host: bound.address, port: bound.port };
}
