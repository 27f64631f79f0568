/**
 * One MCAP file that is being written. What the disk does not take in time is dropped and counted;
 * nothing waits for it.
 *
 * @module
 */

import type { Clock } from "../process/io.ts";
import { FileWriter, type NamedFile } from "./file_writer.ts";
import { type ChannelInfo, McapEncoder } from "./mcap_encoder.ts";
import { METADATA_NAME } from "./mcap_schemas.ts";

/** The longest that a message waits for its chunk to end, in milliseconds. */
const CHUNK_TIME = 1_000;
/** The largest chunk, in bytes; a longer message has one of its own. */
const CHUNK_SIZE = 1024 * 1024;
/** Bytes that wait for the disk before messages are dropped. */
const MOST_WAITING = 32 * 1024 * 1024;
/** The same for what other messages cannot be read without. */
const MOST_WAITING_ESSENTIAL = 2 * MOST_WAITING;
/** Channels of a file; what else comes is dropped. */
const MOST_CHANNELS = 4096;
/** What a message takes besides its data, about. */
const MESSAGE_HEAD = 31;

/** When a message was received, and when it was made; nanoseconds since 1970. */
export interface Times {
  readonly log: bigint;
  readonly publish: bigint;
}

export class McapFile {
  /** Messages that the disk was too slow for. */
  dropped = 0;
  /** Messages of channels beyond the limit. */
  refused = 0;
  readonly #writer: FileWriter;
  readonly #clock: Clock;
  readonly #othersWaiting: () => number;
  readonly #encoder = new McapEncoder();
  readonly #channels = new Map<string, number>();
  #timer: unknown;

  /** Writes the head of the file; with a calibration also that. */
  constructor(
    opened: NamedFile | Promise<NamedFile>,
    options: {
      readonly clock: Clock;
      readonly metadata: Readonly<Record<string, string>>;
      readonly calibration?: Uint8Array | undefined;
      readonly now: bigint;
      /** Bytes of earlier files that the disk has not taken: the bounds are for all together. */
      readonly othersWaiting?: (() => number) | undefined;
    },
  ) {
    this.#writer = new FileWriter(opened);
    this.#clock = options.clock;
    this.#othersWaiting = options.othersWaiting ?? (() => 0);
    const { metadata, calibration, now } = options;
    this.#writer.push(this.#encoder.start());
    const about = new Map(Object.entries(metadata));
    this.#writer.push(this.#encoder.metadata({ name: METADATA_NAME, metadata: about }));
    if (calibration === undefined) return;
    this.#writer.push(this.#encoder.attachment({
      name: "calibration.json",
      mediaType: "application/json",
      data: calibration,
      logTime: now,
      createTime: now,
    }));
  }

  /** Rejects once writing has failed. */
  get failed(): Promise<never> {
    return this.#writer.failed;
  }

  /** Bytes that the disk has not taken. */
  get waiting(): number {
    return this.#writer.waiting;
  }

  /** Bytes so far, those included that are not written yet. */
  get size(): number {
    return this.#writer.written + this.#writer.waiting + this.#encoder.pending;
  }

  /** Adds a message. */
  add(channel: ChannelInfo, { log, publish }: Times, data: Uint8Array, isEssential = false): void {
    const most = isEssential ? MOST_WAITING_ESSENTIAL : MOST_WAITING;
    if (this.#writer.waiting + this.#othersWaiting() > most) return void this.dropped++;
    if (this.#encoder.pending + data.length + MESSAGE_HEAD > CHUNK_SIZE) this.#flush();
    const id = this.#channel(channel);
    if (id === undefined) return void this.refused++;
    this.#encoder.addMessage(id, log, publish, data);
    this.#timer ??= this.#clock.set(() => this.#flush(), CHUNK_TIME);
  }

  /** Ends the file. Rejects if anything could not be written. */
  async close(): Promise<void> {
    this.#clock.clear(this.#timer);
    this.#writer.push(this.#encoder.end());
    await this.#writer.close();
  }

  #flush(): void {
    this.#clock.clear(this.#timer);
    this.#timer = undefined;
    this.#writer.push(this.#encoder.flush());
  }

  #channel(channel: ChannelInfo): number | undefined {
    const known = this.#channels.get(channel.topic);
    if (known !== undefined || this.#channels.size >= MOST_CHANNELS) return known;
    const id = this.#encoder.addChannel(channel);
    this.#channels.set(channel.topic, id);
    return id;
  }
}
