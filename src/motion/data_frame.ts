/**
 * One data frame: its values, its time, its bytes.
 *
 * @module
 */

import type { ElementType } from "./data_type.ts";
import type { BigIntStream, MotionGroup, MotionStream, NumberStream } from "./definition.ts";
import {
  DATA_HEADER_SIZE,
  MOTION_HEADER_SIZE,
  MotionPrefix,
  readUint32,
  VALUES_OFFSET,
  writeUint32,
} from "./frame.ts";

/** The values of a stream of numbers. */
export type NumberValues = Int32Array | Uint32Array | Float32Array | Float64Array;
/** The values of a stream of 64-bit integers. */
export type BigIntValues = BigInt64Array | BigUint64Array;
/** The values of any stream. */
export type StreamValues = NumberValues | BigIntValues;

/**
 * The newest values of one group. The next frame of the group overwrites them in place: `clone()`
 * what you keep.
 */
export interface Sample {
  /** The device that sent it. */
  readonly deviceId: number;
  /** The layout of the values. */
  readonly group: MotionGroup;
  /** Which frame of its group it is, counted from 1 since the definition. */
  readonly sequence: number;
  /** The wire's `timestamp_us`: microseconds since the epoch of the device. */
  readonly deviceTime: bigint;
  /** When it was measured, on our clock: milliseconds since 1970, never less than the one before. */
  readonly time: number;
  /** When it was received, on our clock: milliseconds since 1970. */
  readonly receivedAt: number;
  /** The whole frame as received, its header included: what to forward or record. */
  readonly frame: Uint8Array;
  /**
   * All values of the group, flat, where all of its streams are FLOAT. A view, not a copy: the next
   * frame overwrites it.
   */
  readonly floats: Float32Array | undefined;
  /**
   * The values of one stream, flat and in the order of the wire. The array is reused: call again
   * after the next frame, `slice()` what you keep.
   *
   * @throws {TypeError} If the stream is not from this group.
   */
  values(stream: NumberStream): NumberValues;
  /** The same for 64-bit integers. */
  values(stream: BigIntStream): BigIntValues;
  /** The same for any stream. */
  values(stream: MotionStream): StreamValues;
  /**
   * Copies all values of the group, flat and as float32, and returns how many there are. 64-bit
   * values lose precision.
   *
   * @throws {RangeError} If `target` has no room for `group.length` values at `offset`.
   */
  copyInto(target: Float32Array, offset?: number): number;
  /** Returns a copy that the next frame does not overwrite. */
  clone(): Sample;
}

type ValuesOf = new (buffer: ArrayBuffer, offset: number, length: number) => StreamValues;

const ARRAYS: { readonly [T in ElementType]: ValuesOf } = {
  INT32: Int32Array,
  UINT32: Uint32Array,
  INT64: BigInt64Array,
  UINT64: BigUint64Array,
  FLOAT: Float32Array,
  DOUBLE: Float64Array,
};
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * A reusable data frame: filled from received bytes to read values, or with values to send its bytes.
 *
 * It has a buffer of its own in which the values start at a multiple of 8, so most streams are read
 * through a typed array without a copy, wherever the received bytes were.
 */
export class DataFrame implements Sample {
  /** The device that sends it. */
  readonly deviceId: number;
  /** The layout of the values. */
  readonly group: MotionGroup;
  /** The whole frame. */
  readonly frame: Uint8Array<ArrayBuffer>;
  /** All values, where all are FLOAT. */
  readonly floats: Float32Array<ArrayBuffer> | undefined;
  /** Which frame of its group it is. */
  sequence = 0;
  /** When it was measured, on our clock, in milliseconds. */
  time = 0;
  /** When it was received, on our clock, in milliseconds. */
  receivedAt = 0;
  readonly #view: DataView<ArrayBuffer>;
  readonly #payload: Uint8Array<ArrayBuffer>;
  readonly #arrays: (StreamValues | undefined)[] = [];
  /** The bytes of those arrays that are not views of the frame. */
  readonly #copies: (Uint8Array | undefined)[] = [];

  /** Creates a frame whose values and time are 0. */
  constructor(deviceId: number, group: MotionGroup) {
    this.deviceId = deviceId;
    this.group = group;
    const buffer = new ArrayBuffer(VALUES_OFFSET + group.byteLength);
    this.frame = new Uint8Array(buffer);
    this.#payload = new Uint8Array(buffer, MOTION_HEADER_SIZE);
    this.#view = new DataView(buffer);
    writeUint32(this.frame, 0, MotionPrefix.Data);
    writeUint32(this.frame, 4, DATA_HEADER_SIZE + group.byteLength);
    writeUint32(this.frame, MOTION_HEADER_SIZE, deviceId);
    writeUint32(this.frame, MOTION_HEADER_SIZE + 4, group.id);
    if (LITTLE_ENDIAN && group.type === "FLOAT") {
      this.floats = new Float32Array(buffer, VALUES_OFFSET, group.length);
    }
  }

