/**
 * Files and standard input, read with a bound.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { EXIT, Failure, systemReason, UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";
import type { CliIo, FileOutput } from "./io.ts";

/**
 * Reads a file, or standard input for `-`. Not more than `maxBytes` are kept or waited for, and not any
 * longer than until `io.signal` is aborted.
 *
 * @throws {UsageError} If it cannot be read or is too long.
 */
export async function readBytes(io: CliIo, path: string, maxBytes: number): Promise<Uint8Array> {
  const name = fileName(path);
  const source = (path === "-" ? io.stdin : io.readFile(path))[Symbol.asyncIterator]();
  const left = aborted(io.signal);
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const next = await Promise.race([source.next(), left.promise]).catch((cause) => {
        io.signal.throwIfAborted();
        throw new UsageError(`Cannot read ${name}: ${systemReason(cause)}`, { cause });
      });
      if (next.done) break;
      length += next.value.length;
      if (length > maxBytes) {
        throw new UsageError(`Cannot read ${name}: it is longer than ${maxBytes / 2 ** 20} MiB`);
      }
      // A copy, as the source may use its memory again.
      parts.push(next.value.slice());
    }
    return Buffer.concat(parts);
  } finally {
    left.done();
    // Not awaited: a source that waits for more could keep it waiting.
    source.return?.()?.then(undefined, () => {});
  }
}

/**
 * Reads UTF-8 as `readBytes()` reads bytes.
 *
 * @throws {UsageError} If it cannot be read, is too long, or is not UTF-8.
 */
export async function readText(io: CliIo, path: string, maxBytes: number): Promise<string> {
  const bytes = await readBytes(io, path, maxBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`Cannot read ${fileName(path)}: it is not UTF-8 text`, { cause });
  }
}

/** Reads JSON as `readText()` reads text. */
export async function readJson(io: CliIo, path: string, maxBytes: number): Promise<unknown> {
  return parseJson(await readText(io, path, maxBytes), fileName(path));
}

/**
 * Parses JSON that the user gave; `name` is what messages call it.
 *
 * @throws {UsageError} If it is none.
 */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot read ${name} as JSON: ${reason}`, { cause });
  }
}

/** The name of a file for messages. */
export function fileName(path: string): string {
  return path === "-" ? "standard input" : quote(path);
}

function aborted(signal: AbortSignal): { promise: Promise<never>; done: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const onAbort = (): void => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort);
  return { promise, done: () => signal.removeEventListener("abort", onAbort) };
}

/**
 * Creates a file.
 *
 * @throws {Failure} If it cannot be created; unless `force`, also if it is there.
 */
export async function createFile(io: CliIo, path: string, force: boolean): Promise<FileOutput> {
  return await io.createFile(path, { exclusive: !force }).catch(refuseFile(path));
}

/**
 * Checks that `createFile()` will work: for what takes a while before it has something to write.
 *
 * @throws {Failure} If not.
 */
export async function checkCreatable(io: CliIo, path: string, force: boolean): Promise<void> {
  await io.checkCreatable?.(path, { exclusive: !force }).catch(refuseFile(path));
}

/** By the codes of the system, whose own texts say less. */
const REASONS: Readonly<Record<string, string>> = {
  EEXIST: "it exists. Replace it with --force.",
  EISDIR: "it is a folder",
  ENOENT: "its folder does not exist",
  ENOTDIR: "its folder is a file",
};

function refuseFile(path: string): (cause: { code?: string }) => never {
  return (cause) => {
    const reason = REASONS[cause.code ?? ""] ?? systemReason(cause);
    throw new Failure(`Cannot create ${quote(path)}: ${reason}`, EXIT.usage, { cause });
  };
}
