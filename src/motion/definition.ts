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
  new DefinitionPart({}, "definition", limits).limit("maxDefinition", payload.length, "bytes");
  return parseBody(payload, limits.maxDepth);
}

/**
 * Reads the `device_id` of a definition: an error of the rest belongs to that device only.
 *
 * @throws {ProtocolError} If it is not an integer from 0 to 2^32 - 1.
 */
export function readDeviceId(json: JsonObject): number {
  return new DefinitionPart(json, "definition", MOTION_LIMITS).uint32("device_id");
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
  const definition = new DefinitionPart(json, `definition of device ${deviceId}`, limits);
  const groups = definition.parts("groups");
  if (groups === undefined) throw definition.error("groups", "an array");
  let streams = 0;
  const ids = new Set<number>();
  return {
    deviceId,
    deviceType: definition.text("device_type"),
    timestampEpoch: definition.text("timestamp_epoch"),
    groups: groups.map((part, index) => {
      const group = readGroup(part, index);
      if (ids.has(group.id)) {
        throw definition.error(`groups[${index}]`, "an id of its own", group.id);
      }
      ids.add(group.id);
      streams += group.streams.length;
      definition.limit("maxStreams", streams, "streams");
      return group;
    }),
    staticData: (definition.parts("static_data") ?? []).map(readStaticValue),
    raw: json,
  };
}

/** Finds a group by its name. */
export function findGroup(definition: DeviceDefinition, name: string): MotionGroup | undefined {
  return definition.groups.find((group) => group.name === name);
}

function readGroup(part: DefinitionPart, index: number): MotionGroup {
  const key = ["group_id", "id"].find((name) => part.value(name) !== undefined);
  const id = key === undefined ? index : part.uint32(key);
  const streams: MotionStream[] = [];
  let byteLength = 0;
  let length = 0;
  for (const entry of part.parts("streams") ?? []) {
    const stream = readStream(entry, streams.length, byteLength);
    streams.push(stream);
    length += stream.length;
    byteLength += stream.byteLength;
    part.limit("maxPayload", DATA_HEADER_SIZE + byteLength, "bytes in a frame");
  }
  const type = streams[0]?.type;
  const uniform = streams.every((stream) => stream.type === type);
  const name = part.text("name") ?? "";
  return { id, name, streams, length, byteLength, type: uniform ? type : undefined };
}

function readStream(part: DefinitionPart, index: number, offset: number): MotionStream {
  const dataType = parseDataType(part.text("data_type") ?? "");
  if (dataType === undefined) {
    const expected = "INT32, UINT32, INT64, UINT64, FLOAT or DOUBLE, with or without [n] or [n,m]";
    throw part.error("data_type", expected);
  }
  return { ...dataType, index, offset, ...readFrames(part) } as MotionStream;
}

function readStaticValue(part: DefinitionPart): StaticValue {
  const value = part.value("value");
  const numbers = Array.isArray(value) ? value : [value];
  if (!numbers.every((number) => typeof number === "number")) {
    throw part.error("value", "a number or an array of numbers");
  }
  return { ...readFrames(part), customLabel: part.text("custom_label"), value: numbers };
}

function readFrames(
  part: DefinitionPart,
): Pick<StreamLayout, "measureType" | "targetFrame" | "referenceFrame"> {
  return {
    measureType: part.text("measure_type"),
    targetFrame: part.text("target_frame"),
    referenceFrame: part.text("reference_frame"),
  };
}

/** An object inside a definition; its errors name the key. */
class DefinitionPart {
  readonly #json: JsonObject;
  readonly #of: string;
  readonly #limits: DefinitionLimits;
  /** Where it is: empty for the whole definition. */
  readonly #path: string;

  constructor(json: JsonObject, of: string, limits: DefinitionLimits, path = "") {
    this.#json = json;
    this.#of = of;
    this.#limits = limits;
    this.#path = path;
  }

  /** The value of a key; `undefined` if it is null or missing. */
  value(key: string): JsonValue | undefined {
    return this.#json[key] ?? undefined;
  }

  text(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === "string") return value;
    throw this.error(key, "a string");
  }

  uint32(key: string): number {
    const value = this.value(key);
    if (typeof value === "number" && value >>> 0 === value) return value;
    throw this.error(key, "an integer from 0 to 2^32 - 1");
  }

  /** An array of objects. */
  parts(key: string): DefinitionPart[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw this.error(key, "an array");
    this.limit("maxStreams", value.length, `entries in '${this.#pathOf(key)}'`);
    return value.map((entry, index) => {
      const name = `${key}[${index}]`;
      if (!isObject(entry)) throw this.error(name, "an object", entry);
      return new DefinitionPart(entry, this.#of, this.#limits, this.#pathOf(name));
    });
  }

  /** @throws {LimitError} If there are more than a limit permits. */
  limit(name: keyof DefinitionLimits, count: number, unit: string): void {
    const max = this.#limits[name];
    if (count <= max) return;
    const message = `Cannot read ${this.#of} as its ${count} ${unit} exceed '${name}' (${max})`;
    throw new LimitError(message, name, max, true);
  }

  error(key: string, expected: string, value: unknown = this.#json[key]): ProtocolError {
    return new ProtocolError("bad-shape", `Cannot read ${this.#of}`, {
      expected: `'${this.#pathOf(key)}' to be ${expected}`,
      received: describeValue(value),
    });
  }

  #pathOf(key: string): string {
    return this.#path === "" ? key : `${this.#path}.${key}`;
  }
}
