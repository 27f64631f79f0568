/**
 * A socket of anything web-shaped: WinterTC sockets, WebTransport streams, a pair of
 * `TransformStream`s. Free of any runtime.
 *
 * @module
 */

import { GuardedSocket } from "./guarded_socket.ts";
import type { RawSocket } from "./raw_socket.ts";
import type { Socket } from "./socket.ts";

/** Both halves of a connection as web streams, and where it leads to. */
export interface StreamPair {
  /** What the other side sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes to the other side. */
  readonly writable: WritableStream<Uint8Array>;
  /** The other end in words, for messages: `a stream` unless told. */
  readonly remote?: string | undefined;
}

/**
 * Makes a {@linkcode Socket} of two web streams and locks both. `close()` cancels the one and
 * aborts the other; an empty chunk is passed over; a chunk that is no `Uint8Array`, such as a
 * WebSocket's text, breaks the connection (`connection-failed`).
 *
 * A break that nobody reads or writes into is noticed by the next `read()` or `write()`.
 *
 * Throws a `TypeError` if one of them is locked.
 */
export function fromStreams({ readable, writable, remote = "a stream" }: StreamPair): Socket {
  return new GuardedSocket(new StreamSocket(readable.getReader(), writable.getWriter(), remote));
}

class StreamSocket implements RawSocket {
  readonly remote: string;
  readonly #end = Promise.withResolvers<void>();
  readonly closed: Promise<void> = this.#end.promise;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    remote: string,
  ) {
    this.#reader = reader;
    this.#writer = writer;
    this.remote = remote;
  }

  async read(): Promise<Uint8Array | null> {
    while (true) {
      const { done, value } = await this.#reader.read();
      if (done) return null;
      if (!(value instanceof Uint8Array)) {
        throw new TypeError(`Cannot read a chunk that is no Uint8Array: received ${typeof value}`);
      }
      if (value.length > 0) return value;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#writer.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#writer.close();
  }

  close(): void {
    // A stream that has ended or broken rejects these, which changes nothing: it is gone.
    this.#reader.cancel().catch(() => {});
    this.#writer.abort().catch(() => {});
    this.#end.resolve();
  }
}
