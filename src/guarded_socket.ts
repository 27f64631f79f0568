/**
 * The rules of a {@linkcode Socket}, once for all adapters: one read and one write at a time, what
 * `close()` settles, errors that stay, and the end when both halves have ended.
 *
 * Free of any runtime.
 *
 * @module
 */

import { ConnectionError } from "./errors.ts";
import { type RawSocket, TAKEN } from "./raw_socket.ts";
import type { Socket } from "./socket.ts";

/** Makes a {@linkcode Socket} that keeps every rule out of a {@linkcode RawSocket}. */
export class GuardedSocket implements Socket {
  readonly #raw: RawSocket;
  readonly #toError: (cause: unknown, remote: string) => ConnectionError;
  #reading: PromiseWithResolvers<Uint8Array | null> | undefined;
  #writing: PromiseWithResolvers<void> | undefined;
  #closed = false;
  /** The first error: it stays. */
  #failure: ConnectionError | undefined;
  /** What every further read gives; `undefined` while more may come. */
  #readEnd: ConnectionError | null | undefined;
  #writeEnd: Promise<void> | undefined;
  #writeEnded = false;

  /** Takes the raw socket over: nobody else may use it. `toError` knows the errors of its runtime. */
  constructor(
    raw: RawSocket,
    toError: (cause: unknown, remote: string) => ConnectionError = failed,
  ) {
    this.#raw = raw;
    this.#toError = toError;
  }

  /** The other end in words. */
  get remote(): string {
    return this.#raw.remote;
  }

  /** Resolves when the socket is gone. Never rejects. */
  get closed(): Promise<void> {
    return this.#raw.closed;
  }

  /** The next chunk or `null` at the end. Rejects with a `TypeError` while another one waits. */
  read(): Promise<Uint8Array | null> {
    if (this.#reading !== undefined) return Promise.reject(alreadyWaits("read", this.remote));
    if (this.#closed || this.#readEnd === null) return Promise.resolve(null);
    if (this.#readEnd !== undefined) return Promise.reject(this.#readEnd);
    const reading = this.#reading = Promise.withResolvers<Uint8Array | null>();
    this.#raw.read().then(this.#onChunk, this.#onReadError);
    return reading.promise;
  }

  /** Sends all bytes. Rejects with a `TypeError` while another one waits. */
  write(bytes: Uint8Array): Promise<void> {
    if (this.#writing !== undefined) return Promise.reject(alreadyWaits("write", this.remote));
    if (this.#closed) return Promise.reject(this.#refusal("the connection is closed"));
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#writeEnd !== undefined) return Promise.reject(this.#refusal("this side has ended"));
    if (bytes.length === 0) return Promise.resolve();
    const taken = this.#raw.write(bytes);
    if (taken === TAKEN) return TAKEN;
    const writing = this.#writing = Promise.withResolvers<void>();
    taken.then(this.#onWritten, this.#onWriteError);
    return writing.promise;
  }

  /** Ends this side's half once a waiting write is through. Never rejects. */
  closeWrite(): Promise<void> {
    return this.#writeEnd ??= this.#endWriting();
  }

  /** Ends both halves at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#raw.close();
    this.#takeReading()?.resolve(null);
    this.#takeWriting()?.reject(this.#refusal("the connection is closed"));
  }

  // Bound once, as these go with every read and write. After close() they find nobody waiting.

  readonly #onChunk = (chunk: Uint8Array | null): void => {
    const reading = this.#takeReading();
    if (chunk !== null) return reading?.resolve(chunk);
    // A write may learn of a reset first; the end that a read sees then was not wished for.
    this.#readEnd = this.#failure ?? null;
    if (this.#readEnd === null) reading?.resolve(null);
    else reading?.reject(this.#readEnd);
    this.#closeIfEnded();
  };

  readonly #onReadError = (cause: unknown): void => {
    const failure = this.#readEnd = this.#fail(cause);
    this.#writeEnded = true;
    this.#raw.close();
    this.#takeReading()?.reject(failure);
    this.#takeWriting()?.reject(failure);
  };

  readonly #onWritten = (): void => this.#takeWriting()?.resolve();

  readonly #onWriteError = (cause: unknown): void => {
    // Reading goes on: what came before the break is still to be had.
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
      // Nothing is left to end: the next read() tells why.
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
    return new ConnectionError("connection-closed", `Cannot write to ${this.remote} as ${reason}`);
  }
}

function alreadyWaits(action: string, remote: string): TypeError {
  return new TypeError(`Cannot ${action} as another ${action}() waits on ${remote}`);
}

function failed(cause: unknown, remote: string): ConnectionError {
  if (cause instanceof ConnectionError) return cause;
  const message = `Connection to ${remote} broke: ${
    cause instanceof Error ? cause.message : cause
  }`;
  return new ConnectionError("connection-failed", message, { cause });
}
