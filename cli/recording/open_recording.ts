/**
 * An MCAP file as the command line names it, read with progress.
 *
 * @module
 */

import type { Context } from "../command_line/command.ts";
import { systemReason, UsageError } from "../exit_codes.ts";
import { fileName } from "../process/files.ts";
import type { CliIo } from "../process/io.ts";
import { Progress } from "../terminal/progress.ts";
import type { McapItem, McapReader } from "./mcap_reader.ts";

/** Opens a file, or standard input for `-`; nothing is read yet. Ctrl-C ends the reading. */
export async function openMcap(io: CliIo, path: string): Promise<McapReader> {
  // Only now: `@mcap/core` takes 50 ms to load.
  const { McapReader } = await import("./mcap_reader.ts");
  const name = fileName(path);
  return new McapReader(named(path === "-" ? io.stdin : io.readFile(path), name, io.signal), name);
}

/**
 * What the file at `path` consists of; at its end the reader's warnings are logged, unless `isAgain` says
 * that they were before.
 *
 * @throws {UsageError} If it cannot be read or is not an MCAP file.
 */
export async function* readWithProgress(
  context: Context,
  path: string,
  reader: McapReader,
  isAgain = false,
): AsyncGenerator<McapItem> {
  const { io, log, signal } = context;
  const size = path === "-" ? undefined : await io.fileSize?.(path).catch(() => undefined);
  const progress = new Progress(context, size);
  let count = 0;
  try {
    for await (const item of reader.items()) {
      yield item;
      if (++count % 256 === 0) await progress.update(reader.offset);
      signal.throwIfAborted();
    }
  } finally {
    await progress.end();
  }
  for (const warning of isAgain ? [] : reader.warnings) await log(warning);
}

/** The bytes of a file; that it cannot be read is said in one sentence. */
async function* named(
  source: AsyncIterable<Uint8Array>,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (cause) {
    signal.throwIfAborted();
    throw new UsageError(`Cannot read ${name}: ${systemReason(cause)}`, { cause });
  }
}
