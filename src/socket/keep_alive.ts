/**
 * TCP keepalive: the system probes a connection on which nothing comes, so that one whose other end is
 * gone without a word (power, cable, Wi-Fi) is found. It assumes nothing about commands.
 *
 * @module
 */

import { assertInteger } from "../limits.ts";

/** Milliseconds. */
const DEFAULT = 10_000;
/** The runtimes count whole seconds, and Linux takes 15 bits of them. */
const LEAST = 1_000;
const MOST = 32_767_000;

/**
 * The delay as given, or the default of 10 s.
 *
 * @throws {RangeError} If it is neither `false` nor a whole number from 1000 to 32767000.
 */
export function keepAliveDelay(given: false | number | undefined): false | number {
  return given === false ? false : assertInteger("keepAlive", given ?? DEFAULT, LEAST, MOST);
}
