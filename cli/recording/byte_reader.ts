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

  /** The next bytes, few of them; `undefined` if there are not as many. */
  async read(length: number): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    const isThere = await this.pass(BigInt(length), (part) => parts.push(part));
    return isThere ? Buffer.concat(parts) : undefined;
  }

  /** Hands the next bytes over in pieces; returns whether there are as many. */
  async pass(length: bigint, onPart: (part: Uint8Array) => void): Promise<boolean> {
    for (let missing = length;;) {
      const size = missing < this.#rest.length ? Number(missing) : this.#rest.length;
      if (size > 0) onPart(this.#rest.subarray(0, size));
      this.#rest = this.#rest.subarray(size);
      this.offset += size;
      missing -= BigInt(size);
      if (missing === 0n) return true;
      const next = await this.#source.next();
      if (next.done) return false;
      // A copy, as the source may use its memory again.
      this.#rest = new Uint8Array(next.value);
    }
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
