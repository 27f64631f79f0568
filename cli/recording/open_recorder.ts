/**
 * From the name of a file to what writes it.
 *
 * @module
 */

import type { Context } from "../command_line/command.ts";
import { Failure } from "../exit_codes.ts";
import { createFile } from "../process/files.ts";
import type { CliIo, FileOutput } from "../process/io.ts";
import type { NamedFile } from "./file_writer.ts";
import { LineRecorder } from "./line_recorder.ts";
import type { McapOptions } from "./mcap_recorder.ts";
import type { Recorder } from "./recorder.ts";

/** The ending of the name of a file that is written as MCAP. */
export const MCAP_ENDING = ".mcap";
/** The highest number of a file. */
const MOST_FILES = 99_999;

/** How to record; see `McapOptions`. */
export type RecorderOptions = Omit<McapOptions, "clock" | "started" | "open">;

/**
 * Creates a file, or takes standard output for `-`, and begins to write: MCAP where its name ends so,
 * or else lines of JSON. Several files, as takes and splits need them, are numbered.
 *
 * @throws {Failure} If it cannot be created; without `--force`, also if it exists.
 */
export async function openRecorder(
  { io, clock, line, log }: Context,
  path: string,
  options: RecorderOptions,
): Promise<Recorder> {
  const start = { clock, started: new Date(io.now()) };
  const force = line.on("force");
  if (!isMcap(path)) {
    const file = path === "-" ? toStdout(io) : await createFile(io, path, force);
    return new LineRecorder({ name: path, file }, { ...options, ...start });
  }
  // Only now: `@mcap/core` takes 50 ms to load.
  const { McapRecorder } = await import("./mcap_recorder.ts");
  if (options.onPress === undefined && options.split === undefined) {
    const file = await createFile(io, path, force);
    const open = () => ({ name: path, file });
    return new McapRecorder({ ...options, ...start, open });
  }
  let number = 0;
  const open = async (): Promise<NamedFile> => {
    for (;;) {
      const name = path.slice(0, -MCAP_ENDING.length) +
        `-${`${++number}`.padStart(3, "0")}${MCAP_ENDING}`;
      try {
        const file = await createFile(io, name, force);
        log(`Recording to ${name}`);
        return { name, file };
      } catch (error) {
        if (!isThere(error) || number >= MOST_FILES) throw error;
      }
    }
  };
  return new McapRecorder({ ...options, ...start, open });
}

/** Whether a file is written as MCAP. */
export function isMcap(path: string): boolean {
  return path.endsWith(MCAP_ENDING);
}

function isThere(error: unknown): boolean {
  return error instanceof Failure && (error.cause as { code?: unknown })?.code === "EEXIST";
}

function toStdout({ stdout }: CliIo): FileOutput {
  return { write: (data) => stdout.write(data as string), close: () => Promise.resolve() };
}
