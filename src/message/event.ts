/**
 * Events. Their field names are not documented publicly: they come from the dialect, and every event
 * keeps its raw body.
 *
 * @module
 */

import { type Dialect, readPath, writePath } from "../dialect.ts";
import type { DeviceId } from "./command.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";

/** The events of a subscription. */
export interface EventFilter {
  /** Who publishes, such as `DeviceEvents`. */
  readonly publisher: string;
  /** What is published, such as `ButtonPushed`. */
  readonly topic: string;
  /** One device; without it, the top-level `Subscribe` is sent. */
  readonly deviceId?: DeviceId | undefined;
}

/** An event that was received. */
export interface RcspEvent {
  /** Who publishes, if it is where the dialect expects it. */
  readonly publisher: string | undefined;
  /** What is published, if it is where the dialect expects it. */
  readonly topic: string | undefined;
  /** The device, if it is where the dialect expects it. */
  readonly deviceId: DeviceId | undefined;
  /** What happened, if it is where the dialect expects it. */
  readonly data: JsonValue | undefined;
  /** The whole body, as received. */
  readonly raw: JsonObject;
  /** When it was received: milliseconds since 1970, on the same clock as samples of motion. */
  readonly receivedAt: number;
}

/** An event to publish. */
export interface OutgoingEvent extends EventFilter {
  /** What happened. */
  readonly data?: JsonObject | undefined;
  /** How a button was pressed; written to the dialect's key path. */
  readonly pressType?: PressType | undefined;
}

/** How a button was pressed (confirmed spelling). */
export type PressType = "SinglePress" | "DoublePress" | "LongPress";

/** Every press type. */
export const PRESS_TYPES: readonly PressType[] = ["SinglePress", "DoublePress", "LongPress"];

/** Decodes the body of an event. A field of an unexpected type counts as absent. */
export function decodeEvent(raw: JsonObject, dialect: Dialect, receivedAt: number): RcspEvent {
  const { publisher, topic, deviceId, data } = dialect.event;
  // Engines make plain access fast where the key is always the same, as at each of these places.
  return {
    publisher: asString(ownValue(raw, publisher, raw[publisher])),
    topic: asString(ownValue(raw, topic, raw[topic])),
    deviceId: (ownValue(raw, deviceId, raw[deviceId]) ?? undefined) as DeviceId | undefined,
    data: ownValue(raw, data, raw[data]) ?? undefined,
    raw,
    receivedAt,
  };
}

/** Returns `found` if it may come from JSON; what objects inherit are functions and their prototype. */
function ownValue(raw: JsonObject, path: string, found: unknown): JsonValue | undefined {
  const inherited = typeof found === "function" || found === Object.prototype;
  return found === undefined || inherited ? readPath(raw, path) : found as JsonValue;
}

/** Returns the JSON of an event. */
export function encodeEvent(event: OutgoingEvent, dialect: Dialect): string {
  const body: JsonObject = {};
  const { publisher, topic, deviceId, data, pressType } = dialect.event;
  writePath(body, publisher, event.publisher);
  writePath(body, topic, event.topic);
  if (event.deviceId !== undefined) writePath(body, deviceId, event.deviceId);
  if (event.data !== undefined) writePath(body, data, event.data);
  if (event.pressType !== undefined) writePath(body, pressType, event.pressType);
  return JSON.stringify(body);
}

/**
 * Whether an event matches a filter. A field that the event lacks matches, since it is not known where a
 * real driver puts it.
 */
export function matches(event: RcspEvent, topic: EventFilter): boolean {
  return (event.publisher === undefined || event.publisher === topic.publisher) &&
    (event.topic === undefined || event.topic === topic.topic) &&
    (event.deviceId === undefined || topic.deviceId === undefined ||
      sameId(event.deviceId, topic.deviceId));
}

/** A string that is equal for equal filters only. */
export function filterKey({ publisher, topic, deviceId }: EventFilter): string {
  // An array around the id: the JSON of Infinity (1e400 on the wire) is `null`, as that of no id.
  return JSON.stringify([publisher, topic, deviceId === undefined ? null : [deviceId]]);
}

/** Whether two device ids are the same: `1` and `"1"` are not. */
export function sameId(one: DeviceId, other: DeviceId): boolean {
  return one === other ||
    typeof one === "object" && typeof other === "object" &&
      JSON.stringify(one) === JSON.stringify(other);
}

/** Finds the press type in an event by its value, at any depth. */
export function findPressType(value: JsonValue): PressType | undefined {
  if (typeof value === "string") return PRESS_TYPES.find((type) => type === value);
  if (Array.isArray(value)) return first(value, findPressType);
  return isObject(value) ? first(Object.values(value), findPressType) : undefined;
}

function first<T, R>(values: T[], find: (value: T) => R | undefined): R | undefined {
  for (const value of values) {
    const found = find(value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function asString(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
