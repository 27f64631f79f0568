/**
 * The world as `node:process` and `node:fs` show it, in Deno, Bun and Node.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { constants, createReadStream } from "node:fs";
import { access, open, realpath, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import process from "node:process";
import { isatty } from "node:tty";
import { EXIT } from "../exit_codes.ts";
import type { CliIo, FileOutput } from "./io.ts";
import { processKeys } from "./keys.ts";
import { openBrowser } from "./open_browser.ts";
import { processOutput } from "./stdio.ts";

/** What is looked at of Deno: what is not permitted would ask the user or throw. */
interface DenoFacts {
  readonly noColor: boolean;
  readonly permissions: {
    querySync(descriptor: { name: string; variable?: string }): { readonly state: string };
  };
}

/** What Deno asks for where the state of a process is looked at. */
const ALL_PERMISSIONS = ["env", "ffi", "net", "read", "run", "sys", "write"];

const deno = (globalThis as { readonly Deno?: DenoFacts }).Deno;

/** Makes the `io` of this process; call it once. */
export function processIo(): CliIo {
  const leaving = new AbortController();
  const leave = (): void => {
    // Not the runtime's own end, which would leave the terminal's modes as they are.
    if (leaving.signal.aborted) process.exit(EXIT.interrupted);
    leaving.abort(new Error("Interrupted"));
  };
  process.on("SIGINT", () => {
    hideControlC();
    leave();
  });
  process.on("SIGTERM", leave);
  return {
    get stdin() {
      return process.stdin as AsyncIterable<Uint8Array>;
    },
    stdout: processOutput("standard output", 1, process.stdout),
    stderr: processOutput("stderr", 2, process.stderr),
    env: readEnv,
    signal: leaving.signal,
    readFile: readFileChunks,
    isSameFile,
    fileSize: async (path) => (await stat(path)).size,
    createFile,
    checkCreatable,
    run: runProgram,
    now: () => Date.now(),
    openBrowser: isatty(1) && isPermitted("run") && isPermitted("env") ? openBrowser : undefined,
    hostname: () => isPermitted("sys") ? hostname() : undefined,
    keys: ALL_PERMISSIONS.every((name) => isPermitted(name)) ? processKeys(leave) : undefined,
  };
}

/** A terminal shows `^C` where the next line begins. */
function hideControlC(): void {
  const screen = [process.stderr, process.stdout].find(({ isTTY }) => isTTY);
  screen?.write("\r  \r");
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([one, other].map((path) => stat(path, { bigint: true })));
    // The same file has other paths by links; some systems do not number files.
    if (a!.ino !== 0n) return a!.dev === b!.dev && a!.ino === b!.ino;
    return await realpath(one) === await realpath(other);
  } catch {
    // One of them is not there.
    return false;
  }
}

/**
 * See `CliIo.readFile()`. Opens the file with the first read: a stream that fails before anybody reads
 * it ends the process.
 */
export async function* readFileChunks(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path) as AsyncIterable<Uint8Array>;
}

/** See `CliIo.checkCreatable()`. */
export async function checkCreatable(
  path: string,
  { exclusive = false }: { exclusive?: boolean } = {},
): Promise<void> {
  const file = await open(path, "r+").catch((error) => {
    if (error.code !== "ENOENT") throw error;
  });
  if (file === undefined) return await access(dirname(path), constants.W_OK);
  await file.close();
  if (exclusive) throw Object.assign(new Error("It exists"), { code: "EEXIST" });
}

function runProgram(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number | string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn(program, args, { env, stdio: ["ignore", "inherit", "inherit"] });
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? signal ?? -1));
  });
}

function readEnv(name: string): string | undefined {
  if (isPermitted("env", name)) return process.env[name];
  return name === "NO_COLOR" && deno?.noColor ? "1" : undefined;
}

function isPermitted(name: string, variable?: string): boolean {
  const descriptor = variable === undefined ? { name } : { name, variable };
  return deno === undefined || deno.permissions.querySync(descriptor).state === "granted";
}

async function createFile(path: string, options?: { exclusive?: boolean }): Promise<FileOutput> {
  const file = await open(path, options?.exclusive ? "wx" : "w");
  return { write: (data) => file.writeFile(data), close: () => file.close() };
}
