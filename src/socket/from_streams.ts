/**
 * A socket from web streams: WinterTC sockets, WebTransport streams, a pair of `TransformStream`s.
 *
 * @module
 */

import { ReadLoop } from "./read_loop.ts";
import { type RawSocket, type Receiver, RuntimeSocket, type Socket } from "./socket.ts";

/** Both directions of a connection as web streams. */
export interface StreamPair {
  /** The bytes that the other side sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** The bytes for the other side. */
  readonly writable: WritableStream<Uint8Array>;
  /** The other end, for messages. Default: `a stream`. */
  readonly remote?: string | undefined;
}

/**
 * Makes a {@linkcode Socket} from two web streams and locks both. `close()` cancels the one and aborts
 * the other. Empty chunks are skipped; a chunk that is not a `Uint8Array`, such as a WebSocket's text,
 * breaks the connection (`connection-failed`).
 *
 * Throws a `TypeError` if a stream is locked.
 */
export function fromStreams({ readable, writable, remote = "a stream" }: StreamPair): Socket {
  // Before either is locked: a failure must leave the other as it is.
  if (readable.locked || writable.locked) {
    throw new TypeError("Cannot make a socket of a locked stream");
  }
  return new RuntimeSocket(new StreamSocket(readable.getReader(), writable.getWriter(), remote));
}

class StreamSocket implements RawSocket {
  readonly remote: string;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #loop: ReadLoop | undefined;

  constructor(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    remote: string,
  ) {
    this.#reader = reader;
    this.#writer = writer;
    this.remote = remote;
  }

  start(receiver: Receiver): void {
    this.#loop = new ReadLoop(() => this.#read(), receiver);
    this.#loop.resume();
  }

  resume(): void {
    this.#loop?.resume();
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#writer.close();
  }

  close(): void {
    // A stream that has ended or broken rejects these, which changes nothing.
    this.#reader.cancel().catch(() => {});
    this.#writer.abort().catch(() => {});
    this.#end.resolve();
  }

  async #read(): Promise<Uint8Array | null> {
    const { done, value } = await this.#reader.read();
    if (done) return null;
    if (value instanceof Uint8Array) return value;
    throw new TypeError(`Cannot read a chunk that is not a Uint8Array: received ${typeof value}`);
  }
}
