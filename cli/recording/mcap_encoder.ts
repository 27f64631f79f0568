/**
 * The bytes of an MCAP file, in pieces. `McapWriter` of `@mcap/core` ends a chunk by its size alone and
 * waits for the disk within it; this one ends a chunk when asked, and never waits.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { McapChunkBuilder, McapRecordBuilder, type McapTypes, Opcode } from "@mcap/core";
import { VERSION } from "@rcsp/rcsp";

/** What describes the messages of a channel. */
export type SchemaInfo = Omit<McapTypes.Schema, "id">;

/** A channel, before it has a number. */
export interface ChannelInfo {
  readonly topic: string;
  readonly messageEncoding: string;
  readonly schema?: SchemaInfo | undefined;
  readonly metadata?: Map<string, string>;
}

/** Opcode, length, and two offsets. */
const FOOTER_BEFORE_CRC = 1 + 8 + 8 + 8;
// Node before 22.2 has none; 0 says that a checksum was not computed.
const crc32: (data: Uint8Array, before?: number) => number = zlib.crc32 ?? (() => 0);

/** Every method that returns bytes returns the next ones of the file. */
export class McapEncoder {
  readonly #records = new McapRecordBuilder();
  readonly #chunk = new McapChunkBuilder({});
  readonly #channels: McapTypes.Channel[] = [];
  readonly #schemas = new Map<SchemaInfo, McapTypes.Schema>();
  /** The channels and schemas that the file has already. */
  readonly #written = new Set<unknown>();
  readonly #sequences: number[] = [];
  readonly #chunks: McapTypes.ChunkIndex[] = [];
  readonly #metadata: McapTypes.MetadataIndex[] = [];
  readonly #attachments: McapTypes.AttachmentIndex[] = [];
  readonly #times = { first: 0n, last: 0n };
  #offset = 0;
  #crc = 0;

  /** Messages so far. */
  messages = 0;

  /** Bytes of the chunk that is not complete. */
  get pending(): number {
    return this.#chunk.byteLength;
  }

  /** The first bytes of the file. */
  start(profile = ""): Uint8Array {
    this.#records.writeMagic();
    this.#records.writeHeader({ profile, library: `rcsp ${VERSION}` });
    return this.#take();
  }

  /** Adds a channel; returns its number. */
  addChannel({ topic, messageEncoding, schema, metadata = new Map() }: ChannelInfo): number {
    const id = this.#channels.length;
    const schemaId = schema === undefined ? 0 : this.#schema(schema).id;
    this.#channels.push({ id, schemaId, topic, messageEncoding, metadata });
    this.#sequences.push(0);
    return id;
  }

