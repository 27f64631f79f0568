/**
 * Sockets on Deno.
 *
 * @module
 */

import { formatAddress, listenAddress } from "../src/address.ts";
import type { RcspClient } from "../src/client/client.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import { keepAliveDelay } from "../src/keep_alive.ts";
import type { RawSocket } from "../src/raw_socket.ts";
import type { Address, Connector, Listen, Listener, Socket } from "../src/socket.ts";
import { toConnectionError } from "../src/socket_error.ts";
import { dial } from "./dial.ts";
import { connectBy } from "./connect.ts";
import { guard } from "./guard.ts";

/** In bytes. A server has many sockets, most of them idle: theirs are smaller. */
const CONNECT_BUFFER = 64 * 1024;
const ACCEPT_BUFFER = 16 * 1024;

/**
 * Opens a socket with `Deno.connect`.
 *
 * Deno has no delay for `keepAlive`, only on and off: the first probe is sent when the system has it so,
 * often after two hours.
 */
export const connector: Connector = async (address, options = {}): Promise<Socket> => {
  const keepAlive = keepAliveDelay(options.keepAlive);
  return await dial(address, options.signal, (to, signal) => open(to, signal, keepAlive));
};

/** Connects a client over `Deno.connect`; otherwise as `connect()` of `@rcsp/rcsp`. */
export function connect(options: ConnectOptions = {}): Promise<RcspClient> {
  return connectBy(connector, options);
}

/** Listens with `Deno.listen`; `keepAlive` is as in `connector`. */
export const listen: Listen = (options): Promise<Listener> =>
  new Promise((resolve) => {
    const keepAlive = keepAliveDelay(options?.keepAlive);
    resolve(new DenoListener(start(listenAddress(options)), keepAlive));
  });

async function open(
  { host, port }: Address,
  signal: AbortSignal | undefined,
  keepAlive: false | number,
): Promise<RawSocket> {
  const conn = await Deno.connect({ hostname: host, port, ...(signal && { signal }) });
  return new DenoSocket(conn, CONNECT_BUFFER, keepAlive);
}

function start(address: Address): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: address.host, port: address.port });
  } catch (cause) {
    throw toConnectionError(cause, "listen", formatAddress(address));
  }
}

class DenoSocket implements RawSocket {
  readonly remote: string;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  readonly #conn: Deno.TcpConn;
  readonly #buffer: Uint8Array;

  constructor(conn: Deno.TcpConn, bufferSize: number, keepAlive: false | number) {
    this.#conn = conn;
    this.#buffer = new Uint8Array(bufferSize);
    this.remote = formatAddress(toAddress(conn.remoteAddr));
    try {
      conn.setNoDelay(true);
      if (keepAlive !== false) conn.setKeepAlive(true);
    } catch {
      // Some systems refuse once the other side has reset it: the first read() tells.
    }
  }

  async read(): Promise<Uint8Array | null> {
    const size = await this.#conn.read(this.#buffer);
    return size === null ? null : this.#buffer.subarray(0, size);
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
}

class DenoListener implements Listener {
  readonly address: Address;
  readonly #listener: Deno.TcpListener;
  readonly #keepAlive: false | number;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(listener: Deno.TcpListener, keepAlive: false | number) {
    this.#listener = listener;
    this.#keepAlive = keepAlive;
    this.address = toAddress(listener.addr);
  }

  accept(): Promise<Socket | null> {
    // Deno refuses a second accept() while one waits.
    const accepting = this.#last.then(() => this.#acceptNext());
    this.#last = accepting.catch(() => {});
    return accepting;
  }

  close(): void {
    this.#closed = true;
    closeQuietly(this.#listener);
  }

  async #acceptNext(): Promise<Socket | null> {
    if (this.#closed) return null;
    try {
      const conn = await this.#listener.accept();
      return guard(new DenoSocket(conn, ACCEPT_BUFFER, this.#keepAlive));
    } catch (cause) {
      if (this.#closed) return null;
      throw toConnectionError(cause, "accept", formatAddress(this.address));
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
    if (!(cause instanceof Deno.errors.BadResource)) throw cause; // closed before
  }
}
