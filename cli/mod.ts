#!/usr/bin/env node
/**
 * The `rcsp` command. As a program:
 *
 *     deno run -N -E jsr:@rcsp/cli list
 *
 * Within another program, with a world of its own:
 *
 * ```ts
 * import { type CliIo, main } from "@rcsp/cli";
 *
 * const text: string[] = [];
 * const output = { write: (part: string) => Promise.resolve(void text.push(part)) };
 * const io: CliIo = {
 *   stdin: (async function* () {})(),
 *   stdout: { ...output, isTerminal: false, columns: 80 },
 *   stderr: { ...output, isTerminal: false, columns: 80 },
 *   env: () => undefined,
 *   signal: new AbortController().signal,
 *   readFile: () => (async function* () {})(),
 *   createFile: () => Promise.reject(new Error("There are no files here")),
 *   run: () => Promise.reject(new Error("There are no programs here")),
 *   now: () => Date.now(),
 * };
 * console.assert(await main(["list", "--simulate"], io) === 0);
 * console.assert(text.join("").includes("Smartglove"));
 * ```
 *
 * @module
 */

import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { CliIo } from "./process/io.ts";

export type {
  Address,
  ConnectionError,
  Connector,
  ConnectorOptions,
  RcspError,
  RcspErrorCode,
  Socket,
} from "@rcsp/rcsp";
export type {
  ConnectionErrorCode,
  KeepAliveOptions,
  Listen,
  Listener,
  ListenOptions,
} from "@rcsp/rcsp/server";
export type { ProtocolErrorCode } from "@rcsp/rcsp/wire";
export {
  type CliIo,
  type Clock,
  type FileOutput,
  OutputClosed,
  type TextOutput,
} from "./process/io.ts";

/** The oldest Node that can load the rest. */
const OLDEST_NODE = 22;

if (isProgram()) await runProgram();

/**
 * Runs a command line, without the program's name; resolves to the exit code. Never rejects.
 *
 * Codes: 0 ok, 1 the driver answered with an error, 2 usage, 3 no connection, 4 timeout, 5 protocol,
 * 70 a fault of the command, 74 output that could not be written, 130 interrupted.
 */
export async function main(args: readonly string[], io: CliIo): Promise<number> {
  // Not imported at the top: a Node that cannot load it must get as far as to say so.
  return await (await import("./main.ts")).main(args, io);
}

async function runProgram(): Promise<void> {
  const { node } = process.versions;
  if (parseInt(node) < OLDEST_NODE) {
    const needed = `Node ${OLDEST_NODE} or newer is required`;
    process.stderr.write(`rcsp: Cannot run on Node ${node}: ${needed}\n`);
    // `EXIT.runtime`
    process.exitCode = 69;
    return;
  }
  const { processIo } = await import("./process/process_io.ts");
  // All output is written by then, and standard input may never end.
  process.exit(await main(process.argv.slice(2), processIo()));
}

function isProgram(): boolean {
  const { main: isMain } = import.meta as { main?: boolean };
  if (isMain !== undefined) return isMain;
  // Node before 24.2 does not say.
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}
