/**
 * A recording of RCSP and of motion on one clock, in one MCAP file or in several.
 *
 * @module
 */

import { VERSION } from "@rcsp/rcsp";
import type { MotionPrefix } from "@rcsp/rcsp/motion";
import type { PayloadType } from "@rcsp/rcsp/wire";
import type { Clock } from "../process/io.ts";
import { formatSize, plural } from "../text/values.ts";
import { type Direction, frameEntry } from "./format.ts";
import type { NamedFile } from "./file_writer.ts";
import { McapFile, type Times } from "./mcap_file.ts";
import {
  lostChannel,
  MCAP_FORMAT,
  type MotionStreamName,
  PRESS_CHANNEL,
  rcspChannel,
} from "./mcap_schemas.ts";
import { type AddMessage, MotionTrack, toNanoseconds } from "./motion_track.ts";
import { isNamed, type Press, PressFinder } from "./presses.ts";
import { Prologue } from "./prologue.ts";
import type { About, MotionRecorder } from "./recorder.ts";

/** How to record. */
export interface McapOptions extends About {
  /** Opens a file; called once for each, before anything of it is written. */
  readonly open: () => NamedFile | Promise<NamedFile>;
  /**
   * A press of this device, or of any if it is empty, begins a file, and the next one ends it. Default: one
   * file from the start.
   */
  readonly onPress: string | undefined;
  /** Milliseconds after which the next file begins. */
  readonly split: number | undefined;
  /** Bytes of all files together that end the recording: see `full`. */
  readonly maxSize: number | undefined;
  /** JSON that goes into each file. */
  readonly calibration: Uint8Array | undefined;
  /** Called when a press begins a file or ends it. */
  readonly onTake: (isRecording: boolean) => void;
}

/** Milliseconds within which a press on another connection is the same press. */
const ECHO_TIME = 250;
/** Ended files that the disk has not taken, beyond which no further one begins. */
const MOST_CLOSING = 8;
const encoder = new TextEncoder();
const CHANNELS = { in: rcspChannel("in"), out: rcspChannel("out") };

