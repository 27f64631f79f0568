/**
 * TCP sockets on Node, with `node:net`, which Deno and Bun also have.
 *
 * @module
 */

import {
  type AddressInfo,
  connect as netConnect,
  createServer,
  type Server,
  type Socket as NetSocket,
} from "node:net";
import { formatAddress, listenAddress } from "../src/socket/address.ts";
import { dial } from "../src/socket/dial.ts";
import { toConnectionError, toTransferError } from "../src/socket/errors.ts";
import { keepAliveDelay } from "../src/socket/keep_alive.ts";
import {
  type Address,
  type Connector,
  type Listen,
  type Listener,
  type RawSocket,
  type Receiver,
  RuntimeSocket,
  type Socket,
} from "../src/socket/socket.ts";

/** Bytes. */
const BUFFER = 64 * 1024;

/** Opens a socket with `node:net`. */
export const connector: Connector = async (address, options = {}): Promise<Socket> => {
  const keepAlive = keepAliveDelay(options.keepAlive);
  return await dial(address, options.signal, (to, signal) => open(to, signal, keepAlive));
};

/** Listens with `node:net`. */
export const listen: Listen = async (options, onSocket, onError): Promise<Listener> => {
  const requested = listenAddress(options);
  const keepAlive = keepAliveDelay(options.keepAlive);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const raw = new NodeSocket(socket, { host: "a client", port: 0 }, keepAlive);
    socket.on("data", (chunk) => {
      const { buffer, byteOffset, length } = chunk as Uint8Array;
      if (!raw.onChunk(new Uint8Array(buffer, byteOffset, length))) socket.pause();
    });
    onSocket(new RuntimeSocket(raw, toTransferError));
  });
  try {
    await listening(server, requested);
  } catch (cause) {
    throw toConnectionError(cause, "listen", formatAddress(requested));
  }
  const { address: host, port } = server.address() as AddressInfo;
  const address = { host, port };
  server.on("error", (cause) => {
    onError?.(toConnectionError(cause, "accept", formatAddress(address)));
  });
  // The callback of close() would wait for the accepted sockets.
  return { address, close: () => Promise.resolve(void server.close()) };
};

function open(
  address: Address,
  signal: AbortSignal | undefined,
  keepAlive: false | number,
): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  let raw: NodeSocket | undefined;
  // Alternating: the last chunk of a read() stays valid while the next one arrives.
  const buffers = [new Uint8Array(BUFFER), new Uint8Array(BUFFER)] as const;
  let turn: 0 | 1 = 1;
  const socket = netConnect({
    ...address,
    allowHalfOpen: true,
    noDelay: true,
    onread: {
      buffer: () => buffers[turn = turn === 0 ? 1 : 0],
      callback: (size, buffer) => raw!.onChunk(buffer.subarray(0, size)),
    },
  });
  const onAbort = (): void => void socket.destroy();
  signal?.addEventListener("abort", onAbort, { once: true });
  socket.once("connect", () => {
    raw = new NodeSocket(socket, address, keepAlive);
    resolve(new RuntimeSocket(raw, toTransferError));
  });
  socket.on("error", reject);
  socket.once("close", () => reject(signal?.reason));
  return promise.finally(() => signal?.removeEventListener("abort", onAbort));
}

class NodeSocket implements RawSocket {
  readonly remote: string;
  readonly closed: Promise<void>;
  readonly #socket: NetSocket;
  #receiver: Receiver | undefined;
  #failure: Error | undefined;

  constructor(socket: NetSocket, address: Address, keepAlive: false | number) {
    this.#socket = socket;
    // Deno's node:net ignores the server's option.
    if (keepAlive !== false) socket.setKeepAlive(true, keepAlive);
    const { remoteAddress: host = address.host, remotePort: port = address.port } = socket;
    this.remote = formatAddress({ host, port });
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
    const socket = this.#socket;
    socket.on("end", () => receiver.onEnd());
    socket.on("error", (error) => {
      this.#failure ??= error;
      receiver.onError(error);
    });
    socket.on("close", () => receiver.onEnd());
  }

  resume(): void {
    this.#socket.resume();
  }

  onChunk(chunk: Uint8Array): boolean {
    return this.#receiver!.onChunk(chunk);
  }

  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        // The first error is more specific than 'socket destroyed'.
        if (error) reject(this.#failure ?? error);
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
