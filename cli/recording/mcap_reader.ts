/**
 * What there is of an MCAP file, from its start to its end: the index is not needed, and what is damaged
 * is passed over or ends the reading, with a warning. `@mcap/core` reads each record. It would wait for
 * the bytes of any length that a file claims, and ends at the first damage; so the lengths are checked
 * here before, and after a damaged chunk it begins again. Memory follows what is read: at
 * most one record of `LONGEST_RECORD` and `MOST_DESCRIPTIONS` of channels at a time.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import {
  MCAP_MAGIC,
  McapRecordBuilder,
  McapStreamReader,
  type McapTypes,
  Opcode,
} from "@mcap/core";
import { UsageError } from "../exit_codes.ts";
import { formatSize, quote } from "../text/values.ts";
import { ByteReader } from "./byte_reader.ts";
import type { ChannelInfo, SchemaInfo } from "./mcap_encoder.ts";

/** The longest record, in bytes; one that a message of 16 MiB makes is shorter. */
const LONGEST_RECORD = 32 * 1024 * 1024;
/** Bytes of all channels and schemas together. */
const MOST_DESCRIPTIONS = 16 * 1024 * 1024;
/** Bytes of channels that are read again after damaged chunks. */
const MOST_REPEATED = 64 * 1024 * 1024;
/** Opcode and length. */
const RECORD_HEAD = 9;
/** Two offsets and a checksum. */
const FOOTER_LENGTH = 20;

/** What is read; all else is passed over. */
const WANTED: ReadonlySet<number> = new Set([
  Opcode.HEADER,
  Opcode.SCHEMA,
  Opcode.CHANNEL,
  Opcode.MESSAGE,
  Opcode.CHUNK,
  Opcode.METADATA,
  Opcode.ATTACHMENT,
]);

type Records = McapTypes.TypedMcapRecords;

/** A message, with what describes it. */
export type MessageItem = Records["Message"] & { readonly channel: ChannelInfo };

/** What a file consists of. */
export type McapItem = MessageItem | Records["Metadata"] | Records["Attachment"];

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
  readonly #channels = new Map<number, McapTypes.Channel & ChannelInfo>();
  readonly #schemas = new Map<number, SchemaInfo>();
  #parser = newParser();
  #described = 0;
  #repeated = 0;
  #damaged = 0;

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
      if (!await this.#readMagic()) {
        const reason = this.#bytes.offset === 0 ? "it is empty" : "it is not an MCAP file";
        throw new UsageError(`Cannot read ${this.#name}: ${reason}`);
      }
      while (!this.isComplete) yield* await this.#readRecord();
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.warnings.push(`${this.#name} is read in part: ${error.message}`);
    } finally {
      await this.#bytes.close();
      if (this.#damaged > 0) {
        const what = `Damaged chunks and attachments left out of ${this.#name}`;
        this.warnings.push(`${what}: ${this.#damaged}`);
      }
    }
  }

  async #readMagic(): Promise<boolean> {
    const magic = await this.#bytes.read(MCAP_MAGIC.length);
    return magic !== undefined && Buffer.compare(magic, Uint8Array.from(MCAP_MAGIC)) === 0;
  }

  async #readRecord(): Promise<Iterable<McapItem>> {
    const at = this.#bytes.offset;
    const head = await this.#bytes.read(RECORD_HEAD);
    if (head === undefined) throw new Damage(`it is cut after ${formatSize(at)}`);
    const opcode = head[0]!;
    const length = head.readBigUInt64LE(1);
    const isWanted = WANTED.has(opcode);
    if (isWanted && length > LONGEST_RECORD) {
      throw new Damage(
        `a record at byte ${at} claims ${length} bytes, more than ${LONGEST_RECORD}`,
      );
    }
    // In pieces, so that a long record is not in memory once more.
    const feed = (part: Uint8Array): void => {
      if (isWanted) this.#parser.append(part);
    };
    feed(head);
    if (!await this.#bytes.pass(length, feed)) {
      throw new Damage(`it is cut within a record, after ${formatSize(at)}`);
    }
    if (opcode === Opcode.FOOTER) {
      this.isComplete = length === BigInt(FOOTER_LENGTH) && await this.#readMagic();
      if (!this.isComplete) throw new Damage("its end is damaged");
    }
    return isWanted ? this.#parse(opcode, at) : [];
  }

  *#parse(opcode: number, at: number): Generator<McapItem> {
    try {
      for (let found = this.#parser.nextRecord(); found; found = this.#parser.nextRecord()) {
        const item = this.#item(found);
        if (item !== undefined) yield item;
      }
    } catch (cause) {
      if (cause instanceof Damage) throw cause;
      if (opcode !== Opcode.CHUNK && opcode !== Opcode.ATTACHMENT) {
        throw new Damage(`a record at byte ${at} is damaged`, { cause });
      }
      this.#damaged++;
      this.#beginAgain();
    }
  }

  #item(record: McapTypes.TypedMcapRecord): McapItem | undefined {
    switch (record.type) {
      case "Chunk":
        return checkChunk(record);
      case "Header":
        this.profile = record.profile;
        return undefined;
      case "Schema": {
        // Other programs repeat them in each chunk.
        if (this.#schemas.has(record.id)) return undefined;
        this.#describe(record.data.length, record.name, record.encoding);
        this.#schemas.set(record.id, record);
        return undefined;
      }
      case "Channel": {
        if (this.#channels.has(record.id)) return undefined;
        const { topic, messageEncoding, metadata, schemaId } = record;
        this.#describe(0, topic, messageEncoding, ...metadata.keys(), ...metadata.values());
        this.#channels.set(record.id, { ...record, schema: this.#schemas.get(schemaId) });
        return undefined;
      }
      case "Message":
        return { ...record, channel: this.#channels.get(record.channelId)! };
      case "Metadata":
      case "Attachment":
        return record;
    }
    return undefined;
  }

  #describe(length: number, ...texts: string[]): void {
    this.#described += texts.reduce((sum, text) => sum + text.length, length);
    if (this.#described <= MOST_DESCRIPTIONS) return;
    throw new Damage(`its channels take more than ${formatSize(MOST_DESCRIPTIONS)}`);
  }

  /** The parser cannot be used after an error; the next one must know the channels. */
  #beginAgain(): void {
    const records = new McapRecordBuilder();
    for (const channel of this.#channels.values()) records.writeChannel(channel);
    this.#repeated += records.length;
    if (this.#repeated > MOST_REPEATED) throw new Damage("too many of its chunks are damaged");
    this.#parser = newParser();
    this.#parser.append(records.buffer);
    while (this.#parser.nextRecord() !== undefined);
  }
}

function newParser(): McapStreamReader {
  const zstd = zlib.zstdDecompressSync;
  return new McapStreamReader({
    includeChunks: true,
    noMagicPrefix: true,
    decompressHandlers: {
      zstd: (bytes, size) => zstd(bytes, { maxOutputLength: Math.max(Number(size), 1) }),
    },
  });
}

/** Before it is decompressed. */
function checkChunk({ uncompressedSize, compression }: Records["Chunk"]): undefined {
  if (uncompressedSize > LONGEST_RECORD) {
    throw new Damage(`a chunk claims ${uncompressedSize} bytes`);
  }
  if (compression === "" || compression === "zstd" && zlib.zstdDecompressSync !== undefined) return;
  throw new Damage(`its chunks are compressed with ${quote(compression)}, which rcsp cannot read`);
}