  /** The wire's `timestamp_us`. */
  get deviceTime(): bigint {
    return this.#view.getBigUint64(TIME_OFFSET, true);
  }

  /** Sets the wire's `timestamp_us`. */
  set deviceTime(value: bigint) {
    this.#view.setBigUint64(TIME_OFFSET, value, true);
  }

  /** Replaces everything by a received payload, which must be as long as the group needs. */
  load(payload: Uint8Array): void {
    this.#payload.set(payload);
  }

  /** The values of one stream; see {@link Sample.values}. */
  values(stream: NumberStream): NumberValues;
  /** The same for 64-bit integers. */
  values(stream: BigIntStream): BigIntValues;
  /** The same for any stream. */
  values(stream: MotionStream): StreamValues;
  values(stream: MotionStream): StreamValues {
    const array = this.#array(stream);
    const copy = this.#copies[stream.index];
    if (copy !== undefined) this.#move(stream, array.BYTES_PER_ELEMENT, copy);
    return array;
  }

  /**
   * Sets the values of one stream, as many as it has.
   *
   * @throws {TypeError} If the stream is not from this group.
   * @throws {RangeError} If there are more or fewer values.
   */
  set(stream: MotionStream, values: ArrayLike<number> | ArrayLike<bigint>): void {
    const array = this.#array(stream);
    if (values.length !== array.length) {
      throw new RangeError(
        `Cannot set stream as it has ${array.length} values: current count is ${values.length}`,
      );
    }
    // As many types meet here as there are pairs of them; the caller brings the right one.
    array.set(values as ArrayLike<number> & ArrayLike<bigint>);
    const copy = this.#copies[stream.index];
    if (copy !== undefined) this.#move(stream, array.BYTES_PER_ELEMENT, copy, true);
  }

  /** Copies all values as float32; see {@link Sample.copyInto}. */
  copyInto(target: Float32Array, offset = 0): number {
    const { length, streams } = this.group;
    if (!(offset >= 0 && offset + length <= target.length)) {
      throw new RangeError(
        `Cannot copy ${length} values to index ${offset} of an array of ${target.length}`,
      );
    }
    if (this.floats !== undefined) {
      target.set(this.floats, offset);
      return length;
    }
    let at = offset;
    for (const stream of streams) {
      const values = this.values(stream);
      for (let i = 0; i < values.length; i++) target[at++] = Number(values[i]);
    }
    return length;
  }

  /** Returns a copy of its own. */
  clone(): DataFrame {
    const copy = new DataFrame(this.deviceId, this.group);
    copy.frame.set(this.frame);
    copy.sequence = this.sequence;
    copy.time = this.time;
    copy.receivedAt = this.receivedAt;
    return copy;
  }

  /** The array of a stream: a view of the frame where it is aligned, else a place for a copy. */
  #array(stream: MotionStream): StreamValues {
    const { index, type, offset, length } = stream;
    if (this.group.streams[index] !== stream) {
      throw new TypeError(
        `Cannot use stream ${index} as it is from another group or an older definition: ` +
          "take it from 'sample.group.streams'",
      );
    }
    const known = this.#arrays[index];
    if (known !== undefined) return known;
    const start = VALUES_OFFSET + offset;
    const isView = LITTLE_ENDIAN && start % (stream.byteLength / length) === 0;
    const buffer = isView ? this.frame.buffer : new ArrayBuffer(stream.byteLength);
    if (!isView) this.#copies[index] = new Uint8Array(buffer);
    return this.#arrays[index] = new ARRAYS[type](buffer, isView ? start : 0, length);
  }

  /** Moves the values of a stream between the frame and its copy. */
  #move({ offset, byteLength }: MotionStream, size: number, copy: Uint8Array, back = false): void {
    const start = VALUES_OFFSET + offset;
    for (let i = 0; i < byteLength; i++) {
      const from = LITTLE_ENDIAN ? i : i - i % size + (size - 1 - i % size);
      if (back) this.frame[start + i] = copy[from]!;
      else copy[from] = this.frame[start + i]!;
    }
  }
}

const TIME_OFFSET = MOTION_HEADER_SIZE + 8;

/** Reads the `timestamp_us` of a data payload as a number: exact for the first 285 years. */
export function readMicroseconds(payload: Uint8Array): number {
  return readUint32(payload, 12) * 2 ** 32 + readUint32(payload, 8);
}
