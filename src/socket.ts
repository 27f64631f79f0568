/**
 * What an adapter gives: a byte stream in both directions, pulled one chunk at a time. Not reading is
 * the back-pressure.
 *
 * Free of any runtime.
 *
 * @module
 */

/** Where a socket leads to, or where a listener waits. */
export interface Address {
  /** A host name or an IP address; IPv6 is taken with or without brackets, given without. */
  readonly host: string;
  /** 1 to 65535; 0 asks a listener for any free port. */
  readonly port: number;
}

/**
 * A connected byte stream.
 *
 * - Bytes arrive in any pieces; a chunk is never empty.
 * - One `read()` and one `write()` at a time; both may wait at once.
 * - `close()` at any time, also twice; it settles what waits.
 */
export interface Socket {
  /**
   * The next chunk, or `null` when the other side has ended its half or this side called `close()`.
   * The view is valid until the next `read()`: an adapter may use its buffer again.
   *
   * Rejects with a `ConnectionError` when the connection broke.
   */
  read(): Promise<Uint8Array | null>;
  /**
   * Sends all bytes; resolves when they are handed to the system and more may be written. The bytes
   * must not change before that.
   *
   * Rejects with a `ConnectionError` when the connection broke or was closed.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends this side's half after what was written; reading goes on. Never rejects: where the
   * connection is gone already, there is nothing to end.
   */
  closeWrite(): Promise<void>;
  /** Ends both halves at once. A waiting `read()` gives `null`, a waiting `write()` rejects. */
  close(): void;
  /**
   * Resolves when the socket is gone, for whatever reason. Never rejects. That the connection broke
   * may be noticed only by the next read or write.
   */
  readonly closed: Promise<void>;
  /** The other end in words, for messages: `127.0.0.1:45451`. */
  readonly remote: string;
}

/** Options of a connector. */
export interface ConnectorOptions extends KeepAliveOptions {
  /** Ends the attempt. */
  signal?: AbortSignal | undefined;
}

/** Opens a socket to an address, or rejects with a `ConnectionError` or the signal's reason. */
export type Connector = (address: Address, options?: ConnectorOptions) => Promise<Socket>;

/** How the system finds connections whose other end is gone without a word. */
export interface KeepAliveOptions {
  /**
   * TCP keepalive: milliseconds without anything received before the system sends the first probe, in
   * whole seconds, from 1000 to 32767000; `false` for none. Default: 10000.
   *
   * Bun and Node send ten probes, one second apart, and then end the connection: by default 20 s after
   * the other end fell silent. Deno can only switch probes on or off: the system's delay holds, 2 hours
   * on most. On Deno the adapter `@rcsp/rcsp/node` heeds the delay; the probes after it are the
   * system's there too.
   */
  keepAlive?: false | number | undefined;
}

/** Waits for clients. */
export interface Listener {
  /** Where it listens, with the real port. */
  readonly address: Address;
  /**
   * The next client, or `null` after `close()`. Several may wait. Rejects with a `ConnectionError`.
   */
  accept(): Promise<Socket | null>;
  /** Stops listening; sockets that were accepted live on. */
  close(): void;
}

/** Options of `listen()`. */
export interface ListenOptions extends Partial<Address>, KeepAliveOptions {}

/** Starts to listen; `host` is `127.0.0.1` and `port` any free one unless told. */
export type Listen = (options?: ListenOptions) => Promise<Listener>;
