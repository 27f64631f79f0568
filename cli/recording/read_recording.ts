/**
 * A recording, read back.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Dialect, JsonObject } from "@rcsp/rcsp";
import { type JsonMember, jsonMembers, readPath } from "@rcsp/rcsp/server";
import { PayloadType } from "@rcsp/rcsp/wire";
import { UsageError } from "../exit_codes.ts";
import { describeValue, isObject } from "../text/values.ts";
import {
  type Body,
  commandKey,
  type RecordedAnswer,
  type RecordedConnection,
  type Recording,
} from "./contents.ts";
import { FORMAT, FORMAT_KEY, FRAME_TYPES } from "./format.ts";

/** Deepest body. */
const DEPTH = 1_000;

/**
 * Reads a recording of lines.
 *
 * @throws {UsageError} If it is none, of another format version, or has a line that is wrong. A last
 * line that was cut is left out with a warning.
 */
export function readRecording(bytes: Uint8Array, name: string, dialect: Dialect): Recording {
  if (bytes.length === 0) throw new UsageError(`Cannot replay ${name}: it is empty`);
  const reader = new RecordingReader(name, dialect);
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline === -1 ? bytes.length : newline;
    const text = decode(bytes.subarray(start, end));
    if (number === 1) checkHead(text, name);
    else if (text?.trim() !== "") reader.take(number, text, newline === -1);
    start = end + 1;
  }
  return reader.end();
}

function checkHead(text: string | undefined, name: string): void {
  const head = parseObject(text);
  const isHead = typeof head === "object" && Object.hasOwn(head, FORMAT_KEY);
  const version = isHead ? head[FORMAT_KEY] : undefined;
  if (version === FORMAT) return;
  const reason = isHead
    ? `its format version is ${describeValue(version)}, this rcsp reads ${FORMAT}`
    : "it is not a recording of 'rcsp record'";
  throw new UsageError(`Cannot replay ${name}: ${reason}`);
}

interface Pending {
  readonly key: string | undefined;
  readonly trackId: string | undefined;
  readonly subscribes: boolean;
}

interface Entry {
  time: number;
  readonly connection: number;
  readonly direction: unknown;
  readonly type: PayloadType | undefined;
  /** The body read as JSON; empty where it is none. */
  readonly json: JsonObject;
  readonly body: Body;
}

/** Takes a recording entry by entry. */
export class RecordingReader {
  readonly #name: string;
  readonly #dialect: Dialect;
  readonly #unit: "Line" | "Message";
  readonly #answers = new Map<string, RecordedAnswer[]>();
  readonly #connections = new Map<number, RecordedConnection & { pending: Pending[] }>();
  readonly #warnings: string[] = [];
  #time = 0;
  #backwards = false;
  #unasked = 0;

  /** Creates a reader; `unit` is what messages call an entry. */
  constructor(name: string, dialect: Dialect, unit: "Line" | "Message" = "Line") {
    this.#name = name;
    this.#dialect = dialect;
    this.#unit = unit;
  }

