/**
 * Stdout and stderr, written so that nothing is lost without an error.
 *
 * @module
 */

import { fstatSync, writeFile } from "node:fs";
import { isatty } from "node:tty";
import type process from "node:process";
import { promisify } from "node:util";
import { EXIT, Failure, systemReason } from "../exit_codes.ts";
import { OutputClosed, type TextOutput } from "./io.ts";

type OutputStream = typeof process.stdout | typeof process.stderr;

/** An output of this process; `name` is what messages call it. */
export function processOutput(name: string, fd: 1 | 2, stream: OutputStream): TextOutput {
  let failure: Error | undefined;
  let last = Promise.resolve();
  const fail = (cause: unknown): Error => failure ??= writeError(name, cause);
  stream.on("error", fail);
  const put = isStreamed(fd)
    ? (text: string) => writeToStream(stream, text)
    : (text: string) => promisify(writeFile)(fd, text);
  return {
    async write(text: string): Promise<void> {
      // One after the other, so that what follows a failure is not left waiting.
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      try {
        if (failure !== undefined) throw failure;
        await put(text);
      } catch (cause) {
        throw fail(cause);
      } finally {
        resolve();
      }
    },
    isTerminal: isatty(fd),
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
  };
}

/** Node's stream of a file takes a write in part for a whole one: only the others are used. */
function isStreamed(fd: number): boolean {
  if (isatty(fd)) return true;
  const stats = fstatSync(fd);
  return stats.isFIFO() || stats.isSocket();
}

function writeToStream(stream: OutputStream, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.once("error", reject);
  // Where it throws, as on Deno in a terminal that has gone, the promise is not needed.
  stream.write(text, (error) => error ? reject(error) : resolve());
  return promise.finally(() => stream.off("error", reject));
}

/** Only that nobody reads is a quiet end. */
function writeError(name: string, cause: unknown): Error {
  if ((cause as { code?: unknown }).code === "EPIPE") {
    return new OutputClosed("Nobody reads the output any more", { cause });
  }
  const message = `Cannot write ${name}: ${systemReason(cause)}`;
  return new Failure(message, EXIT.output, { cause });
}