export class McapRecorder implements MotionRecorder {
  readonly #failed = Promise.withResolvers<never>();
  readonly #full = Promise.withResolvers<void>();
  readonly failed: Promise<never> = this.#failed.promise;
  /** Resolves when `maxSize` is reached. */
  readonly full: Promise<void> = this.#full.promise;
  readonly #options: McapOptions;
  readonly #clock: Clock;
  /** From the clock to milliseconds since 1970. */
  readonly #epoch: number;
  readonly #prologue = new Prologue();
  readonly #presses = new PressFinder();
  readonly #tracks: Record<MotionStreamName, MotionTrack>;
  /** Files that have ended, until the disk has taken them. */
  readonly #closing = new Map<McapFile, Promise<void>>();
  readonly #counts = {
    frames: 0,
    motion: 0,
    lost: 0,
    presses: 0,
    files: 0,
    bytes: 0,
    dropped: 0,
    refused: 0,
  };
  #file: McapFile | undefined;
  #splitTimer: unknown;
  #lastPress: { what: string; connection: number; time: number } | undefined;

  /** Begins the first file, unless a press does. */
  constructor(options: McapOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#epoch = options.started.getTime() - options.clock.now();
    this.failed.catch(() => {});
    const add: AddMessage = (channel, times, data, isEssential) =>
      this.#file?.add(channel, times, data, isEssential);
    this.#tracks = { hands: new MotionTrack("hands", add), raw: new MotionTrack("raw", add) };
    if (options.onPress === undefined) this.#begin();
  }

  frame(direction: Direction, connection: number, type: PayloadType, payload: Uint8Array): void {
    const data = encoder.encode(frameEntry(direction, connection, type, payload));
    const press = direction === "in" ? this.#presses.find(type, payload) : undefined;
    const isTake = press !== undefined && this.#isTrigger(press) &&
      !this.#isEcho(press, connection) && (this.#file !== undefined || this.#mayBegin());
    const ends = isTake && this.#file !== undefined;
    if (isTake && !ends) this.#begin();
    if (this.#file !== undefined) this.#counts.frames++;
    const times = this.#times();
    this.#addEntry(direction, data, times);
    this.#prologue.note(connection, type, payload, data);
    if (press !== undefined) {
      if (this.#file !== undefined) this.#counts.presses++;
      const message = encoder.encode(JSON.stringify({ ...press, connection }));
      this.#file?.add(PRESS_CHANNEL, times, message);
    }
    if (ends) this.#end();
    if (isTake) this.#options.onTake(!ends);
  }

  entry(direction: Direction, entry: string): void {
    this.#addEntry(direction, encoder.encode(entry));
  }

  left(connection: number): void {
    this.#prologue.left(connection);
  }

  /** Records a frame of a motion stream. */
  motion(stream: MotionStreamName, prefix: MotionPrefix, payload: Uint8Array): void {
    if (this.#file !== undefined) this.#counts.motion++;
    this.#tracks[stream].receive(prefix, payload, this.#now());
    this.#checkSize();
  }

  motionLost(stream: MotionStreamName, reason: string): void {
    if (this.#file !== undefined) this.#counts.lost++;
    const data = encoder.encode(JSON.stringify({ stream, reason }));
    this.#file?.add(lostChannel(stream), this.#times(), data, true);
    this.#tracks[stream].clear();
  }

  async close(connections: number): Promise<string> {
    this.#end();
    await Promise.all(this.#closing.values());
    // Resolves unless it has failed.
    await Promise.race([this.failed, Promise.resolve()]);
    return this.#summary(connections);
  }

  /** Whether another client of a proxy has received the same press. */
  #isEcho({ press, device }: Press, connection: number): boolean {
    const [before, now] = [this.#lastPress, this.#clock.now()];
    const what = JSON.stringify([press, device]);
    const isEcho = before !== undefined && before.what === what &&
      before.connection !== connection && now - before.time < ECHO_TIME;
    if (!isEcho) this.#lastPress = { what, connection, time: now };
    return isEcho;
  }

  #isTrigger({ device }: Press): boolean {
    const { onPress } = this.#options;
    return onPress === "" || onPress !== undefined && isNamed(device, onPress);
  }

  #begin(): void {
    const { open, about, split, calibration } = this.#options;
    const started = new Date(this.#now()).toISOString();
    const metadata = { format: MCAP_FORMAT, version: VERSION, started };
    const file = this.#file = new McapFile(open(), {
      clock: this.#clock,
      metadata: { ...metadata, ...about },
      calibration,
      now: this.#times().log,
      othersWaiting: () => {
        let waiting = 0;
        for (const { waiting: bytes } of this.#closing.keys()) waiting += bytes;
        return waiting;
      },
    });
    file.failed.catch((error) => this.#failed.reject(error));
    if (this.#counts.files++ > 0 || this.#options.onPress !== undefined) {
      for (const { direction, data } of this.#prologue.entries()) this.#addEntry(direction, data);
      for (const track of Object.values(this.#tracks)) track.repeat(this.#now());
    }
    if (split !== undefined) this.#splitAfter(split);
  }

  #splitAfter(time: number): void {
    this.#splitTimer = this.#clock.set(() => {
      if (!this.#mayBegin()) return this.#splitAfter(time);
      this.#end();
      this.#begin();
    }, time);
  }

  /** A disk that takes nothing gets no further files: even their heads would add up. */
  #mayBegin(): boolean {
    return this.#closing.size < MOST_CLOSING;
  }

  #end(): void {
    this.#clock.clear(this.#splitTimer);
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    const closing = file.close().catch((error) => this.#failed.reject(error));
    this.#closing.set(file, closing.finally(() => this.#closing.delete(file)));
    this.#counts.bytes += file.size;
    this.#counts.dropped += file.dropped;
    this.#counts.refused += file.refused;
  }

  #addEntry(direction: Direction, data: Uint8Array, times: Times = this.#times()): void {
    this.#file?.add(CHANNELS[direction], times, data);
    this.#checkSize();
  }

  #checkSize(): void {
    const { maxSize } = this.#options;
    if (maxSize === undefined || this.#file === undefined) return;
    if (this.#counts.bytes + this.#file.size >= maxSize) this.#full.resolve();
  }

  #now(): number {
    return this.#epoch + this.#clock.now();
  }

  #times(): Times {
    const now = toNanoseconds(this.#now());
    return { log: now, publish: now };
  }

  #summary(connections: number): string {
    const { frames, motion, lost, presses, files, bytes, dropped, refused } = this.#counts;
    const parts = [`${plural(frames, "frame")} of ${plural(connections, "connection")}`];
    if (motion > 0) parts.push(plural(motion, "motion frame"));
    if (lost > 0) parts.push(`${plural(lost, "motion connection")} lost`);
    if (presses > 0) parts.push(presses === 1 ? "1 press" : `${presses} presses`);
    const where = `recorded in ${plural(files, "file")}, ${formatSize(bytes)}`;
    const missing = dropped === 0
      ? ""
      : `. The disk was too slow: ${plural(dropped, "message")} dropped`;
    const excess = refused === 0
      ? ""
      : `. Too many topics for one file: ${plural(refused, "message")} dropped`;
    return `${parts.join(", ")} ${where}${missing}${excess}`;
  }
}
