/**
 * The bytes of an MCAP file, in pieces. `McapWriter` of `@mcap/core` ends a chunk by its size alone and
 * waits for the disk within it; this one ends a chunk when asked, and never waits.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import zlib from "node:zlib";
import { McapChunkBuilder, McapRecordBuilder, type McapTypes } from "@mcap/core";
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
const NO_TIMES = { messageStartTime: 0n, messageEndTime: 0n };
// Node before 22.2 has none; 0 says that a checksum was not computed.
const crc32: (data: Uint8Array, before?: number) => number = zlib.crc32 ?? (() => 0);

/** Every method that returns bytes returns the next ones of the file. */
export class McapEncoder {
  readonly #records = new McapRecordBuilder();
  readonly #chunk = new McapChunkBuilder({});
  readonly #channels: McapTypes.Channel[] = [];
  readonly #schemas = new Map<SchemaInfo, McapTypes.Schema>();
  readonly #sequences: number[] = [];
  readonly #chunks: McapTypes.ChunkIndex[] = [];
  readonly #metadata: McapTypes.MetadataIndex[] = [];
  readonly #attachments: McapTypes.AttachmentIndex[] = [];
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

  /** Adds a channel to the chunk; returns its number. A message of it must follow. */
  addChannel({ topic, messageEncoding, schema, metadata = new Map() }: ChannelInfo): number {
    const id = this.#channels.length;
    const schemaId = schema === undefined ? 0 : this.#addSchema(schema);
    const channel = { id, schemaId, topic, messageEncoding, metadata };
    this.#channels.push(channel);
    this.#chunk.addChannel(channel);
    this.#sequences.push(0);
    return id;
  }

  /** Adds a message to the chunk. Times are nanoseconds since 1970. */
  addMessage(channelId: number, logTime: bigint, publishTime: bigint, data: Uint8Array): void {
    const sequence = this.#sequences[channelId]!++ >>> 0;
    this.#chunk.addMessage({ channelId, sequence, logTime, publishTime, data });
    this.messages++;
  }

  /** Ends the chunk; nothing if it is empty. */
  flush(): Uint8Array {
    const chunk = this.#chunk;
    if (chunk.numMessages === 0) return new Uint8Array(0);
    const records = chunk.buffer;
    const { messageStartTime, messageEndTime } = chunk;
    const about = {
      messageStartTime,
      messageEndTime,
      uncompressedSize: BigInt(records.length),
      compression: "",
    };
    const chunkStartOffset = BigInt(this.#offset);
    const uncompressedCrc = crc32(records);
    const chunkLength = this.#records.writeChunk({ ...about, uncompressedCrc, records });
    const messageIndexOffsets = new Map<number, bigint>();
    for (const index of chunk.indices) {
      messageIndexOffsets.set(index.channelId, chunkStartOffset + BigInt(this.#records.length));
      this.#records.writeMessageIndex(index);
    }
    this.#chunks.push({
      ...about,
      chunkStartOffset,
      chunkLength,
      messageIndexOffsets,
      messageIndexLength: BigInt(this.#records.length) - chunkLength,
      compressedSize: about.uncompressedSize,
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
  end(): Uint8Array {
    const last = this.flush();
    this.#records.writeDataEnd({ dataSectionCrc: this.#crc });
    return Buffer.concat([last, this.#take(), this.#summary(BigInt(this.#offset))]);
  }

  #summary(summaryStart: bigint): Uint8Array {
    const records = this.#records;
    for (const schema of this.#schemas.values()) records.writeSchema(schema);
    for (const channel of this.#channels) records.writeChannel(channel);
    records.writeStatistics(this.#statistics());
    for (const index of this.#metadata) records.writeMetadataIndex(index);
    for (const index of this.#attachments) records.writeAttachmentIndex(index);
    for (const index of this.#chunks) records.writeChunkIndex(index);
    const footer = { summaryStart, summaryOffsetStart: 0n, summaryCrc: 0 };
    const length = records.length;
    records.writeFooter(footer);
    // The checksum covers the summary up to its own place.
    const summary = records.buffer.subarray(0, length + FOOTER_BEFORE_CRC);
    records.reset();
    records.writeFooter({ ...footer, summaryCrc: crc32(summary) });
    records.writeMagic();
    return Buffer.concat([summary.subarray(0, length), records.buffer]);
  }

  #statistics(): McapTypes.Statistics {
    const [first, ...others] = this.#chunks;
    let { messageStartTime, messageEndTime } = first ?? NO_TIMES;
    for (const { messageStartTime: start, messageEndTime: end } of others) {
      if (start < messageStartTime) messageStartTime = start;
      if (end > messageEndTime) messageEndTime = end;
    }
    return {
      messageCount: BigInt(this.messages),
      schemaCount: this.#schemas.size,
      channelCount: this.#channels.length,
      attachmentCount: this.#attachments.length,
      metadataCount: this.#metadata.length,
      chunkCount: this.#chunks.length,
      messageStartTime,
      messageEndTime,
      channelMessageCounts: new Map(this.#sequences.map((count, id) => [id, BigInt(count)])),
    };
  }

  #addSchema(info: SchemaInfo): number {
    const known = this.#schemas.get(info);
    if (known !== undefined) return known.id;
    const schema = { ...info, id: this.#schemas.size + 1 };
    this.#schemas.set(info, schema);
    this.#chunk.addSchema(schema);
    return schema.id;
  }

  #take(): Uint8Array {
    const bytes = this.#records.buffer;
    this.#records.reset();
    this.#offset += bytes.length;
    this.#crc = crc32(bytes, this.#crc);
    return bytes;
  }
}
