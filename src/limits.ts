/**
 * Every limit with its default, in one table. None of them is a fact of the protocol: no public text
 * names any.
 *
 * @module
 */

import { LONGEST_TIMER } from "./timers.ts";

/** The limits of both sides, by the name of the option that sets each. */
export interface Limits {
  /** Longest body of a frame, in bytes, received or sent. */
  readonly maxPayload: number;
  /** Deepest nesting of arrays and objects in a received body. */
  readonly maxDepth: number;
  /** Client: most commands without an answer, sent or waiting to be sent. */
  readonly maxPending: number;
  /** Client: time for a connection to open, in milliseconds. */
  readonly connectTimeout: number;
  /** Client: time for a command to be answered, its wait to be sent included, in milliseconds. */
  readonly commandTimeout: number;
  /** Client: time without anything received before a heartbeat, in milliseconds; off unless set. */
  readonly heartbeat: number;
  /** Time without a byte inside a frame before the connection is given up, in milliseconds. */
  readonly partialFrameTimeout: number;
  /** Client: time between the `ListDevices` of `presses()`, in milliseconds. */
  readonly pollInterval: number;
  /** Subscription: most events that wait to be read. */
  readonly buffer: number;
  /** Server: most clients at once. */
  readonly maxClients: number;
  /** Server: most unanswered commands of one client before it is not read any further. */
  readonly maxQueued: number;
  /** Server: most subscriptions of one client. */
  readonly maxTopics: number;
  /** Server: longest publisher, topic and device id of a subscription together, in characters. */
  readonly maxTopicLength: number;
  /** Server: most bytes that wait for one client before it is cut. */
  readonly maxUnsent: number;
  /** Server: time for a handler to carry out a command, in milliseconds; off unless set. */
  readonly handlerTimeout: number;
  /** Time for the last answers in a server's `close()` and a client's `drain()`, in milliseconds. */
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
 * The value of a limit: as given, or the default where none is given; a limit that is off unless set
 * may be given as `Infinity`. `option` is what the caller knows it by.
 *
 * @throws {RangeError} If it is not a whole number from 1 to the largest that the limit allows.
 */
export function limit(
  name: keyof Limits,
  given: number | undefined,
  option: string = name,
): number {
  if (given === undefined || given === Infinity && LIMITS[name] === Infinity) return LIMITS[name];
  return assertInteger(option, given, 1, LARGEST[name] ?? Number.MAX_SAFE_INTEGER);
}

/**
 * Returns `value` if it is a whole number from `least` to `most`. The message begins with `action`, such as
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
    `${action}'${name}' must be a whole number from ${least} to ${most}: current value is ${value}`,
  );
}
