/**
 * The runtime's own sockets with nothing around them: what is left when a client or a server does no
 * protocol work at all.
 */

/** One end of a connection. */
export interface RawEnd {
  /** Sends bytes behind those before them; they are copied where they cannot go out at once. */
  write(bytes: Uint8Array): void;
  close(): void;
}

/** Takes what comes; the view is good during the call only. */
export type OnBytes = (bytes: Uint8Array) => void;

/** What each runtime's file gives. */
export interface RawSockets {
  connect(port: number, onBytes: OnBytes): Promise<RawEnd>;
  /** Listens on any free port; `onEnd` is given each new end and tells what takes its bytes. */
  listen(onEnd: (end: RawEnd) => OnBytes): Promise<number>;
}

/** The sockets of the runtime that this is. */
export async function rawSockets(): Promise<RawSockets> {
  if ("Deno" in globalThis) return (await import("./raw_deno.ts")).sockets;
  if ("Bun" in globalThis) return (await import("./raw_bun.ts")).sockets;
  return (await import("./raw_node.ts")).sockets;
}

/** Bytes that wait for a socket that is busy, in one buffer that grows. */
export class Backlog {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;

  /** How many wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes at the end. */
  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = length;
  }

  /** What waits; the view is good until the next call. */
  peek(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Takes all that waits, which is the caller's from then on. */
  takeAll(): Uint8Array {
    const bytes = this.peek();
    this.#bytes = new Uint8Array(64 * 1024);
    this.#length = 0;
    return bytes;
  }

  /** Lets the first bytes go. */
  drop(count: number): void {
    this.#bytes.copyWithin(0, count, this.#length);
    this.#length -= count;
  }
}
