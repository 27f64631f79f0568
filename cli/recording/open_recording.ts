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
import { type McapItem, McapReader } from "./mcap_reader.ts";

/** Reads a file once, from start to end; Ctrl-C ends it. */
export class OpenRecording {
  readonly reader: McapReader;
  readonly #context: Context;
  readonly #path: string;
  readonly #isAgain: boolean;

  /** `isAgain` says that the file was read before, so that its warnings are logged already. */
  constructor(context: Context, path: string, isAgain = false) {
    this.#isAgain = isAgain;
    this.#context = context;
    this.#path = path;
    this.reader = openReader(context.io, path);
  }

  /**
   * What the file consists of; at its end the reader's warnings are logged, unless the file is read again.
   *
   * @throws {UsageError} If it cannot be read or is not an MCAP file.
   */
  async *items(): AsyncGenerator<McapItem> {
    const { io, log, signal } = this.#context;
    const size = this.#path === "-"
      ? undefined
      : await io.fileSize?.(this.#path).catch(() => undefined);
    const progress = new Progress(this.#context, size);
    let count = 0;
    try {
      for await (const item of this.reader.items()) {
        yield item;
        if (++count % 256 === 0) await progress.update(this.reader.offset);
        signal.throwIfAborted();
      }
    } finally {
      await progress.end();
    }
    for (const warning of this.#isAgain ? [] : this.reader.warnings) await log(warning);
  }
}

/**
 * What a file consists of, without progress and warnings.
 *
 * @throws {UsageError} As {@link OpenRecording.items}.
 */
export function readItems(io: CliIo, path: string): AsyncIterable<McapItem> {
  return openReader(io, path).items();
}

function openReader(io: CliIo, path: string): McapReader {
  const name = fileName(path);
  const source = path === "-" ? io.stdin : io.readFile(path);
  return new McapReader(named(source, name, io.signal), name);
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
