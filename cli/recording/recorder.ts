/**
 * What writes a recording, whatever its format.
 *
 * @module
 */

import type { PayloadType } from "@rcsp/rcsp/wire";
import type { Clock } from "../process/io.ts";
import type { Direction } from "./format.ts";
import type { MotionPrefix } from "@rcsp/rcsp/motion";
import type { MotionStreamName } from "./mcap_schemas.ts";

/** What a recording begins with. */
export interface About {
  readonly clock: Clock;
  readonly started: Date;
  /** Who recorded what: `mode`, `driver`. */
  readonly about: Readonly<Record<string, string>>;
}

/** Writes the RCSP half of a recording. */
export interface Recorder {
  /** Rejects once writing has failed. */
  readonly failed: Promise<never>;
  /** Resolves when as much is recorded as was wanted; `undefined` without a limit. */
  readonly full?: Promise<void> | undefined;
  /** Records a frame. */
  frame(direction: Direction, connection: number, type: PayloadType, payload: Uint8Array): void;
  /** Records something else, made by `bytesEntry()` or `cutEntry()`. */
  entry(direction: Direction, entry: string): void;
  /** A connection has ended: nothing more comes of it. */
  left?(connection: number): void;
  /** Resolves when more may be recorded; left out where nothing ever waits for the disk. */
  room?(): Promise<void>;
  /** Writes what is left, closes, and returns what was recorded, in words. */
  close(connections: number): Promise<string>;
}

/** Writes both halves. */
export interface MotionRecorder extends Recorder {
  /** Records a frame of a motion stream. */
  motion(stream: MotionStreamName, prefix: MotionPrefix, payload: Uint8Array): void;
  /** The connection of a motion stream is lost, and why. */
  motionLost(stream: MotionStreamName, reason: string): void;
}
