/**
 * Bytes that come in pieces, read by length. Nothing is allocated for bytes that do not come.
 *
 * @module
 */

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
    let missing = length;
    while (missing > this.#rest.length) {
      parts.push(this.#rest);
      missing -= this.#rest.length;
      if (!await this.#next()) {
        this.offset += length - missing;
        return undefined;
      }
    }
    parts.push(this.#rest.subarray(0, missing));
    this.#rest = this.#rest.subarray(missing);
    this.offset += length;
    return parts.length === 1 ? parts[0] : join(parts, length);
  }

  /** Passes over the next bytes; `undefined` if there are not as many. */
  async skip(length: bigint): Promise<true | undefined> {
    let missing = length;
    while (missing > BigInt(this.#rest.length)) {
      missing -= BigInt(this.#rest.length);
      this.offset += this.#rest.length;
      if (!await this.#next()) return undefined;
    }
    this.#rest = this.#rest.subarray(Number(missing));
    this.offset += Number(missing);
    return true;
  }

  /** Ends the source. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async #next(): Promise<boolean> {
    const next = await this.#source.next();
    // A copy, as the source may use its memory again.
    this.#rest = next.done ? new Uint8Array(0) : new Uint8Array(next.value);
    return !next.done;
  }
}

/** Not a `Buffer`, whose `slice()` would alias. */
function join(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