  #wrong(number: number, reason: string): UsageError {
    const entry = `${this.#unit.toLowerCase()} ${number}`;
    return new UsageError(`Cannot replay ${this.#name}: ${entry} is wrong: ${reason}`);
  }

  /** Takes the next entry; `undefined` is text that is not UTF-8. The last one may be cut. */
  take(number: number, text: string | undefined, isLast = false): void {
    const value = parseObject(text);
    if (typeof value === "string") {
      if (!isLast) throw this.#wrong(number, value);
      return void this.#warnings.push(`The last line, ${number}, is cut: left out`);
    }
    const entry = this.#entry(value, text!, number);
    if (entry.time < this.#time) {
      const what = `${this.#unit} ${number} is earlier than the one before: taken as now`;
      if (!this.#backwards) this.#warnings.push(what);
      this.#backwards = true;
      entry.time = this.#time;
    }
    this.#time = entry.time;
    this.#place(entry);
  }

  /** All of it. */
  end(): Recording {
    if (this.#unasked > 0) {
      this.#warnings.push(
        `${this.#unasked} answers are left out: what they answer is not recorded`,
      );
    }
    return {
      answers: this.#answers,
      connections: [...this.#connections.values()].filter(({ events }) => events.length > 0),
      end: this.#time,
      warnings: this.#warnings,
    };
  }

  #entry(value: JsonObject, text: string, number: number): Entry {
    const { time, direction, connection, type } = value;
    if (typeof time !== "number" || !Number.isFinite(time) || time < 0) {
      throw this.#wrong(number, `'time' is ${describeValue(time)}`);
    }
    if (!Number.isSafeInteger(connection)) {
      throw this.#wrong(number, `'connection' is ${describeValue(connection)}`);
    }
    if (typeof type !== "string") throw this.#wrong(number, `'type' is ${describeValue(type)}`);
    if (direction !== "in" && direction !== "out") {
      throw this.#wrong(number, `'direction' is ${describeValue(direction)}`);
    }
    const known = FRAME_TYPES.get(type);
    return {
      time,
      connection: connection as number,
      direction,
      type: known,
      ...known === undefined ? { json: {}, body: "" } : this.#body(value, text, number),
    };
  }

  #body(value: JsonObject, line: string, number: number): Pick<Entry, "json" | "body"> {
    const { body, hex, text } = value;
    if (typeof hex === "string" && /^(?:[\da-f]{2})*$/i.test(hex)) {
      return { json: {}, body: Buffer.from(hex, "hex") };
    }
    if (!isObject(body)) throw this.#wrong(number, `'body' is ${describeValue(body)}`);
    if (deeper(body, DEPTH)) throw this.#wrong(number, `'body' is nested deeper than ${DEPTH}`);
    if (text === undefined) return { json: body, body: valueText(line, "body") };
    if (typeof text === "string" && typeof parseObject(text) === "object") {
      return { json: body, body: text };
    }
    throw this.#wrong(number, "'text' is not a JSON object");
  }

  #place({ time, connection, direction, type, json, body }: Entry): void {
    let place = this.#connections.get(connection);
    if (place === undefined) {
      place = { anchor: time, subscribed: false, events: [], pending: [] };
      this.#connections.set(connection, place);
    }
    if (type === PayloadType.Command && direction === "out") place.pending.push(this.#asked(json));
    if (direction === "out") return;
    if (type === PayloadType.Event) place.events.push({ time, body });
    if (type !== PayloadType.ResponseOk && type !== PayloadType.ResponseError) return;
    const asked = place.pending.shift();
    if (asked?.key === undefined) return void this.#unasked++;
    const answers = this.#answers.get(asked.key) ?? [];
    this.#answers.set(asked.key, answers);
    const trackId = findTrackId(body, asked.trackId, this.#dialect);
    answers.push({ type, body, trackId });
    if (!asked.subscribes || place.subscribed) return;
    [place.anchor, place.subscribed] = [time, true];
  }

  #asked(body: JsonObject): Pending {
    const { subscribe, deviceSubscribe } = this.#dialect.commands;
    const trackId = readPath(body, "TrackId");
    return {
      key: commandKey(body),
      trackId: typeof trackId === "string" ? trackId : undefined,
      subscribes: [subscribe, deviceSubscribe].includes(String(body["Command"])),
    };
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true });

function decode(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text of a value at the top of a line; as `JSON.parse` has it, the last one counts. */
function valueText(line: string, name: string): string {
  let text = "";
  for (const { path, start, end } of jsonMembers(line)) {
    if (path === name) text = line.slice(start, end);
  }
  return text;
}

/** Returns the object, or why it is none. */
function parseObject(text: string | undefined): JsonObject | string {
  if (text === undefined) return "it is not UTF-8";
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : `it is ${describeValue(value)}, not an object`;
  } catch {
    return "it is not JSON";
  }
}

/**
 * Where an answer says which command it is for: where the dialect says or, if not, at the first key
 * that tells of a track and holds what the command had.
 */
function findTrackId(
  body: Body,
  trackId: string | undefined,
  dialect: Dialect,
): JsonMember | undefined {
  if (typeof body !== "string" || trackId === undefined) return undefined;
  let found: JsonMember | undefined;
  for (const member of jsonMembers(body)) {
    const isThere = member.path === dialect.trackId;
    if (!isThere && (found !== undefined || !/track/i.test(member.key))) continue;
    if (JSON.parse(body.slice(member.start, member.end)) === trackId) found = member;
  }
  return found;
}

function deeper(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => deeper(inner, levels - 1));
}
