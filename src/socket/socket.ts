/**
 * The socket contract, and the class that enforces it for every runtime.
 *
 * @module
 */

import { ConnectionError, failedError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { ReadLoop } from "./read_loop.ts";

/** A host and a port. */
export interface Address {
  /** A host name or an IP address; IPv6 with or without brackets. */
  readonly host: string;
  /** 1 to 65535; for a listener, 0 is any free port. */
  readonly port: number;
}

/**
 * A connected byte stream. Implement it to bring a transport of your own.
 *
 * - Bytes arrive in chunks of any size; a chunk is never empty.
 * - At most one `read()` and one `write()` may be pending; they are independent of each other.
 * - `close()` may be called at any time and more than once; it settles what is pending.
 */
export interface Socket {
  /**
   * Resolves with the next chunk, or with `null` after the other side has ended its half or after
   * `close()`. The chunk is valid until the next `read()`: an adapter may reuse its buffer.
   *
   * Rejects with a `ConnectionError` if the connection broke.
   */
  read(): Promise<Uint8Array | null>;
  /**
   * Sends all bytes. Resolves when the system has accepted them and more may be written. The bytes
   * must not change until then.
   *
   * Rejects with a `ConnectionError` if the connection broke or was closed.
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends this side's half after pending writes; reading goes on. Never rejects. */
  closeWrite(): Promise<void>;
  /** Ends both halves immediately. A pending `read()` resolves with `null`, a pending `write()` rejects. */
  close(): void;
  /**
   * Resolves when the socket is closed, for whatever reason. Never rejects. A broken connection may be
   * noticed only by the next read or write.
   */
  readonly closed: Promise<void>;
  /** The other end, for messages: `127.0.0.1:45451`. */
  readonly remote: string;
}

/** How the system detects that the other end of a connection is gone. */
export interface KeepAliveOptions {
  /**
   * TCP keepalive: milliseconds without anything received before the system sends the first probe, in
   * whole seconds, from 1000 to 32767000; `false` for none. Default: 10000.
   *
   * Bun and Node send ten probes, one second apart, and then end the connection: by default 20 s after
   * the other end went silent. Deno can only switch probes on or off: the system's delay applies, 2 hours
   * on most. On Deno the adapter `@rcsp/rcsp/node` supports the delay; the probes after it are the
   * system's there too.
   */
  readonly keepAlive?: false | number | undefined;
}

/** Options of a connector. */
export interface ConnectorOptions extends KeepAliveOptions {
  /** Ends the attempt. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link Listen}. */
export interface ListenOptions extends Partial<Address>, KeepAliveOptions {}

/** Opens a socket. Rejects with a `ConnectionError`, or with the signal's reason. */
export type Connector = (address: Address, options?: ConnectorOptions) => Promise<Socket>;

/** A listening port. */
export interface Listener {
  /** The address, with the actual port. */
  readonly address: Address;
  /** Stops listening; accepted sockets stay open. Resolves when the port is free. Never rejects. */
  close(): Promise<void>;
}

/**
 * Listens and calls `onSocket` for each accepted client until the listener is closed. `host` defaults to
 * `127.0.0.1`, `port` to any free port. `onError` receives what goes wrong with a single accept, such as
 * too many open files; the listener keeps listening.
 */
export type Listen = (
  address: ListenOptions,
  onSocket: (socket: Socket) => void,
  onError?: (error: ConnectionError) => void,
) => Promise<Listener>;

/** Receives the bytes of a socket, in the turn in which they arrive. Must not throw. */
export interface Receiver {
  /**
   * Receives a chunk, valid during the call only. Returns `false` to pause: nothing more is delivered,
   * not even the end, until the socket is resumed.
   */
  onChunk(chunk: Uint8Array): boolean;
  /** The other side has ended its half. */
  onEnd(): void;
  /** The connection broke. */
  onError(error: unknown): void;
}

/** What an adapter implements: a runtime's socket without the guarantees of {@link Socket}. */
export interface RawSocket {
  /** Sets the receiver, once, before anything else. Chunks may come before the first `resume()`. */
  start(receiver: Receiver): void;
  /** Delivers, until `onChunk` returns `false`; without effect while it does. */
  resume(): void;
  /** As `Socket.write`; called once at a time. Returns {@link WRITTEN} if nothing has to be awaited. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends this side's half. Called once, when no write is pending. */
  closeWrite(): Promise<void>;
  /** Closes the socket. Pending promises need not settle. May be called twice; never throws. */
  close(): void;
  /** Resolves when the socket is closed. Never rejects. */
  readonly closed: Promise<void>;
  /** The other end, for messages. */
  readonly remote: string;
  /** Whether a chunk is overwritten by the next: then `read()` pauses after each. Default: `false`. */
  readonly reusesBuffer?: boolean;
}

/** Returned by a `RawSocket.write()` that completed synchronously: callers skip their promises. */
export const WRITTEN: Promise<void> = Promise.resolve();

/**
 * Delivers the bytes of a socket to a receiver, from now on. Returns the function that resumes it after a
 * pause. Sockets of the adapters push; any other socket is read in a loop.
 */
export function receive(socket: Socket, receiver: Receiver): () => void {
  if (socket instanceof RuntimeSocket) {
    socket.receive(receiver);
    return () => socket.resume();
  }
  const loop = new ReadLoop(() => socket.read(), receiver);
  loop.resume();
  return () => loop.resume();
}

/** Enforces the contract of {@link Socket} on a {@link RawSocket}, and maps the runtime's errors. */
export class RuntimeSocket implements Socket {
  readonly #raw: RawSocket;
  readonly #toError: (cause: unknown, remote: string) => ConnectionError;
  readonly #chunks = new Fifo<Uint8Array>();
  #receiver: Receiver | undefined;
  #paused = false;
  #reading: PromiseWithResolvers<Uint8Array | null> | undefined;
  #writing: PromiseWithResolvers<void> | undefined;
  #closed = false;
  /** The first error; it is reported by everything that fails later. */
  #failure: ConnectionError | undefined;
  /** How the raw socket ended; delivered after the chunks before it. */
  #rawEnd: { readonly cause?: unknown } | undefined;
  /** What every further read settles with; `undefined` until the end is delivered. */
  #readEnd: ConnectionError | null | undefined;
  #writeEnd: Promise<void> | undefined;
  #writeEnded = false;

  /** Takes ownership of the raw socket. `toError` maps what its runtime throws. */
  constructor(
    raw: RawSocket,
    toError: (cause: unknown, remote: string) => ConnectionError = brokenError,
  ) {
    this.#raw = raw;
    this.#toError = toError;
    raw.start({
      onChunk: (chunk) => this.#onChunk(chunk),
      onEnd: () => this.#onRawEnd({}),
      onError: (cause) => this.#onRawEnd({ cause }),
    });
  }

  /** The other end, for messages. */
  get remote(): string {
    return this.#raw.remote;
  }

  /** Resolves when the socket is closed. Never rejects. */
  get closed(): Promise<void> {
    return this.#raw.closed;
  }

  /** See {@link Socket.read}. Rejects with a `TypeError` while another read is pending. */
  read(): Promise<Uint8Array | null> {
    if (this.#reading !== undefined) return Promise.reject(pendingError("read", this.remote));
    if (this.#closed) return Promise.resolve(null);
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return Promise.resolve(chunk);
    if (this.#readEnd === null) return Promise.resolve(null);
    if (this.#readEnd !== undefined) return Promise.reject(this.#readEnd);
    const reading = this.#reading = Promise.withResolvers<Uint8Array | null>();
    if (this.#rawEnd === undefined) this.#raw.resume();
    else this.#deliverEnd(this.#rawEnd);
    return reading.promise;
  }

  /** Pushes everything from now on to a receiver, instead of {@link read}. */
  receive(receiver: Receiver): void {
    this.#receiver = receiver;
    this.resume();
  }

  /** Continues after the receiver has paused. */
  resume(): void {
    this.#paused = false;
    while (!this.#paused && !this.#closed) {
      const chunk = this.#chunks.shift();
      if (chunk === undefined) break;
      this.#paused = !this.#receiver!.onChunk(chunk);
    }
    if (this.#paused || this.#closed) return;
    if (this.#rawEnd === undefined) this.#raw.resume();
    else this.#deliverEnd(this.#rawEnd);
  }

  /** See {@link Socket.write}. Rejects with a `TypeError` while another write is pending. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#writing !== undefined) return Promise.reject(pendingError("write", this.remote));
    if (this.#closed) return Promise.reject(this.#refusal("the connection is closed"));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#writeEnd !== undefined) return Promise.reject(this.#refusal("this side has ended"));
    if (bytes.length === 0) return WRITTEN;
    const written = this.#raw.write(bytes);
    if (written === WRITTEN) return WRITTEN;
    const writing = this.#writing = Promise.withResolvers<void>();
    written.then(this.#onWritten, this.#onWriteError);
    return writing.promise;
  }

  /** See {@link Socket.closeWrite}. */
  closeWrite(): Promise<void> {
    return this.#writeEnd ??= this.#endWriting();
  }

  /** See {@link Socket.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#raw.close();
    this.#takeReading()?.resolve(null);
    this.#takeWriting()?.reject(this.#refusal("the connection is closed"));
  }

  #onChunk(chunk: Uint8Array): boolean {
    if (this.#closed) return false;
    if (chunk.length === 0) return true;
    if (this.#receiver !== undefined && !this.#paused) {
      this.#paused = !this.#receiver.onChunk(chunk);
      return !this.#paused;
    }
    const reading = this.#takeReading();
    if (reading === undefined) {
      this.#chunks.push(chunk);
      return false;
    }
    reading.resolve(chunk);
    // The chunk must stay valid until the next read().
    return !this.#raw.reusesBuffer;
  }

  #onRawEnd(end: { readonly cause?: unknown }): void {
    if (this.#rawEnd !== undefined || this.#closed) return;
    this.#rawEnd = end;
    const awaited = this.#receiver === undefined ? this.#reading !== undefined : !this.#paused;
    if (awaited) this.#deliverEnd(end);
  }

  #deliverEnd(end: { readonly cause?: unknown }): void {
    if (this.#readEnd !== undefined) return;
    const broken = "cause" in end;
    // A write may notice a reset first; the end that a read sees then was not intended.
    const failure = this.#readEnd = broken ? this.#fail(end.cause) : this.#failure ?? null;
    if (broken) {
      this.#writeEnded = true;
      this.#raw.close();
    }
    const reading = this.#takeReading();
    if (failure === null) {
      reading?.resolve(null);
      this.#receiver?.onEnd();
    } else {
      reading?.reject(failure);
      this.#receiver?.onError(failure);
      if (broken) this.#takeWriting()?.reject(failure);
    }
    this.#closeIfEnded();
  }

  readonly #onWritten = (): void => this.#takeWriting()?.resolve();

  readonly #onWriteError = (cause: unknown): void => {
    // Reading goes on: what arrived before the break is still delivered.
    this.#writeEnded = true;
    this.#takeWriting()?.reject(this.#fail(cause));
    this.#closeIfEnded();
  };

  async #endWriting(): Promise<void> {
    await this.#writing?.promise.catch(() => {});
    if (this.#closed || this.#writeEnded) return;
    try {
      await Promise.race([this.#raw.closeWrite(), this.closed]);
    } catch {
      // Nothing is left to end: the next read() reports why.
    }
    this.#writeEnded = true;
    this.#closeIfEnded();
  }

  #closeIfEnded(): void {
    if (this.#readEnd !== undefined && this.#writeEnded) this.#raw.close();
  }

  #takeReading(): PromiseWithResolvers<Uint8Array | null> | undefined {
    const reading = this.#reading;
    this.#reading = undefined;
    return reading;
  }

  #takeWriting(): PromiseWithResolvers<void> | undefined {
    const writing = this.#writing;
    this.#writing = undefined;
    return writing;
  }

  #fail(cause: unknown): ConnectionError {
    return this.#failure ??= this.#toError(cause, this.remote);
  }

  #refusal(reason: string): ConnectionError {
    return new ConnectionError("connection-closed", `Cannot write to ${this.remote}: ${reason}`);
  }
}

function pendingError(action: string, remote: string): TypeError {
  return new TypeError(`Cannot ${action}: another ${action}() is pending on ${remote}`);
}

function brokenError(cause: unknown, remote: string): ConnectionError {
  return cause instanceof ConnectionError
    ? cause
    : failedError(cause, `Connection to ${remote} broke: `);
}
