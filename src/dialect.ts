/**
 * Every name that public sources do not confirm, in one object. A driver that differs is one setting
 * away: `connect({ dialect: { event: { topic: "Event" } } })`.
 *
 * All of it is plain data, so it can stand in a JSON file. A key path is a key, or keys joined by dots
 * where a value lies deeper: `Data.PressType`.
 *
 * @module
 */

import { isObject, type JsonObject, type JsonValue } from "./message/json.ts";

/** What is assumed about the protocol. */
export interface Dialect {
  /** Key path of the `TrackId` in a response (assumed). */
  readonly trackId: string;
  /** Names of the commands that this module sends or serves by itself. */
  readonly commands: {
    /** A harmless one, to see whether the server answers (name confirmed, harmlessness assumed). */
    readonly heartbeat: string;
    /** Top-level (name confirmed). */
    readonly subscribe: string;
    /** Top-level (assumed, by symmetry). */
    readonly unsubscribe: string;
    /** Of a device (name confirmed). */
    readonly deviceSubscribe: string;
    /** Of a device (name confirmed). */
    readonly deviceUnsubscribe: string;
  };
  /** Key paths in the arguments of those commands (assumed, but for `DeviceId`). */
  readonly subscription: {
    /** Who publishes. */
    readonly publisher: string;
    /** What is published. */
    readonly topic: string;
    /** The device; left out of the top-level commands. */
    readonly deviceId: string;
  };
  /** Key paths in an event (all assumed). */
  readonly event: {
    /** Who publishes. */
    readonly publisher: string;
    /** What is published. */
    readonly topic: string;
    /** The device, where the event is about one. */
    readonly deviceId: string;
    /** What happened. */
    readonly data: string;
    /** Where a server of ours writes a press type; a client finds it by its value. */
    readonly pressType: string;
  };
  /** What `buttonPresses()` subscribes to: names confirmed, which is which assumed. */
  readonly button: {
    /** Who publishes. */
    readonly publisher: string;
    /** What is published. */
    readonly topic: string;
  };
  /** The `Code` of the errors that a server of ours answers with (assumed: no list is public). */
  readonly errorCodes: {
    /** The command could not be read. */
    readonly badCommand: string;
    /** No such command. */
    readonly unknownCommand: string;
    /** An argument is missing or wrong. */
    readonly badArguments: string;
    /** No such device. */
    readonly unknownDevice: string;
    /** No such publisher or topic. */
    readonly unknownTopic: string;
    /** The client has as many subscriptions as it may. */
    readonly tooManyTopics: string;
    /** The server took too long to carry the command out. */
    readonly timeout: string;
    /** The server itself failed. */
    readonly internal: string;
  };
}

/** What differs from {@link DIALECT}; the rest stays. */
export type DialectOptions = { readonly [K in keyof Dialect]?: Partial<Dialect[K]> };

/** What this module assumes unless told otherwise. */
export const DIALECT: Dialect = {
  trackId: "TrackId",
  commands: {
    heartbeat: "ListDevices",
    subscribe: "Subscribe",
    unsubscribe: "Unsubscribe",
    deviceSubscribe: "DeviceSubscribe",
    deviceUnsubscribe: "DeviceUnsubscribe",
  },
  subscription: { publisher: "Publisher", topic: "Topic", deviceId: "DeviceId" },
  event: {
    publisher: "Publisher",
    topic: "Topic",
    deviceId: "DeviceId",
    data: "Data",
    pressType: "Data.PressType",
  },
  button: { publisher: "DeviceEvents", topic: "ButtonPushed" },
  errorCodes: {
    badCommand: "BadCommand",
    unknownCommand: "UnknownCommand",
    badArguments: "BadArguments",
    unknownDevice: "UnknownDevice",
    unknownTopic: "UnknownTopic",
    tooManyTopics: "TooManyTopics",
    timeout: "Timeout",
    internal: "InternalError",
  },
};

/**
 * The default dialect with what differs put over it.
 *
 * @throws {TypeError} If it has a key that no dialect has, or a value that is no string.
 */
export function dialect(options: DialectOptions = {}): Dialect {
  return overlay(DIALECT as unknown as Tree, options as Tree, "dialect") as unknown as Dialect;
}

interface Tree {
  readonly [key: string]: string | Tree;
}

function overlay(base: Tree, over: Tree, path: string): Tree {
  if (!isObject(over)) throw new TypeError(`'${path}' must be an object`);
  const unknown = Object.keys(over).find((key) => !Object.hasOwn(base, key));
  if (unknown !== undefined) {
    throw new TypeError(
      `'${path}' has no '${unknown}': its keys are ${Object.keys(base).join(", ")}`,
    );
  }
  const entries = Object.entries(base).map(([key, value]) => {
    const given = over[key];
    if (given === undefined) return [key, value];
    if (typeof value !== "string") return [key, overlay(value, given as Tree, `${path}.${key}`)];
    if (typeof given === "string" && given !== "") return [key, given];
    throw new TypeError(`'${path}.${key}' must be a string that is not empty`);
  });
  return Object.fromEntries(entries);
}

/** The value at a key path; `undefined` where there is none. Sees an object's own keys only. */
export function readPath(object: JsonObject, path: string): JsonValue | undefined {
  if (Object.hasOwn(object, path)) return object[path];
  if (!path.includes(".")) return undefined;
  let value: JsonValue | undefined = object;
  for (const key of path.split(".")) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/**
 * Puts a value at a key path, making the objects on the way. Those that are there are replaced by
 * copies, as they may be the caller's.
 */
export function writePath(object: JsonObject, path: string, value: JsonValue): void {
  const keys = path.split(".");
  const last = keys.pop()!;
  let target = object;
  for (const key of keys) {
    const next = Object.hasOwn(target, key) ? target[key] : undefined;
    const made: JsonObject = isObject(next) ? { ...next } : {};
    define(target, key, made);
    target = made;
  }
  define(target, last, value);
}

// A plain assignment to `__proto__` would change the prototype.
function define(object: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
