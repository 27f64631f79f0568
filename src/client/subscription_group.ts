/**
 * The subscriptions that share one command.
 *
 * @module
 */

import { type Dialect, writePath } from "../dialect.ts";
import { quote } from "../escape.ts";
import type { EventFilter, RcspEvent } from "../message/event.ts";
import type { JsonObject } from "../message/json.ts";
import { deviceIdOf } from "./device.ts";
import type { Sink } from "./subscription.ts";

/** `payload` is the body as received, valid during the call only. */
export type EventSink = Sink<RcspEvent, [payload: Uint8Array]>;

/** The subscriptions with one filter. */
export interface Group {
  readonly key: string;
  /** For messages. */
  readonly name: string;
  /** The two commands, and the arguments of both. */
  readonly subscribe: string;
  readonly unsubscribe: string;
  readonly args: JsonObject;
  readonly members: Set<Member>;
  /** Whether the command was handed to the current connection. */
  requested: boolean;
  accepted: boolean;
  /** Connections in a row that ended before the server had answered. */
  hangUps: number;
}

/** A sink in the registry. */
export interface Member {
  /** When it must have been accepted; `Infinity` once it is. */
  deadline: number;
  /** `undefined` for everything that arrives. */
  readonly filter: EventFilter | undefined;
  readonly group: Group | undefined;
  readonly sink: EventSink;
  /** Events received before it was added. */
  readonly since: number;
}

/** A group without members. */
export function newGroup(
  key: string,
  filter: EventFilter,
  { commands, subscription }: Dialect,
): Group {
  const { publisher, topic, deviceId } = filter;
  const args: JsonObject = {};
  if (deviceId !== undefined) writePath(args, subscription.deviceId, deviceId);
  writePath(args, subscription.publisher, publisher);
  writePath(args, subscription.topic, topic);
  const device = deviceId === undefined ? "" : ` of device ${quote(JSON.stringify(deviceId))}`;
  return {
    key,
    name: `${quote(`${publisher}/${topic}`)}${device}`,
    subscribe: deviceId === undefined ? commands.subscribe : commands.deviceSubscribe,
    unsubscribe: deviceId === undefined ? commands.unsubscribe : commands.deviceUnsubscribe,
    args,
    members: new Set(),
    requested: false,
    accepted: false,
    hangUps: 0,
  };
}

/**
 * Returns a copy.
 *
 * @throws {TypeError | RangeError} If a name is not a string, or the device id is invalid.
 */
export function checkFilter({ publisher, topic, deviceId }: EventFilter): EventFilter {
  for (const [name, value] of Object.entries({ publisher, topic })) {
    if (typeof value !== "string") {
      throw new TypeError(`Cannot subscribe as '${name}' must be a string, not ${typeof value}`);
    }
  }
  return { publisher, topic, deviceId: deviceId === undefined ? undefined : deviceIdOf(deviceId) };
}
