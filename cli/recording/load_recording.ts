/**
 * A recording of either format, ready to be replayed. Of an MCAP file only RCSP is kept in memory.
 *
 * @module
 */

import type { Dialect } from "@rcsp/rcsp";
import type { Context } from "../command_line/command.ts";
import { UsageError } from "../exit_codes.ts";
import { fileName, readBytes } from "../process/files.ts";
import type { Recording } from "./contents.ts";
import { entryLine } from "./format.ts";
import type { MotionStreamName } from "./mcap_schemas.ts";
import { streamOf } from "./motion_player.ts";
import { isMcap } from "./open_recorder.ts";
import { openMcap, readWithProgress } from "./open_recording.ts";
import { readRecording, RecordingReader } from "./read_recording.ts";

/** The most RCSP that is kept, in bytes. */
const RECORDING_BYTES = 128 * 1024 * 1024;

/** What can be replayed. */
export interface Replayable {
  readonly recording: Recording;
  /** The motion streams in it. */
  readonly streams: ReadonlySet<MotionStreamName>;
  /** The time of the first message, in nanoseconds since 1970. */
  readonly start: bigint;
}

/**
 * Reads a recording.
 *
 * @throws {UsageError} If it cannot be read or is none, or has more RCSP than can be kept.
 */
export async function loadRecording(
  context: Context,
  path: string,
  dialect: Dialect,
): Promise<Replayable> {
  if (isMcap(path)) return await loadMcap(context, path, dialect);
  const bytes = await readBytes(context.io, path, RECORDING_BYTES);
  const recording = readRecording(bytes, fileName(path), dialect);
  return { recording, streams: new Set(), start: 0n };
}

async function loadMcap(context: Context, path: string, dialect: Dialect): Promise<Replayable> {
  const name = fileName(path);
  const reader = new RecordingReader(name, dialect, "Message");
  const streams = new Set<MotionStreamName>();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let start: bigint | undefined;
  let last = 0;
  let size = 0;
  // The first of a recording of lines is its head.
  let number = 1;
  const file = await openMcap(context.io, path);
  for await (const item of readWithProgress(context, path, file)) {
    if (item.type !== "Message") continue;
    const { channel: { topic }, logTime, data } = item;
    start ??= logTime;
    last = Math.max(last, Number(logTime - start) / 1e6);
    const stream = streamOf(topic);
    if (stream !== undefined) streams.add(stream);
    if (topic !== "/rcsp/in" && topic !== "/rcsp/out") continue;
    size += data.length;
    if (size > RECORDING_BYTES) {
      throw new UsageError(
        `Cannot replay ${name}: it has more than ${RECORDING_BYTES / 2 ** 20} MiB of RCSP`,
      );
    }
    const time = Math.max(Number(logTime - start) / 1e6, 0);
    reader.take(++number, entryOf(decoder, data, time));
  }
  return { recording: { ...reader.end(), end: last }, streams, start: start ?? 0n };
}

/** The line that a message would be; `undefined` where it is not UTF-8. */
function entryOf(decoder: TextDecoder, data: Uint8Array, time: number): string | undefined {
  try {
    return entryLine(time, decoder.decode(data)).trimEnd();
  } catch {
    return undefined;
  }
}

/** A part of a recording; times are milliseconds since its start. */
export function clip(recording: Recording, from: number, to: number): Recording {
  const connections = recording.connections.map((connection) => ({
    ...connection,
    anchor: Math.max(connection.anchor, from),
    events: connection.events.filter(({ time }) => time >= from && time <= to),
  }));
  return {
    ...recording,
    connections: connections.filter(({ events }) => events.length > 0),
    end: Math.min(recording.end, to),
  };
}
