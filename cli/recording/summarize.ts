/**
 * Reads a recording of either format for its {@link Summary}.
 *
 * @module
 */

import type { JsonObject } from "@rcsp/rcsp";
import type { Context } from "../command_line/command.ts";
import { UsageError } from "../exit_codes.ts";
import { fileName, readBytes } from "../process/files.ts";
import { isObject } from "../text/values.ts";
import { FORMAT_KEY, FRAME_TYPES } from "./format.ts";
import { lostChannel, METADATA_NAME, PRESS_CHANNEL } from "./mcap_schemas.ts";
import { openMcap, readWithProgress } from "./open_recording.ts";
import { PressFinder } from "./presses.ts";
import { Summary } from "./summary.ts";

const LINES_BYTES = 128 * 1024 * 1024;
/** What is kept of a file, whoever wrote it. */
const MOST_ATTACHMENTS = 1_000;
const LONGEST_NAME = 1_000;
/** Bytes of a press or a lost connection; a longer one is not shown. */
const LONGEST_MOMENT = 64 * 1024;
const MOMENTS = new Map<string, "press" | "loss">([
  [PRESS_CHANNEL.topic, "press"],
  [lostChannel("hands").topic, "loss"],
  [lostChannel("raw").topic, "loss"],
]);
const decoder = new TextDecoder();

/**
 * Reads an MCAP file.
 *
 * @throws {UsageError} If it cannot be read or is not one.
 */
export async function summarizeMcap(context: Context, path: string): Promise<Summary> {
  const reader = await openMcap(context.io, path);
  const summary = new Summary("mcap");
  for await (const item of readWithProgress(context, path, reader)) {
    if (item.type === "Metadata" && item.name === METADATA_NAME) {
      summary.about = Object.fromEntries(item.metadata);
    }
    if (item.type === "Attachment" && summary.attachments.length < MOST_ATTACHMENTS) {
      summary.attachments.push(item.name.slice(0, LONGEST_NAME));
    }
    if (item.type !== "Message") continue;
    const { channel, logTime, data } = item;
    const time = Number(logTime) / 1e6;
    summary.add(channel.topic, channel.messageEncoding, time, data.length);
    const kind = MOMENTS.get(channel.topic);
    if (kind === undefined || data.length > LONGEST_MOMENT) continue;
    const details = parse(decoder.decode(data));
    if (details !== undefined) summary.addMoment(kind, time, details);
  }
  summary.isComplete = reader.isComplete;
  return summary;
}

/**
 * Reads lines of JSON.
 *
 * @throws {UsageError} If it cannot be read or is not a recording.
 */
export async function summarizeLines({ io }: Context, path: string): Promise<Summary> {
  const bytes = await readBytes(io, path, LINES_BYTES);
  const [head = "", ...lines] = decoder.decode(bytes).split("\n");
  const about = parse(head);
  if (about === undefined || !Object.hasOwn(about, FORMAT_KEY)) {
    throw new UsageError(`Cannot read ${fileName(path)}: it is not a recording of 'rcsp record'`);
  }
  const summary = new Summary("lines");
  summary.about = about;
  const presses = new PressFinder();
  for (const line of lines) {
    const entry = parse(line);
    if (typeof entry?.["time"] !== "number") continue;
    const { time, direction, type, connection, body } = entry;
    summary.add(`/rcsp/${direction === "out" ? "out" : "in"}`, "json", time, line.length);
    const frame = FRAME_TYPES.get(type);
    if (direction !== "in" || frame === undefined) continue;
    const press = presses.look(frame, body);
    if (press === undefined) continue;
    const { name = null, ...rest } = press;
    summary.addMoment("press", time, { ...rest, name, connection: connection ?? null });
  }
  summary.isComplete = bytes.at(-1) === 0x0a;
  return summary;
}

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
