/**
 * TCP sockets on Deno.
 *
 * @module
 */

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

/** Bytes. Smaller for a server, which may have many idle sockets. */
const CONNECT_BUFFER = 64 * 1024;
const ACCEPT_BUFFER = 16 * 1024;

/** Milliseconds between a failed accept and the next. */
const ACCEPT_PAUSE = 100;

/**
 * Opens a socket with `Deno.connect`.
 *
 * Deno can only switch `keepAlive` on or off: the first probe is sent after the system's delay, often 2 hours.
 */
export const connector: Connector = async (address, options = {}): Promise<Socket> => {
  const keepAlive = keepAliveDelay(options.keepAlive) !== false;
  return await dial(address, options.signal, async ({ host, port }, signal) => {
    const conn = await connect(host, port, signal);
    return new RuntimeSocket(new DenoSocket(conn, CONNECT_BUFFER, keepAlive), toTransferError);
  });
};

/** Listens with `Deno.listen`; for `keepAlive` see {@link connector}. */
// deno-lint-ignore require-await -- so that it rejects instead of throwing
export const listen: Listen = async (options, onSocket, onError): Promise<Listener> => {
  const requested = listenAddress(options);
  const keepAlive = keepAliveDelay(options.keepAlive) !== false;
  const listener = open(requested);
  const address = toAddress(listener.addr);
  let closed = false;
  const acceptAll = async (): Promise<void> => {
    while (!closed) {
      try {
        const conn = await listener.accept();
        onSocket(
          new RuntimeSocket(new DenoSocket(conn, ACCEPT_BUFFER, keepAlive), toTransferError),
        );
      } catch (cause) {
        if (closed) return;
        onError?.(toConnectionError(cause, "accept", formatAddress(address)));
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  };
  const accepting = acceptAll();
  return {
    address,
    close: () => {
      closed = true;
      closeQuietly(listener);
      // A pending accept() holds the port.
      return accepting;
    },
  };
};

/**
 * Deno 2.9 asks the signal once more when the socket is open: if that has aborted just then, it throws and
 * leaves the socket open, where nobody can close it. So it gets a signal that stops it but never throws;
 * `dial()` closes the socket.
 */
async function connect(
  hostname: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<Deno.TcpConn> {
  const stop = new AbortController();
  stop.signal.throwIfAborted = () => {};
  const abort = (): void => stop.abort();
  signal?.addEventListener("abort", abort);
  try {
    return await Deno.connect({ hostname, port, signal: stop.signal });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

function open(address: Address): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address.host, port: address.port });
  } catch (cause) {
    throw toConnectionError(cause, "listen", formatAddress(address));
  }
}

class DenoSocket implements RawSocket {
  readonly remote: string;
  readonly reusesBuffer = true;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  readonly #conn: Deno.TcpConn;
  readonly #buffer: Uint8Array;
  #receiver: Receiver | undefined;
  #reading = false;

  constructor(conn: Deno.TcpConn, bufferSize: number, keepAlive: boolean) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(bufferSize);
    this.remote = formatAddress(toAddress(conn.remoteAddr));
    try {
      conn.setNoDelay(true);
      if (keepAlive) conn.setKeepAlive(true);
    } catch {
      // Some systems refuse this after a reset: the first read reports it.
    }
  }

  start(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  resume(): void {
    if (!this.#reading) this.#read(this.#receiver!);
  }

  async write(bytes: Uint8Array): Promise<void> {
    let sent = await this.#conn.write(bytes);
    while (sent < bytes.length) sent += await this.#conn.write(bytes.subarray(sent));
  }

  closeWrite(): Promise<void> {
    return this.#conn.closeWrite();
  }

  close(): void {
    closeQuietly(this.#conn);
    this.#end.resolve();
  }

  /** Not a `ReadLoop`: saves a promise per chunk. */
  async #read(receiver: Receiver): Promise<void> {
    this.#reading = true;
    try {
      for (;;) {
        const size = await this.#conn.read(this.#buffer);
        if (size === null) return receiver.onEnd();
        if (!receiver.onChunk(this.#buffer.subarray(0, size))) return;
      }
    } catch (cause) {
      receiver.onError(cause);
    } finally {
      this.#reading = false;
    }
  }
}

function toAddress({ hostname, port }: Deno.NetAddr): Address {
  return { host: hostname, port };
}

function closeQuietly(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.BadResource)) throw cause; // already closed
  }
}
