/**
 * The records of an MCAP file that are read, and their fields, one after the other. `@mcap/core` has
 * the same, but takes 50 ms to load, which every command would wait for.
 *
 * @module
 */

/** The first bytes of a file, and the last. */
export const MAGIC: Uint8Array = Uint8Array.of(0x89, 0x4d, 0x43, 0x41, 0x50, 0x30, 0x0d, 0x0a);

/** What a record is. */
export const RecordType = {
  Header: 0x01,
  Footer: 0x02,
  Schema: 0x03,
  Channel: 0x04,
  Message: 0x05,
  Chunk: 0x06,
  Attachment: 0x09,
  Metadata: 0x0c,
  DataEnd: 0x0f,
} as const;

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