  /** Adds a message to the chunk. Times are nanoseconds since 1970. */
  addMessage(channelId: number, logTime: bigint, publishTime: bigint, data: Uint8Array): void {
    const channel = this.#channels[channelId]!;
    if (!this.#written.has(channel)) {
      const schema = [...this.#schemas.values()].find(({ id }) => id === channel.schemaId);
      if (schema !== undefined && !this.#written.has(schema)) this.#chunk.addSchema(schema);
      this.#chunk.addChannel(channel);
      this.#written.add(schema).add(channel);
    }
    const sequence = this.#sequences[channelId]!++ >>> 0;
    this.#chunk.addMessage({ channelId, sequence, logTime, publishTime, data });
    if (this.messages++ === 0) this.#times.first = logTime;
    if (logTime < this.#times.first) this.#times.first = logTime;
    if (logTime > this.#times.last) this.#times.last = logTime;
  }

  /** Ends the chunk; nothing if it is empty. */
  flush(): Uint8Array {
    const chunk = this.#chunk;
    if (chunk.numMessages === 0) return new Uint8Array(0);
    const records = chunk.buffer;
    const { messageStartTime, messageEndTime } = chunk;
    const size = BigInt(records.length);
    const chunkLength = this.#records.writeChunk({
      messageStartTime,
      messageEndTime,
      uncompressedSize: size,
      uncompressedCrc: crc32(records),
      compression: "",
      records,
    });
    const chunkStartOffset = BigInt(this.#offset);
    const messageIndexOffsets = new Map<number, bigint>();
    let messageIndexLength = 0n;
    for (const index of chunk.indices) {
      messageIndexOffsets.set(
        index.channelId,
        chunkStartOffset + chunkLength + messageIndexLength,
      );
      messageIndexLength += this.#records.writeMessageIndex(index);
    }
    this.#chunks.push({
      messageStartTime,
      messageEndTime,
      chunkStartOffset,
      chunkLength,
      messageIndexOffsets,
      messageIndexLength,
      compression: "",
      compressedSize: size,
      uncompressedSize: size,
    });
    chunk.reset();
    return this.#take();
  }

  /** A record of names and values. */
  metadata(metadata: McapTypes.Metadata): Uint8Array {
    const offset = BigInt(this.#offset);
    const length = this.#records.writeMetadata(metadata);
    this.#metadata.push({ offset, length, name: metadata.name });
    return this.#take();
  }

  /** A file within the file. */
  attachment({ data, ...about }: McapTypes.Attachment): Uint8Array {
    const offset = BigInt(this.#offset);
    const length = this.#records.writeAttachment({ ...about, data });
    this.#attachments.push({ ...about, offset, length, dataSize: BigInt(data.length) });
    return this.#take();
  }

  /** The last chunk, and the index of all. */
  end(): Uint8Array[] {
    const last = this.flush();
    this.#records.writeDataEnd({ dataSectionCrc: this.#crc });
    const dataEnd = this.#take();
    const summaryStart = this.#offset;
    const summary = this.#summary(summaryStart);
    return [last, dataEnd, summary];
  }

  #summary(summaryStart: number): Uint8Array {
    const records = this.#records;
    const offsets = this.#groups().map(([groupOpcode, writers]) => {
      const start = records.length;
      for (const write of writers) write();
      const groupStart = BigInt(summaryStart + start);
      return { groupOpcode, groupStart, groupLength: BigInt(records.length - start) };
    });
    const summaryOffsetStart = BigInt(summaryStart + records.length);
    for (const offset of offsets) {
      if (offset.groupLength > 0n) records.writeSummaryOffset(offset);
    }
    const footer = { summaryStart: BigInt(summaryStart), summaryOffsetStart, summaryCrc: 0 };
    const start = records.length;
    records.writeFooter(footer);
    // The checksum covers the summary up to its own place.
    const summary = records.buffer.subarray(0, start + FOOTER_BEFORE_CRC);
    records.reset();
    records.writeFooter({ ...footer, summaryCrc: crc32(summary) });
    records.writeMagic();
    return Buffer.concat([summary.subarray(0, start), records.buffer]);
  }

  /** The records of the summary, by their kind. */
  #groups(): [Opcode, (() => unknown)[]][] {
    const records = this.#records;
    const all = <T>(items: Iterable<T>, write: (item: T) => unknown) =>
      Array.from(items, (item) => () => write(item));
    return [
      [Opcode.SCHEMA, all(this.#schemas.values(), (schema) => records.writeSchema(schema))],
      [Opcode.CHANNEL, all(this.#channels, (channel) => records.writeChannel(channel))],
      [Opcode.STATISTICS, [() => records.writeStatistics(this.#statistics())]],
      [Opcode.METADATA_INDEX, all(this.#metadata, (index) => records.writeMetadataIndex(index))],
      [
        Opcode.ATTACHMENT_INDEX,
        all(this.#attachments, (index) => records.writeAttachmentIndex(index)),
      ],
      [Opcode.CHUNK_INDEX, all(this.#chunks, (index) => records.writeChunkIndex(index))],
    ];
  }

  #statistics(): McapTypes.Statistics {
    return {
      messageCount: BigInt(this.messages),
      schemaCount: this.#schemas.size,
      channelCount: this.#channels.length,
      attachmentCount: this.#attachments.length,
      metadataCount: this.#metadata.length,
      chunkCount: this.#chunks.length,
      messageStartTime: this.#times.first,
      messageEndTime: this.#times.last,
      channelMessageCounts: new Map(this.#sequences.map((count, id) => [id, BigInt(count)])),
    };
  }

  #schema(info: SchemaInfo): McapTypes.Schema {
    const known = this.#schemas.get(info);
    if (known !== undefined) return known;
    const schema = { ...info, id: this.#schemas.size + 1 };
    this.#schemas.set(info, schema);
    return schema;
  }

  #take(): Uint8Array {
    const bytes = this.#records.buffer;
    this.#records.reset();
    this.#offset += bytes.length;
    this.#crc = crc32(bytes, this.#crc);
    return bytes;
  }
}
