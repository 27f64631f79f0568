/**
 * The frames of RGMP v2, Rokoko's motion stream: a header of 8 bytes and a payload. All of it is
 * confirmed; all numbers are little-endian.
 *
 * | offset | field | type | value |
 * | --- | --- | --- | --- |
 * | 0 | `msg_prefix` | uint32 | a {@link MotionPrefix} |
 * | 4 | `msg_len` | uint32 | bytes of the payload; may be 0 |
 *
 * @module
 */

import type { JsonObject } from "../message/json.ts";

/** The TCP ports of the motion stream (confirmed). */
export const MOTION_PORTS = {
  /** The driver's raw stream: poses of sensors, no joints. */
  raw: 12276,
  /** Solved hands. */
  hands: 12277,
} as const;

/** What the payload of a motion frame is: the header's `msg_prefix`. */
export const MotionPrefix = {
  /** One JSON object in UTF-8: the definition of one device. */
  Definition: 1,
  /** `device_id`, `group_id`, `timestamp_us`, then the values of that group. */
  Data: 2,
  /** The `device_id` of a device that has disconnected. */
  Disconnect: 3,
} as const;

/** What the payload of a motion frame is: 1 definition, 2 data, 3 disconnect. */
export type MotionPrefix = typeof MotionPrefix[keyof typeof MotionPrefix];

/** The bytes of a motion frame's header. */
export const MOTION_HEADER_SIZE = 8;
/** The bytes before the values in the payload of a data frame: device, group and time. */
export const DATA_HEADER_SIZE = 16;
/** Where the values start in a whole data frame. */
export const VALUES_OFFSET: number = MOTION_HEADER_SIZE + DATA_HEADER_SIZE;

const encoder = new TextEncoder();

/** Encodes a definition, as an object with the names of the wire or as JSON text. */
export function encodeDefinition(definition: JsonObject | string): Uint8Array<ArrayBuffer> {
  const json = typeof definition === "string" ? definition : JSON.stringify(definition);
  return encodeMotionFrame(MotionPrefix.Definition, encoder.encode(json));
}

/** Encodes a device disconnect. */
export function encodeDisconnect(deviceId: number): Uint8Array<ArrayBuffer> {
  const frame = encodeMotionFrame(MotionPrefix.Disconnect, new Uint8Array(4));
  writeUint32(frame, MOTION_HEADER_SIZE, deviceId);
  return frame;
}

/** Encodes any frame: the header, then a copy of the payload. */
export function encodeMotionFrame(prefix: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(MOTION_HEADER_SIZE + payload.length);
  writeUint32(frame, 0, prefix);
  writeUint32(frame, 4, payload.length);
  frame.set(payload, MOTION_HEADER_SIZE);
  return frame;
}

/** Reads the uint32 at `offset`, which must be inside. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! | bytes[offset + 1]! << 8 | bytes[offset + 2]! << 16 |
    bytes[offset + 3]! << 24) >>> 0;
}

/** Writes a uint32 at `offset`, which must be inside. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value;
  bytes[offset + 1] = value >>> 8;
  bytes[offset + 2] = value >>> 16;
  bytes[offset + 3] = value >>> 24;
}
