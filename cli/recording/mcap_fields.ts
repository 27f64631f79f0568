/**
 * The fields of a record, one after the other.
 *
 * @module
 */

const decoder = new TextDecoder();

/** Every method throws a `RangeError` beyond the end. */
export class Fields {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes of the whole record. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#skip(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#skip(8), true);
  }

  /** A view of the next bytes. */
  bytes(length: bigint): Uint8Array {
    if (length > BigInt(this.left)) throw new RangeError("Beyond the record");
    const start = this.#skip(Number(length));
    return this.#bytes.subarray(start, this.#at);
  }

  /** A view of all that is left. */
  rest(): Uint8Array {
    return this.bytes(BigInt(this.left));
  }

  /** A length, then UTF-8. */
  text(): string {
    return decoder.decode(this.bytes(BigInt(this.uint32())));
  }

  /** A length, then names and values. */
  map(): Record<string, string> {
    const fields = new Fields(this.bytes(BigInt(this.uint32())));
    const entries: [string, string][] = [];
    while (fields.left > 0) entries.push([fields.text(), fields.text()]);
    return Object.fromEntries(entries);
  }

  #skip(length: number): number {
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
