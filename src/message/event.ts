/**
 * Events. Their field names are in no public text: all that stands here follows the dialect, and
 * every event carries its body as it came.
 *
 * @module
 */

import { type Dialect, readPath, writePath } from "../dialect.ts";
import type { DeviceId } from "./command.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";

/** What a subscription asks for. */
export interface EventFilter {
  /** Who publishes, such as `DeviceEvents`. */
  readonly publisher: string;
  /** What is published, such as `ButtonPushed`. */
  readonly topic: string;
  /** One device; left out, the top-level `Subscribe` is sent. */
  readonly deviceId?: DeviceId | undefined;
}

/** An event that was received. */
export interface RcspEvent {
  /** Who publishes, if the event says so where the dialect expects it. */
  readonly publisher: string | undefined;
  /** What is published, if the event says so where the dialect expects it. */
  readonly topic: string | undefined;
  /** The device, if the event says so where the dialect expects it. */
  readonly deviceId: DeviceId | undefined;
  /** What happened, if the event says so where the dialect expects it. */
  readonly data: JsonValue | undefined;
  /** The whole body, as it came. */
  readonly raw: JsonObject;
}

/** An event to be published. */
export interface OutgoingEvent extends EventFilter {
  /** What happened. */
  readonly data?: JsonObject | undefined;
  /** How a button was pressed; written where the dialect says. */
  readonly pressType?: PressType | undefined;
}

/** How a button was pressed (confirmed spelling). */
export type PressType = "SinglePress" | "DoublePress" | "LongPress";

/** Every press type. */
export const PRESS_TYPES: readonly PressType[] = ["SinglePress", "DoublePress", "LongPress"];

/** Reads an event's body by the dialect. A field of another type counts as absent. */
export function decodeEvent(raw: JsonObject, dialect: Dialect): RcspEvent {
  const { publisher, topic, deviceId, data } = dialect.event;
  return {
    publisher: asString(readPath(raw, publisher)),
    topic: asString(readPath(raw, topic)),
    deviceId: (readPath(raw, deviceId) ?? undefined) as DeviceId | undefined,
    data: readPath(raw, data) ?? undefined,
    raw,
  };
}

/** Makes an event's JSON by the dialect. */
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
 * Whether an event belongs to a topic. What the event does not say does not speak against it, as
 * nobody knows yet where a real driver says it.
 */
export function matches(event: RcspEvent, topic: EventFilter): boolean {
  return (event.publisher === undefined || event.publisher === topic.publisher) &&
    (event.topic === undefined || event.topic === topic.topic) &&
    (event.deviceId === undefined || topic.deviceId === undefined ||
      sameId(event.deviceId, topic.deviceId));
}

/** A text that two topics have in common only if they are the same. */
export function filterKey({ publisher, topic, deviceId }: EventFilter): string {
  // The id in an array, as the JSON of Infinity (1e400 on the wire) is that of no id.
  return JSON.stringify([publisher, topic, deviceId === undefined ? null : [deviceId]]);
}

/** Whether two device ids are the same: `1` and `"1"` are not. */
export function sameId(one: DeviceId, other: DeviceId): boolean {
  return one === other ||
    typeof one === "object" && typeof other === "object" &&
      JSON.stringify(one) === JSON.stringify(other);
}

/** The press type in an event, found by its value wherever it stands. */
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
