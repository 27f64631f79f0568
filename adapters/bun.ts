/**
 * Sockets on Bun.
 *
 * @module
 */

import { formatAddress, listenAddress } from "../src/address.ts";
import type { RcspClient } from "../src/client/client.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import { keepAliveDelay } from "../src/keep_alive.ts";
import { type RawSocket, TAKEN } from "../src/raw_socket.ts";
import type { Address, Connector, Listen, Listener, Socket } from "../src/socket.ts";
import { connectionError, toConnectionError } from "../src/socket_error.ts";
import { AcceptQueue } from "./accept_queue.ts";
import type { BunNativeSocket, BunOptions, BunSockets } from "./bun_types.ts";
import { dial } from "./dial.ts";
import { Inbox } from "./inbox.ts";
import { connectBy } from "./connect.ts";
import { guard } from "./guard.ts";

/**
 * Opens a socket with `Bun.connect`.
 *
 * An attempt that is given up rejects at once, but Bun has no way to end it: where the host does not
 * answer at all, it keeps the process alive until the system gives it up. The connector of
 * `@rcsp/rcsp/node` does not, on Bun too.
 */
export const connector: Connector = async (address, options = {}): Promise<Socket> => {
  const keepAlive = keepAliveDelay(options.keepAlive);
  return await dial(address, options.signal, (to) => open(to, keepAlive));
};

/** Connects a client over `Bun.connect`; otherwise as `connect()` of `@rcsp/rcsp`. */
export function connect(options: ConnectOptions = {}): Promise<RcspClient> {
  return connectBy(connector, options);
}

/** Listens with `Bun.listen`. */
export const listen: Listen = (options): Promise<Listener> =>
  new Promise((resolve) => {
    resolve(startListening(listenAddress(options), keepAliveDelay(options?.keepAlive)));
  });

const { Bun } = globalThis as unknown as { Bun: BunSockets<BunSocket> };

async function open(address: Address, keepAlive: false | number): Promise<RawSocket> {
  return (await Bun.connect(bunOptions(address, keepAlive, () => {}))).data;
}

function startListening({ host, port }: Address, keepAlive: false | number): Listener {
  const queue = new AcceptQueue();
  const onOpen = (socket: BunSocket): void => queue.push(guard(socket));
  try {
    const listener = Bun.listen(bunOptions({ host, port }, keepAlive, onOpen));
    return queue.toListener({ host, port: listener.port }, () => listener.stop());
  } catch (cause) {
    throw toConnectionError(cause, "listen", formatAddress({ host, port }));
  }
}

function bunOptions(
  { host, port }: Address,
  keepAlive: false | number,
  onOpen: (socket: BunSocket) => void,
): BunOptions<BunSocket> {
  const socket: BunOptions<BunSocket>["socket"] = {
    open: (socket) => onOpen(socket.data = new BunSocket(socket, keepAlive)),
    // Plain arrays, where a `Buffer` would have to be made one.
    binaryType: "uint8array",
    data: (socket, chunk) => socket.data.take(chunk),
    drain: (socket) => socket.data.send(),
    end: (socket) => socket.data.inbox.end(),
    error: (socket, error) => socket.data.inbox.fail(error),
    close: (socket, error) => socket.data.gone(error),
  };
  return { hostname: host, port, allowHalfOpen: true, socket };
}

class BunSocket implements RawSocket {
  readonly inbox: Inbox = new Inbox(() => this.#socket.resume());
  readonly remote: string;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  readonly #socket: BunNativeSocket<BunSocket>;
  #unsent: (PromiseWithResolvers<void> & { bytes: Uint8Array; sent: number }) | undefined;

  constructor(socket: BunNativeSocket<BunSocket>, keepAlive: false | number) {
    this.#socket = socket;
    // A client that resets at once has no address any more.
    const { remoteAddress: host = "unknown", remotePort: port = 0 } = socket;
    this.remote = formatAddress({ host, port });
    socket.setNoDelay(true);
    if (keepAlive !== false) socket.setKeepAlive(true, keepAlive);
  }

  read(): Promise<Uint8Array | null> {
    return this.inbox.read();
  }

  write(bytes: Uint8Array): Promise<void> {
    const sent = this.#socket.write(bytes, 0, bytes.length);
    if (sent === bytes.length) return TAKEN;
    const unsent = this.#unsent = { ...Promise.withResolvers<void>(), bytes, sent };
    if (sent < 0) this.#breakOff();
    return unsent.promise;
  }

  closeWrite(): Promise<void> {
    this.#socket.shutdown();
    return Promise.resolve();
  }

  close(): void {
    this.#socket.end();
  }

  take(chunk: Uint8Array): void {
    if (!this.inbox.push(chunk)) this.#socket.pause();
  }

  /** Hands over as much as the socket takes: now, and at every drain. */
  send(): void {
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    const { bytes, sent } = unsent;
    const taken = this.#socket.write(bytes, sent, bytes.length - sent);
    if (taken < 0) return this.#breakOff();
    unsent.sent += taken;
    if (unsent.sent < bytes.length) return;
    this.#unsent = undefined;
    unsent.resolve();
  }

  gone(error: Error | undefined): void {
    if (error === undefined) this.inbox.end();
    else this.inbox.fail(error);
    this.#breakOff();
    this.#end.resolve();
  }

  #breakOff(): void {
    if (this.#unsent === undefined) return;
    const reset = connectionError("connection-reset", "transfer", this.remote);
    this.#unsent.reject(this.inbox.failure ?? reset);
    this.#unsent = undefined;
  }
}
