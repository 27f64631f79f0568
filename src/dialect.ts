/**
 * Every name that public sources do not confirm, as settings for drivers that differ:
 * `connect({ dialect: { event: { topic: "Event" } } })`.
 *
 * A dialect is plain data, and can be loaded from a JSON file. A key path is one key, or several joined by
 * dots: `Data.PressType`.
 *
 * @module
 */

import { isObject, type JsonObject, type JsonValue } from "./message/json.ts";

/** The names that a client and a server use on the wire. */
export interface Dialect {
  /** Key path of the `TrackId` in a response (assumed). */
  readonly trackId: string;
  /** Commands that this module sends or implements. */
  readonly commands: {
    /**
     * A command without effect, for heartbeats and before a third attempt to subscribe (name confirmed, no
     * effect assumed).
     */
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
  /** Key paths in the arguments of the subscription commands (assumed, except `DeviceId`). */
  readonly subscription: {
    /** Who publishes. */
    readonly publisher: string;
    /** What is published. */
    readonly topic: string;
    /** The device; not in the top-level commands. */
    readonly deviceId: string;
  };
  /** Key paths in an event (all assumed). */
  readonly event: {
    /** Who publishes. */
    readonly publisher: string;
    /** What is published. */
    readonly topic: string;
    /** The device, if the event concerns one. */
    readonly deviceId: string;
    /** What happened. */
    readonly data: string;
    /** Where our server writes a press type; the client finds it by its value. */
    readonly pressType: string;
  };
  /** What `buttonPresses()` subscribes to: names confirmed, their roles assumed. */
  readonly button: {
    /** Who publishes. */
    readonly publisher: string;
    /** What is published. */
    readonly topic: string;
  };
  /** The `Code` of our server's errors (assumed: no list is public). */
  readonly errorCodes: {
    /** Invalid command. */
    readonly badCommand: string;
    /** Unknown command. */
    readonly unknownCommand: string;
    /** Missing or invalid argument. */
    readonly badArguments: string;
    /** Unknown device. */
    readonly unknownDevice: string;
    /** Unknown publisher or topic. */
    readonly unknownTopic: string;
    /** The client has too many subscriptions. */
    readonly tooManyTopics: string;
    /** The handler timed out. */
    readonly timeout: string;
    /** The handler failed. */
    readonly internal: string;
    /** Forwarding: the command is not on the list of allowed ones. */
    readonly notAllowed: string;
    /** Forwarding: the driver is not connected. */
    readonly unavailable: string;
    /** Forwarding: too many commands are pending. */
    readonly busy: string;
  };
}

/** Overrides of {@link DIALECT}. */
export type DialectOptions = { readonly [K in keyof Dialect]?: Partial<Dialect[K]> };

/** The default dialect. */
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
    notAllowed: "NotAllowed",
    unavailable: "Unavailable",
    busy: "Busy",
  },
};

/**
 * Returns the default dialect with overrides.
 *
 * @throws {TypeError} If a key is unknown, or a value is not a string.
 */
export function dialect(options: DialectOptions = {}): Dialect {
  return overlay(DIALECT, options, "dialect");
}

function overlay<T extends object | string>(base: T, over: unknown, path: string): T {
  if (over === undefined) return base;
  if (typeof base === "string") {
    if (typeof over === "string" && over !== "") return over as T;
    throw new TypeError(`'${path}' must be a string that is not empty`);
  }
  if (!isObject(over)) throw new TypeError(`'${path}' must be an object`);
  const unknown = Object.keys(over).find((key) => !Object.hasOwn(base, key));
  if (unknown !== undefined) {
    throw new TypeError(
      `'${path}' has no '${unknown}': its keys are ${Object.keys(base).join(", ")}`,
    );
  }
  const entries = Object.entries(base).map(([key, value]) => {
    return [key, overlay(value, over[key], `${path}.${key}`)];
  });
  return Object.fromEntries(entries);
}

/** The value at a key path, or `undefined`. Reads own keys only. */
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
 * Sets the value at a key path, creating objects as needed. Existing ones are copied first: they may be
 * the caller's.
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

// Assigning to `__proto__` would change the prototype.
function define(object: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}
