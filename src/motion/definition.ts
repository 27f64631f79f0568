/**
 * The definition of a device: which groups of values it sends, and where each value is.
 *
 * @module
 */

import { LimitError, ProtocolError } from "../errors.ts";
import {
  describeValue,
  isObject,
  type JsonObject,
  type JsonValue,
  parseBody,
} from "../message/json.ts";
import { type DataType, type ElementType, parseDataType } from "./data_type.ts";
import { DATA_HEADER_SIZE } from "./frame.ts";
import { MOTION_LIMITS, type MotionLimits } from "./limits.ts";

/** The checked definition of one device. */
export interface DeviceDefinition {
  /** The wire's `device_id`. */
  readonly deviceId: number;
  /** The wire's `device_type`: `solved_hand` for a hand (confirmed). */
  readonly deviceType: string | undefined;
  /** The wire's `timestamp_epoch`: `device_boot` or `unix_epoch` (confirmed). */
  readonly timestampEpoch: string | undefined;
  /** The groups, in the order of the definition. */
  readonly groups: readonly MotionGroup[];
  /** Values that do not change, such as the rest pose and the radii of joints. */
  readonly staticData: readonly StaticValue[];
  /** The definition as received: everything that this type has no name for, such as `device_info`. */
  readonly raw: JsonObject;
}

/** Streams that arrive together in one data frame. */
export interface MotionGroup {
  /** The `group_id` of its data frames: its own `group_id`, else its `id`, else its index. */
  readonly id: number;
  /** The wire's `name`; empty if it has none. */
  readonly name: string;
  /** The streams, in the order of their values. */
  readonly streams: readonly MotionStream[];
  /** How many values all streams have together. */
  readonly length: number;
  /** The bytes of all values. */
  readonly byteLength: number;
  /** The element type that all streams share; `undefined` if they differ or there are none. */
  readonly type: ElementType | undefined;
}

/** Where the values of one stream are, and what they mean. */
export interface StreamLayout extends DataType {
  /** Its place in the group. */
  readonly index: number;
  /** Its first byte, counted from the first value of the group. */
  readonly offset: number;
  /** The wire's `measure_type`, such as `TRANSFORM` or `ORIENTATION`. */
  readonly measureType: string | undefined;
  /** The wire's `target_frame`: what is measured, such as `xr_wrist`. */
  readonly targetFrame: string | undefined;
  /** The wire's `reference_frame`: relative to what; world frames start with `LTP_`. */
  readonly referenceFrame: string | undefined;
}

/** A stream whose values are numbers. */
export interface NumberStream extends StreamLayout {
  /** The type of each value. */
  readonly type: Exclude<ElementType, BigIntStream["type"]>;
}

/** A stream whose values are BigInts. */
export interface BigIntStream extends StreamLayout {
  /** The type of each value. */
  readonly type: "INT64" | "UINT64";
}

/** One stream of a group; `type` says which kind. */
export type MotionStream = NumberStream | BigIntStream;

/** One entry of a definition's `static_data`. */
export interface StaticValue {
  /** The wire's `measure_type`. */
  readonly measureType: string | undefined;
  /** The wire's `target_frame`. */
  readonly targetFrame: string | undefined;
  /** The wire's `reference_frame`. */
  readonly referenceFrame: string | undefined;
  /** The wire's `custom_label`, such as `joint_radius`. */
  readonly customLabel: string | undefined;
  /** The wire's `value`: a single number is an array of one. */
  readonly value: readonly number[];
}

/** The limits that a definition must keep. */
export type DefinitionLimits = Pick<
  MotionLimits,
  "maxPayload" | "maxDefinition" | "maxDepth" | "maxStreams"
>;

/**
 * Parses the payload of a definition frame as JSON.
 *
 * @throws {ProtocolError} If it is not one JSON object in UTF-8.
 * @throws {LimitError} If it is longer than `maxDefinition` or nested deeper than `maxDepth`.
 */
export function parseDefinitionJson(
  payload: Uint8Array,
  limits: DefinitionLimits = MOTION_LIMITS,
): JsonObject {
  checkLimit("definition", payload.length, "bytes", "maxDefinition", limits);
  return parseBody(payload, limits.maxDepth);
}

/**
 * Reads the `device_id` of a definition: an error of the rest belongs to that device only.
 *
 * @throws {ProtocolError} If it is not an integer from 0 to 2^32 - 1.
 */
export function readDeviceId(json: JsonObject): number {
  return readUint32Key(json, "device_id", "definition", "device_id");
}

/**
 * Checks a definition and computes where each value is.
 *
 * @throws {ProtocolError} If a key is missing or has the wrong type.
 * @throws {LimitError} If it has more than `maxStreams` streams, groups or static data, or a group
 *   that no frame of `maxPayload` bytes can hold.
 */
