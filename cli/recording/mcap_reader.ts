/**
 * What there is of an MCAP file, from its start to its end: the index is not needed, and what is damaged
 * is passed over or ends the reading, with a warning. Memory follows what is read: at most one record of
 * `LONGEST_RECORD` and `MOST_DESCRIPTIONS` of channels at a time, whatever lengths a file claims.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { UsageError } from "../exit_codes.ts";
import { formatSize, quote } from "../text/values.ts";
import { ByteReader } from "./byte_reader.ts";
import type { ChannelInfo, SchemaInfo } from "./mcap_encoder.ts";
import { Fields, MAGIC, RecordType } from "./mcap_fields.ts";

/** The longest record, in bytes; one that a message of 16 MiB makes is shorter. */
const LONGEST_RECORD = 32 * 1024 * 1024;
/** Bytes of all channels and schemas together. */
const MOST_DESCRIPTIONS = 16 * 1024 * 1024;
/** Opcode and length. */
const RECORD_HEAD = 9;

/** What is read; all else is passed over. */
const WANTED: ReadonlySet<number> = new Set([
  RecordType.Header,
  RecordType.Schema,
  RecordType.Channel,
  RecordType.Message,
  RecordType.Chunk,
  RecordType.Metadata,
  RecordType.Attachment,
]);

/** A message. `data` is valid until the next item is asked for. */
export interface MessageItem {
  readonly kind: "message";
  readonly channel: ChannelInfo;
  readonly logTime: bigint;
  readonly publishTime: bigint;
  readonly data: Uint8Array;
}

/** What a file consists of. */
export type McapItem =
  | MessageItem
  | { readonly kind: "metadata"; readonly name: string; readonly values: Record<string, string> }
  | {
    readonly kind: "attachment";
    readonly name: string;
    readonly mediaType: string;
    readonly logTime: bigint;
    readonly data: Uint8Array;
  };

/** What is wrong with a file, from the offset on at which reading ended. */
class Damage extends Error {}

export class McapReader {
  /** What is wrong with the file, in sentences without a full stop. */
  readonly warnings: string[] = [];
  /** What the file says of its messages, such as `ros2`. */
  profile = "";
  /** Whether the file has its end: the index may be used. */
  isComplete = false;
  readonly #bytes: ByteReader;
  readonly #name: string;
  readonly #channels = new Map<number, ChannelInfo>();
  readonly #schemas = new Map<number, SchemaInfo>();
  #described = 0;
  #damagedChunks = 0;

  /** Creates a reader; `name` is what messages call the file. */
  constructor(source: AsyncIterable<Uint8Array>, name: string) {
    this.#bytes = new ByteReader(source);
    this.#name = name;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#bytes.offset;
  }

  /**
   * Reads everything, in the order of the file.
   *
   * @throws {UsageError} If it is not an MCAP file.
   */
  async *items(): AsyncGenerator<McapItem> {
    try {
      await this.#readMagic();
      for (;;) {
        const at = this.#bytes.offset;
        const head = await this.#bytes.read(RECORD_HEAD);
        if (head === undefined) throw new Damage(`it is cut after ${formatSize(at)}`);
        const fields = new Fields(head);
        const opcode = fields.uint8();
        const length = fields.uint64();
        if (opcode === RecordType.DataEnd || opcode === RecordType.Footer) {
          return await this.#readEnd(length);
        }
        yield* this.#record(opcode, length, at);
      }
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.warnings.push(`${this.#name} is read in part: ${error.message}`);
    } finally {
      await this.#bytes.close();
      if (this.#damagedChunks > 0) {
        this.warnings.push(`${this.#name} has ${this.#damagedChunks} damaged chunks: left out`);
      }
    }
  }

  async #readMagic(): Promise<void> {
    const magic = await this.#bytes.read(MAGIC.length);
    if (this.#bytes.offset === 0) throw new UsageError(`Cannot read ${this.#name}: it is empty`);
    if (magic === undefined || Buffer.compare(magic, MAGIC) !== 0) {
      throw new UsageError(`Cannot read ${this.#name}: it is not an MCAP file`);
    }
  }

