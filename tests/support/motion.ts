/** Motion frames for tests, built apart from the encoder that they test. */

import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { MotionDecoder, type MotionDecoderOptions } from "../../src/motion/decoder.ts";
import type { MotionStream } from "../../src/motion/definition.ts";
import type { Sample } from "../../src/motion/data_frame.ts";
import { utf8 } from "./frames.ts";

/** A motion frame as a decoder gave it, with a copy of its payload. */
export interface ReceivedMotionFrame {
  prefix: number;
  payload: Uint8Array;
}

/** What became of a motion stream. */
export interface MotionOutcome {
  frames: ReceivedMotionFrame[];
  skipped: number;
  /** What `push` or `end` threw, if they did. */
  error: unknown;
}

/** Feeds chunks to a new decoder, then ends it. */
export function feedMotion(
  chunks: Iterable<Uint8Array>,
  options?: MotionDecoderOptions,
): MotionOutcome {
  const decoder = new MotionDecoder(options);
  const frames: ReceivedMotionFrame[] = [];
  let error: unknown;
  try {
    for (const chunk of chunks) {
      decoder.push(chunk, (prefix, payload) => frames.push({ prefix, payload: payload.slice() }));
    }
    decoder.end();
  } catch (thrown) {
    error = thrown;
  }
  return { frames, skipped: decoder.skipped, error };
}

/** A uint32, little-endian. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** A header alone. */
export function motionHeader(prefix: number, size: number): Uint8Array {
  return concat([uint32(prefix), uint32(size)]);
}

/** A frame; an object becomes JSON. */
export function motionFrame(prefix: number, body: string | Uint8Array | object): Uint8Array {
  const bytes = body instanceof Uint8Array
    ? body
    : utf8(typeof body === "string" ? body : JSON.stringify(body));
  return concat([motionHeader(prefix, bytes.length), bytes]);
}

/** The payload of a data frame. */
export function dataPayload(
  deviceId: number,
  groupId: number,
  time: number | bigint,
  values: Uint8Array,
): Uint8Array {
  const stamp = new Uint8Array(8);
  new DataView(stamp.buffer).setBigUint64(0, BigInt(time), true);
  return concat([uint32(deviceId), uint32(groupId), stamp, values]);
}

/** Float32 values as bytes. */
export function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** A definition of one device with one group of the given `data_type`s. */
export function definitionOf(deviceId: number, ...dataTypes: string[]): Record<string, unknown> {
  const streams = dataTypes.map((data_type, i) => ({ data_type, target_frame: `t${i}` }));
  return { device_id: deviceId, groups: [{ name: "test", streams }] };
}

/** The bits of a stream's values as hex digits, the highest first. */
export function bitsOf(sample: Sample, stream: MotionStream): string[] {
  const { buffer, byteOffset, byteLength, BYTES_PER_ELEMENT, length } = sample.values(stream);
  assertEquals(length, stream.length);
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return Array.from(
    { length },
    (_, i) =>
      Array.from(bytes.subarray(i * BYTES_PER_ELEMENT, (i + 1) * BYTES_PER_ELEMENT).toReversed())
        .map((byte) => byte.toString(16).padStart(2, "0")).join(""),
  );
}
