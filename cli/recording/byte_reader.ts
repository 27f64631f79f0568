/**
 * Bytes that come in pieces, read by length. Nothing is allocated for bytes that do not come.
 *
 * @module
 */

import { Buffer } from "node:buffer";

export class ByteReader {
  /** Bytes read so far. */
  offset = 0;
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** The next bytes, valid until the next read; `undefined` if there are not as many. */
  async read(length: number): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = [];
    for (let missing = length;;) {
      const part = this.#take(missing);
      missing -= part.length;
      parts.push(part);
      if (missing === 0) return parts.length === 1 ? part : Buffer.concat(parts);
      if (!await this.#next()) return undefined;
    }
  }

  /** Passes over the next bytes; `undefined` if there are not as many. */
  async skip(length: bigint): Promise<true | undefined> {
    for (let missing = length;;) {
      const most = missing < this.#rest.length ? Number(missing) : this.#rest.length;
      missing -= BigInt(this.#take(most).length);
      if (missing === 0n) return true;
      if (!await this.#next()) return undefined;
    }
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #take(most: number): Uint8Array {
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    this.offset += part.length;
    return part;
  }

  async #next(): Promise<boolean> {
    const next = await this.#source.next();
    // A copy, as the source may use its memory again.
    this.#rest = next.done ? new Uint8Array(0) : new Uint8Array(next.value);
    return !next.done;
  }
}
