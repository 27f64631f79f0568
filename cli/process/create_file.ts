/**
 * Files that are written.
 *
 * @module
 */

import { EXIT, Failure } from "../exit_codes.ts";
import { quote } from "../text/values.ts";
import type { CliIo, FileOutput } from "./io.ts";

/**
 * Creates a file.
 *
 * @throws {Failure} If it cannot be created; unless `force`, also if it is there.
 */
export async function createFile(io: CliIo, path: string, force: boolean): Promise<FileOutput> {
  try {
    return await io.createFile(path, { exclusive: !force });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const help = force ? "" : ": --force replaces a file that is there";
    throw new Failure(`Cannot create ${quote(path)}: ${reason}${help}`, EXIT.usage, { cause });
  }
}