export function readDefinition(
  json: JsonObject,
  limits: DefinitionLimits = MOTION_LIMITS,
): DeviceDefinition {
  const deviceId = readDeviceId(json);
  const of = `definition of device ${deviceId}`;
  const groups = readArray(json, "groups", of, "groups", limits);
  if (groups === undefined) throw definitionFieldError(of, "groups", "an array", undefined);
  let streams = 0;
  const ids = new Set<number>();
  return {
    deviceId,
    deviceType: readText(json, "device_type", of),
    timestampEpoch: readText(json, "timestamp_epoch", of),
    groups: groups.map((value, index) => {
      const group = readGroup(value, index, of, limits);
      if (ids.has(group.id)) {
        throw definitionFieldError(of, `groups[${index}]`, "an id of its own", group.id);
      }
      ids.add(group.id);
      streams += group.streams.length;
      checkLimit(of, streams, "streams", "maxStreams", limits);
      return group;
    }),
    staticData: (readArray(json, "static_data", of, "static_data", limits) ?? [])
      .map((value, index) => readStaticValue(value, `static_data[${index}]`, of)),
    raw: json,
  };
}

/** Finds a group by its name. */
export function findGroup(definition: DeviceDefinition, name: string): MotionGroup | undefined {
  return definition.groups.find((group) => group.name === name);
}

function readGroup(
  value: JsonValue,
  index: number,
  of: string,
  limits: DefinitionLimits,
): MotionGroup {
  const path = `groups[${index}]`;
  if (!isObject(value)) throw definitionFieldError(of, path, "an object", value);
  const key = ["group_id", "id"].find((name) => (value[name] ?? undefined) !== undefined);
  const id = key === undefined ? index : readUint32Key(value, key, of, `${path}.${key}`);
  const streams: MotionStream[] = [];
  let byteLength = 0;
  let length = 0;
  for (const entry of readArray(value, "streams", of, `${path}.streams`, limits) ?? []) {
    const stream = readStream(entry, streams.length, byteLength, of, path);
    streams.push(stream);
    length += stream.length;
    byteLength += stream.byteLength;
    checkLimit(of, DATA_HEADER_SIZE + byteLength, "bytes in a frame", "maxPayload", limits);
  }
  const type = streams[0]?.type;
  const uniform = streams.every((stream) => stream.type === type);
  const name = readText(value, "name", of, path) ?? "";
  return { id, name, streams, length, byteLength, type: uniform ? type : undefined };
}

function readStream(
  value: JsonValue,
  index: number,
  offset: number,
  of: string,
  parent: string,
): MotionStream {
  const path = `${parent}.streams[${index}]`;
  if (!isObject(value)) throw definitionFieldError(of, path, "an object", value);
  const dataType = parseDataType(readText(value, "data_type", of, path) ?? "");
  if (dataType === undefined) {
    const expected = "INT32, UINT32, INT64, UINT64, FLOAT or DOUBLE, with or without [n] or [n,m]";
    throw definitionFieldError(of, `${path}.data_type`, expected, value["data_type"]);
  }
  return { ...dataType, index, offset, ...readFrames(value, of, path) } as MotionStream;
}

function readStaticValue(entry: JsonValue, path: string, of: string): StaticValue {
  if (!isObject(entry)) throw definitionFieldError(of, path, "an object", entry);
  const { value } = entry;
  const numbers = Array.isArray(value) ? value : [value];
  if (!numbers.every((number) => typeof number === "number")) {
    throw definitionFieldError(of, `${path}.value`, "a number or an array of numbers", value);
  }
  const customLabel = readText(entry, "custom_label", of, path);
  return { ...readFrames(entry, of, path), customLabel, value: numbers };
}

function readFrames(
  json: JsonObject,
  of: string,
  path: string,
): Pick<StreamLayout, "measureType" | "targetFrame" | "referenceFrame"> {
  return {
    measureType: readText(json, "measure_type", of, path),
    targetFrame: readText(json, "target_frame", of, path),
    referenceFrame: readText(json, "reference_frame", of, path),
  };
}

function readText(json: JsonObject, key: string, of: string, path?: string): string | undefined {
  // Null counts as missing.
  const value = json[key] ?? undefined;
  if (value === undefined || typeof value === "string") return value;
  throw definitionFieldError(of, path === undefined ? key : `${path}.${key}`, "a string", value);
}

function readUint32Key(json: JsonObject, key: string, of: string, path: string): number {
  const value = json[key];
  if (typeof value === "number" && value >>> 0 === value) return value;
  throw definitionFieldError(of, path, "an integer from 0 to 2^32 - 1", value);
}

function readArray(
  json: JsonObject,
  key: string,
  of: string,
  path: string,
  limits: DefinitionLimits,
): JsonValue[] | undefined {
  const value = json[key] ?? undefined;
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw definitionFieldError(of, path, "an array", value);
  checkLimit(of, value.length, `entries in '${path}'`, "maxStreams", limits);
  return value;
}

function checkLimit(
  of: string,
  count: number,
  unit: string,
  name: keyof DefinitionLimits,
  limits: DefinitionLimits,
): void {
  const max = limits[name];
  if (count <= max) return;
  const message = `Cannot read ${of} as its ${count} ${unit} exceed '${name}' (${max})`;
  throw new LimitError(message, name, max, true);
}

function definitionFieldError(
  of: string,
  path: string,
  expected: string,
  value: unknown,
): ProtocolError {
  return new ProtocolError("bad-shape", `Cannot read ${of}`, {
    expected: `'${path}' to be ${expected}`,
    received: describeValue(value),
  });
}
