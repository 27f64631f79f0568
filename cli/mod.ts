#!/usr/bin/env node
/**
 * The `rcsp` command. As a program:
 *
 *     deno run -N -E jsr:@rcsp/rcsp/cli list
 *
 * Within another program, with a world of its own:
 *
 * ```ts
 * import { type CliIo, main } from "@rcsp/rcsp/cli";
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
import { main } from "./main.ts";
import { processIo } from "./process_io.ts";

export { main } from "./main.ts";
export { OutputClosed } from "./io.ts";
export type { CliIo, FileOutput, TextOutput } from "./io.ts";
export type { Clock } from "../src/clock.ts";
export type { Address, Connector, Listen, Listener, Socket } from "../src/socket.ts";

if (isProgram()) {
  const code = await main(process.argv.slice(2), processIo());
  // All output is written by now, and standard input may never end.
  process.exit(code);
}

function isProgram(): boolean {
  const { main: isMain } = import.meta as { main?: boolean };
  if (isMain !== undefined) return isMain;
  // Node before 24.2 does not say.
  const [, script] = process.argv;
  return script !== undefined && realpathSync(script) === fileURLToPath(import.meta.url);
}
