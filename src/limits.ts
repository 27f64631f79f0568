/**
 * Limits and their defaults. None is part of the protocol: no public source names any.
 *
 * @module
 */

import { LONGEST_TIMER } from "./timers.ts";

/** The limits of clients and servers, by the option that sets each. */
export interface Limits {
  /** Maximum size of a body, in bytes, in both directions. */
  readonly maxPayload: number;
  /** Maximum nesting of arrays and objects in a received body. */
  readonly maxDepth: number;
  /** Client: maximum commands without a response, sent or waiting to be sent. */
  readonly maxPending: number;
  /** Client: time for a connection to open, in milliseconds. */
  readonly connectTimeout: number;
  /** Client: time for a command's response, including its wait to be sent, in milliseconds. */
  readonly commandTimeout: number;
  /** Client: silence before a heartbeat, in milliseconds; off by default. */
  readonly heartbeat: number;
  /** Time without a byte inside a frame until the connection is closed, in milliseconds. */
  readonly partialFrameTimeout: number;
  /** Client: time between the `ListDevices` of `presses()`, in milliseconds. */
  readonly pollInterval: number;
  /** Subscription: maximum unread events. */
  readonly buffer: number;
  /** Server: maximum number of clients. */
  readonly maxClients: number;
  /** Server: unanswered commands of one client at which it stops reading from it. */
  readonly maxQueued: number;
  /** Server: maximum subscriptions of one client. */
  readonly maxTopics: number;
  /** Server: maximum characters of a subscription's publisher, topic and device id together. */
  readonly maxTopicLength: number;
  /** Server: maximum unsent bytes of one client; an event above it disconnects the client. */
  readonly maxUnsent: number;
  /** Server: time for a handler, in milliseconds; off by default. */
  readonly handlerTimeout: number;
  /** Time for the last responses in a server's `close()` and a client's `drain()`, in milliseconds. */
  readonly closeTimeout: number;
}

/** The defaults. */
export const LIMITS: Limits = {
  maxPayload: 16 * 1024 * 1024,
  maxDepth: 64,
  maxPending: 1024,
  connectTimeout: 5_000,
  commandTimeout: 10_000,
  heartbeat: Infinity,
  partialFrameTimeout: 10_000,
  pollInterval: 2_000,
  buffer: 1024,
  maxClients: 1024,
  maxQueued: 1024,
  maxTopics: 1024,
  maxTopicLength: 1024,
  maxUnsent: 4 * 1024 * 1024,
  handlerTimeout: Infinity,
  closeTimeout: 5_000,
};

const LARGEST: Partial<Limits> = {
  // The size field of a header has 32 bits.
  maxPayload: 2 ** 32 - 1,
  connectTimeout: LONGEST_TIMER,
  commandTimeout: LONGEST_TIMER,
  heartbeat: LONGEST_TIMER,
  partialFrameTimeout: LONGEST_TIMER,
  pollInterval: LONGEST_TIMER,
  handlerTimeout: LONGEST_TIMER,
  closeTimeout: LONGEST_TIMER,
};

/**
 * The limits in the options of a client or a server, or their defaults.
 *
 * @throws {RangeError} If one is out of range.
 */
export function checkLimits(
  options: { readonly [K in keyof Limits]?: number | undefined },
): Limits {
  const names = Object.keys(LIMITS) as (keyof Limits)[];
  const entries = names.map((name) => [name, limit(name, options[name])]);
  return Object.fromEntries(entries);
}

/**
 * Returns the value of a limit, or its default. `Infinity` is allowed for limits that are off by default.
 * `option` is the option's name in messages.
 *
 * @throws {RangeError} If it is not an integer from 1 to the limit's maximum.
 */
export function limit(
  name: keyof Limits,
  value: number | undefined,
  option: string = name,
): number {
  if (value === undefined || value === Infinity && LIMITS[name] === Infinity) return LIMITS[name];
  return assertInteger(option, value, 1, LARGEST[name] ?? Number.MAX_SAFE_INTEGER);
}

/**
 * Returns `value` if it is an integer from `least` to `most`. The message begins with `action`, such as
 * `Cannot set LED as `.
 *
 * @throws {RangeError} If it is not.
 */
export function assertInteger(
  name: string,
  value: number,
  least: number,
  most: number,
  action = "",
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `${action}'${name}' must be an integer from ${least} to ${most}: current value is ${value}`,
  );
}
