/** The runtime's own sockets without any protocol: the minimum that every client and server costs. */

/** One end of a connection. */
export interface RawSocket {
  /** Writes bytes; on Deno they must not change until they are sent. */
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Receives bytes; the view is valid only during the call. */
export type OnBytes = (bytes: Uint8Array) => void;

/** The sockets of one runtime. */
export interface RawSockets {
  connect(port: number, onBytes: OnBytes): Promise<RawSocket>;
  /** Listens on a free port, which it returns; `onSocket` returns the receiver of each connection. */
  listen(onSocket: (socket: RawSocket) => OnBytes): Promise<number>;
}

/** Bytes that wait in one growing buffer. */
export class Backlog {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;

  /** Number of bytes. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes at the end. */
  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.peek());
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** All bytes; the view is valid until the next call. */
  peek(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Removes and returns all bytes. */
  takeAll(): Uint8Array {
    const bytes = this.peek();
    this.#bytes = new Uint8Array(64 * 1024);
    this.#length = 0;
    return bytes;
  }

  /** Removes bytes at the start. */
  drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}