  /** The index is not looked at; whether it is there, the last bytes say. */
  async #readEnd(length: bigint): Promise<void> {
    if (length > LONGEST_RECORD) throw new Damage("its end is damaged");
    const last = await this.#bytes.tail(MAGIC.length);
    this.isComplete = Buffer.compare(last, MAGIC) === 0;
    if (!this.isComplete) throw new Damage("its index is cut");
  }

  async *#record(opcode: number, length: bigint, at: number): AsyncGenerator<McapItem> {
    const isWanted = WANTED.has(opcode);
    if (isWanted && length > LONGEST_RECORD) {
      throw new Damage(
        `a record at byte ${at} claims ${length} bytes, more than ${LONGEST_RECORD}`,
      );
    }
    const content = isWanted
      ? await this.#bytes.read(Number(length))
      : await this.#bytes.skip(length);
    if (content === undefined) {
      throw new Damage(`it is cut within a record, after ${formatSize(at)}`);
    }
    if (content === true) return;
    yield* opcode === RecordType.Chunk ? this.#chunk(content) : this.#parse(opcode, content, at);
  }

  *#parse(opcode: number, content: Uint8Array, at: number): Generator<McapItem> {
    try {
      const item = this.#item(opcode, new Fields(content));
      if (item !== undefined) yield item;
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      throw new Damage(`a record at byte ${at} is damaged`, { cause });
    }
  }

  /** A chunk that is damaged is left out as a whole. */
  *#chunk(content: Uint8Array): Generator<McapItem> {
    const at = this.#bytes.offset - content.length;
    let records: Uint8Array;
    try {
      records = openChunk(new Fields(content));
      for (const _record of recordsOf(records));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return void this.#damagedChunks++;
    }
    for (const [opcode, record] of recordsOf(records)) yield* this.#parse(opcode, record, at);
  }

  #item(opcode: number, fields: Fields): McapItem | undefined {
    switch (opcode) {
      case RecordType.Header: {
        this.profile = fields.text();
        return undefined;
      }
      case RecordType.Schema: {
        const id = fields.uint16();
        // Other programs repeat them in each chunk.
        if (this.#schemas.has(id)) return undefined;
        this.#describe(fields.length);
        const [name, encoding] = [fields.text(), fields.text()];
        const data = fields.bytes(BigInt(fields.uint32())).slice();
        this.#schemas.set(id, { name, encoding, data });
        return undefined;
      }
      case RecordType.Channel: {
        const id = fields.uint16();
        const schema = this.#schemas.get(fields.uint16());
        const [topic, encoding] = [fields.text(), fields.text()];
        const known = this.#channels.get(id);
        if (known !== undefined && known.topic !== topic) {
          throw new Damage(`channel ${id} is both ${quote(known.topic)} and ${quote(topic)}`);
        }
        if (known !== undefined) return undefined;
        this.#describe(fields.length);
        this.#channels.set(id, { topic, encoding, schema, metadata: fields.map() });
        return undefined;
      }
      case RecordType.Message: {
        const channel = this.#channels.get(fields.uint16());
        fields.uint32();
        const [logTime, publishTime] = [fields.uint64(), fields.uint64()];
        if (channel === undefined) throw new RangeError("No such channel");
        return { kind: "message", channel, logTime, publishTime, data: fields.rest() };
      }
      case RecordType.Metadata: {
        return { kind: "metadata", name: fields.text(), values: fields.map() };
      }
      case RecordType.Attachment: {
        const logTime = fields.uint64();
        fields.uint64();
        const [name, mediaType] = [fields.text(), fields.text()];
        const data = fields.bytes(fields.uint64());
        return { kind: "attachment", name, mediaType, logTime, data };
      }
    }
    return undefined;
  }

  #describe(length: number): void {
    this.#described += length;
    if (this.#described <= MOST_DESCRIPTIONS) return;
    throw new Damage(`its channels take more than ${formatSize(MOST_DESCRIPTIONS)}`);
  }
}

function* recordsOf(bytes: Uint8Array): Generator<[opcode: number, content: Uint8Array]> {
  const fields = new Fields(bytes);
  while (fields.left > 0) yield [fields.uint8(), fields.bytes(fields.uint64())];
}

/** The records of a chunk as bytes. Throws a `RangeError` if it is damaged. */
function openChunk(fields: Fields): Uint8Array {
  fields.bytes(16n);
  const size = fields.uint64();
  const crc = fields.uint32();
  const compression = fields.text();
  const stored = fields.bytes(fields.uint64());
  if (size > LONGEST_RECORD) throw new Damage(`a chunk claims ${size} bytes`);
  const records = decompress(stored, compression, Number(size));
  if (crc !== 0 && zlib.crc32 !== undefined && zlib.crc32(records) !== crc) {
    throw new RangeError("Wrong checksum");
  }
  return records;
}

function decompress(stored: Uint8Array, compression: string, size: number): Uint8Array {
  if (compression === "") return stored;
  if (compression === "zstd" && zlib.zstdDecompressSync !== undefined) {
    try {
      return zlib.zstdDecompressSync(stored, { maxOutputLength: Math.max(size, 1) });
    } catch (cause) {
      throw new RangeError("Cannot decompress", { cause });
    }
  }
  throw new Damage(`its chunks are compressed with ${quote(compression)}, which rcsp cannot read`);
}
