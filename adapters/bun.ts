/**
 * TCP sockets on Bun.
 *
 * @module
 */

import { formatAddress, listenAddress } from "../src/socket/address.ts";
import { dial } from "../src/socket/dial.ts";
import { connectionError, toConnectionError, toTransferError } from "../src/socket/errors.ts";
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
  WRITTEN,
} from "../src/socket/socket.ts";
import type { BunNativeSocket, BunOptions, BunSockets } from "./bun_types.ts";

/**
 * Opens a socket with `Bun.connect`.
 *
 * An aborted attempt rejects immediately, but Bun cannot cancel it: if the host does not answer at all,
 * the attempt keeps the process alive until the system's timeout. The connector of `@rcsp/rcsp/node` does
 * not have this limit, on Bun either.
 */
export const connector: Connector = async (address, options = {}): Promise<Socket> => {
  const keepAlive = keepAliveDelay(options.keepAlive);
  return await dial(
    address,
    options.signal,
    async (to) => (await Bun.connect(bunOptions(to, keepAlive))).data.socket,
  );
};

/** Listens with `Bun.listen`. */
// deno-lint-ignore require-await -- so that it rejects instead of throwing
export const listen: Listen = async (options, onSocket): Promise<Listener> => {
  const { host, port } = listenAddress(options);
  const keepAlive = keepAliveDelay(options.keepAlive);
  try {
    const listener = Bun.listen(bunOptions({ host, port }, keepAlive, onSocket));
    const close = (): Promise<void> => Promise.resolve(listener.stop());
    return { address: { host, port: listener.port }, close };
  } catch (cause) {
    throw toConnectionError(cause, "listen", formatAddress({ host, port }));
  }
};

const { Bun } = globalThis as unknown as { Bun: BunSockets<BunSocket> };

function bunOptions(
  { host, port }: Address,
  keepAlive: false | number,
  onSocket?: (socket: Socket) => void,
): BunOptions<BunSocket> {
  const socket: BunOptions<BunSocket>["socket"] = {
    open: (native) => {
      native.data = new BunSocket(native, keepAlive);
      onSocket?.(native.data.socket);
    },
    // Uint8Array instead of Buffer.
    binaryType: "uint8array",
    data: (native, chunk) => native.data.onData(chunk),
    drain: (native) => native.data.flush(),
    end: (native) => native.data.receiver.onEnd(),
    error: (native, error) => native.data.onClose(error),
    close: (native, error) => native.data.onClose(error),
  };
  return { hostname: host, port, allowHalfOpen: true, socket };
}

class BunSocket implements RawSocket {
  readonly remote: string;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  readonly #native: BunNativeSocket<BunSocket>;
  #unsent: (PromiseWithResolvers<void> & { bytes: Uint8Array; sent: number }) | undefined;
  #failure: Error | undefined;
  declare receiver: Receiver;
  /** Created in the constructor: the receiver must be set before the first chunk. */
  readonly socket: Socket;

  constructor(native: BunNativeSocket<BunSocket>, keepAlive: false | number) {
    this.#native = native;
    // After an immediate reset the address is unknown.
    const { remoteAddress: host = "unknown", remotePort: port = 0 } = native;
    this.remote = formatAddress({ host, port });
    native.setNoDelay(true);
    if (keepAlive !== false) native.setKeepAlive(true, keepAlive);
    this.socket = new RuntimeSocket(this, toTransferError);
  }

  start(receiver: Receiver): void {
    this.receiver = receiver;
  }

  resume(): void {
    this.#native.resume();
  }

  write(bytes: Uint8Array): Promise<void> {
    const sent = this.#native.write(bytes, 0, bytes.length);
    if (sent === bytes.length) return WRITTEN;
    const unsent = this.#unsent = { ...Promise.withResolvers<void>(), bytes, sent };
    if (sent < 0) this.#rejectUnsent();
    return unsent.promise;
  }

  closeWrite(): Promise<void> {
    this.#native.shutdown();
    return Promise.resolve();
  }

  close(): void {
    this.#native.end();
  }

  onData(chunk: Uint8Array): void {
    if (!this.receiver.onChunk(chunk)) this.#native.pause();
  }

  /** Called on drain: writes as much as the socket accepts. */
  flush(): void {
    const unsent = this.#unsent;
    if (unsent === undefined) return;
    const { bytes, sent } = unsent;
    const written = this.#native.write(bytes, sent, bytes.length - sent);
    if (written < 0) return this.#rejectUnsent();
    unsent.sent += written;
    if (unsent.sent < bytes.length) return;
    this.#unsent = undefined;
    unsent.resolve();
  }

  onClose(error: Error | undefined): void {
    this.#failure ??= error;
    if (error === undefined) this.receiver.onEnd();
    else this.receiver.onError(error);
    this.#rejectUnsent();
    this.#end.resolve();
  }

  #rejectUnsent(): void {
    const reset = connectionError("connection-reset", "transfer", this.remote);
    this.#unsent?.reject(this.#failure ?? reset);
    this.#unsent = undefined;
  }
}
