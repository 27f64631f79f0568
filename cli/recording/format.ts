/**
 * The lines of a recording: one JSON object each. The first says which format it is:
 *
 *     {"rcsp-recording":1,"started":"2026-01-02T03:04:05.678Z","driver":"localhost:45451"}
 *     {"time":12.5,"direction":"out","connection":1,"type":"command","body":{…}}
 *
 * `time` is in milliseconds since the start, `direction` as the client sees it. A body is written as the
 * other side wrote it; where a line cannot hold it so, `text` beside it is its exact text as a string.
 * One that is not JSON is written as `hex`. Besides frames there are `bytes`, which are not RCSP, and `cut`,
 * a frame that the end of the connection left incomplete.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { escapeUnprintable } from "@rcsp/rcsp";
import { PayloadType } from "@rcsp/rcsp/wire";

/** The version of the format. */
export const FORMAT = 1;
/** The key that names it. */
export const FORMAT_KEY = "rcsp-recording";

/** The types of frames by their number. */
export const FRAME_NAMES: Readonly<Record<PayloadType, string>> = {
  [PayloadType.Command]: "command",
  [PayloadType.ResponseOk]: "ok",
  [PayloadType.ResponseError]: "error",
  [PayloadType.Event]: "event",
};

/** The numbers of frames by their type. */
export const FRAME_TYPES: ReadonlyMap<unknown, PayloadType> = new Map(
  Object.entries(FRAME_NAMES).map(([type, name]) => [name, Number(type) as PayloadType]),
);

/** As the client sees it. */
export type Direction = "in" | "out";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The first line. */
export function headLine(started: Date, about: Readonly<Record<string, string>>): string {
  const head = { [FORMAT_KEY]: FORMAT, started: started.toISOString(), ...about };
  return `${escapeUnprintable(JSON.stringify(head))}\n`;
}

/** The line of an entry, `time` milliseconds after the start. */
export function entryLine(time: number, entry: string): string {
  return `{"time":${Math.round(time * 1_000) / 1_000},${entry.slice(1)}\n`;
}

/** A frame as JSON. `connection` counts from 1. */
export function frameEntry(
  direction: Direction,
  connection: number,
  type: PayloadType,
  payload: Uint8Array,
): string {
  return entry(direction, connection, FRAME_NAMES[type], bodyOf(payload));
}

/** Bytes that are not RCSP, as JSON. */
export function bytesEntry(direction: Direction, connection: number, bytes: Uint8Array): string {
  return entry(direction, connection, "bytes", `"hex":"${toHex(bytes)}"`);
}

/** A frame that came in part only, as JSON; `received` counts its bytes. */
export function cutEntry(direction: Direction, connection: number, received: number): string {
  return entry(direction, connection, "cut", `"received":${received}`);
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function entry(direction: Direction, connection: number, type: string, rest: string): string {
  return `{"direction":"${direction}","connection":${connection},"type":"${type}",${rest}}`;
}

/**
 * The body as text that is JSON already: numbers keep all of their digits, and duplicate keys
 * stay. A newline in it can only be white space.
 */
function bodyOf(payload: Uint8Array): string {
  try {
    const text = decoder.decode(payload);
    JSON.parse(text);
    const shown = escapeUnprintable(text.replace(/[\r\n\t]/g, " ").trim());
    const exact = shown === text ? "" : `,"text":${escapeUnprintable(JSON.stringify(text))}`;
    return `"body":${shown}${exact}`;
  } catch {
    return `"hex":"${toHex(payload)}"`;
  }
}
