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

/** Opens a socket to an address, or rejects with a `ConnectionError` or the signal's reason. */
export type Connector = (
  address: Address,
  options?: { signal?: AbortSignal | undefined },
) => Promise<Socket>;

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

/** Starts to listen; `host` is `127.0.0.1` and `port` any free one unless told. */
export type Listen = (options?: Partial<Address>) => Promise<Listener>;
