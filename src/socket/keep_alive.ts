/**
 * TCP keepalive: the system probes a silent connection, to detect that the other end is gone (power, cable,
 * Wi-Fi). It needs no command.
 *
 * @module
 */

import { assertInteger } from "../limits.ts";

/** Milliseconds. */
const DEFAULT_DELAY = 10_000;
/** The runtimes use whole seconds; Linux accepts 15 bits of them. */
const LEAST = 1_000;
const MOST = 32_767_000;

/**
 * Returns the delay, by default 10 s.
 *
 * @throws {RangeError} If it is neither `false` nor an integer from 1000 to 32767000.
 */
export function keepAliveDelay(value: false | number | undefined): false | number {
  return value === false ? false : assertInteger("keepAlive", value ?? DEFAULT_DELAY, LEAST, MOST);
}
