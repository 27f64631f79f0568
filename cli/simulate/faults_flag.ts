/**
 * Faults and latencies as they stand in a command line.
 *
 * @module
 */

import type { Faults } from "@rcsp/rcsp/simulator";
import { parseDuration } from "../command_line/duration.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";
import { hint } from "../command_line/suggest.ts";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

const NAMES: Readonly<Record<string, keyof Faults>> = {
  cut: "cutAfter",
  garbage: "garbageAfter",
  silent: "silentAfter",
  slice: "slice",
  pause: "pause",
};

/**
 * `cut=1000,slice=1,pause=5ms`, or `none`
 *
 * @throws {UsageError} If it is wrong.
 */
export function parseFaults(text: string): Faults {
  const faults: Faults = {};
  if (text.trim() === "none") return faults;
  for (const part of text.split(",")) {
    const [name = "", value, ...more] = part.trim().split("=");
    const key = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
    if (key === undefined) {
      const names = Object.keys(NAMES);
      const known = hint(name, names, `The faults are ${names.join(", ")}`);
      throw new UsageError(`Unknown fault ${quote(name)}${known}`);
    }
    if (more.length > 0 || value === undefined) throw wrong(name, key, part);
    const number = key === "pause" ? parseDuration(value) : parseCount(value);
    if (number === undefined || number > LONGEST_TIMER || key === "slice" && number < 1) {
      throw wrong(name, key, value);
    }
    faults[key] = number;
  }
  return faults;
}

/**
 * `20ms`, or the least and the most: `20ms-80ms`
 *
 * @throws {UsageError} If it is wrong.
 */
export function parseLatency(text: string): [least: number, most: number] {
  const [least, most = least, ...more] = text.split("-").map(parseDuration);
  if (
    least === undefined || most === undefined || more.length > 0 || least > most ||
    most > LONGEST_TIMER
  ) {
    throw new UsageError(
      `'--latency' must be a time such as 20ms, or two such as 20ms-80ms, not ${quote(text)}`,
    );
  }
  return [least, most];
}

function parseCount(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function wrong(name: string, key: keyof Faults, value: string): UsageError {
  const rule = key === "pause"
    ? "a time, such as pause=5ms"
    : `a number of bytes, such as ${name}=${key === "slice" ? 1 : 1000}`;
  return new UsageError(`The fault '${name}' needs ${rule}, not ${quote(value)}`);
}
