/**
 * Faults and latencies as written in a command line.
 *
 * @module
 */

import type { Faults, MotionFaults } from "@rcsp/rcsp/simulator";
import { parseDuration } from "../command_line/duration.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";
import { oneOf } from "../command_line/suggest.ts";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

/** What a fault's value is. */
interface Kind {
  /** For messages. */
  readonly rule: string;
  readonly example?: string;
  /** `undefined` if it is wrong. */
  read(value: string | undefined): number | true | undefined;
}

const BYTES: Kind = {
  rule: "a number of bytes",
  example: "1000",
  read: (value) => readNumber(value, /^\d+$/, [0, LONGEST_TIMER]),
};
const PIECE: Kind = {
  rule: "a number of bytes",
  example: "1",
  read: (value) => readNumber(value, /^\d+$/, [1, LONGEST_TIMER]),
};
const TIME: Kind = { rule: "a time", example: "5ms", read: readTime };
const SHARE: Kind = {
  rule: "a share from 0 to 1",
  example: "0.1",
  read: (value) => readNumber(value, /^(?:\d+|\d*\.\d+)$/, [0, 1]),
};
const SWITCH: Kind = { rule: "no value", read: (value) => value === undefined ? true : undefined };

type Table<T> = Readonly<Record<string, readonly [key: keyof T, kind: Kind]>>;

const FAULTS: Table<Faults> = {
  cut: ["cutAfter", BYTES],
  garbage: ["garbageAfter", BYTES],
  silent: ["silentAfter", BYTES],
  slice: ["slice", PIECE],
  pause: ["pause", TIME],
};
const MOTION_FAULTS: Table<MotionFaults> = {
  gaps: ["gaps", SHARE],
  jitter: ["jitter", TIME],
  stall: ["stall", SWITCH],
  duplicate: ["duplicateTimes", SHARE],
  backward: ["backwardTimes", SHARE],
  "no-openxr": ["noOpenXr", SWITCH],
  ...FAULTS,
};

/**
 * `cut=1000,slice=1,pause=5ms`, or `none`
 *
 * @throws {UsageError} If it is wrong.
 */
export function parseFaults(text: string): Faults {
  return parseList(text, FAULTS);
}

/**
 * `gaps=0.1,jitter=20ms,no-openxr` and what {@link parseFaults} knows, or `none`
 *
 * @throws {UsageError} If it is wrong.
 */
export function parseMotionFaults(text: string): MotionFaults {
  return parseList(text, MOTION_FAULTS);
}

/**
 * `20ms`, or the least and the most: `20ms-80ms`
 *
 * @throws {UsageError} If it is wrong.
 */
export function parseLatency(text: string): [least: number, most: number] {
  const [least, most = least, ...more] = text.split("-").map(readTime);
  if (least === undefined || most === undefined || more.length > 0 || least > most) {
    throw new UsageError(
      `'--latency' must be a time such as 20ms, or two such as 20ms-80ms, not ${quote(text)}`,
    );
  }
  return [least, most];
}

function parseList<T>(text: string, table: Table<T>): Partial<T> {
  const faults: Partial<Record<keyof T, number | true>> = {};
  const names = Object.keys(table);
  if (text.trim() === "none") return faults as Partial<T>;
  for (const part of text.split(",")) {
    const [name = "", ...values] = part.trim().split("=");
    oneOf(name, names, "Unknown fault", `The faults are ${names.join(", ")}`);
    const [key, kind] = table[name]!;
    const value = values.length > 1 ? undefined : kind.read(values[0]);
    if (value === undefined) {
      const found = values.length === 1 ? values[0]! : part;
      const example = kind.example === undefined ? "" : `, such as ${name}=${kind.example}`;
      throw new UsageError(`The fault '${name}' needs ${kind.rule}${example}, not ${quote(found)}`);
    }
    faults[key] = value;
  }
  return faults as Partial<T>;
}

function readNumber(
  value: string | undefined,
  form: RegExp,
  [least, most]: readonly [number, number],
): number | undefined {
  if (value === undefined || !form.test(value)) return undefined;
  const number = Number(value);
  return number >= least && number <= most ? number : undefined;
}

function readTime(value = ""): number | undefined {
  const time = parseDuration(value);
  return time !== undefined && time <= LONGEST_TIMER ? time : undefined;
}
