/**
 * The world as `node:process` and `node:fs` show it, in Deno, Bun and Node.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import type { CliIo, FileOutput } from "./io.ts";
import { processOutput } from "./process_output.ts";

/** What is looked at of Deno: reading a variable without permission would ask the user or throw. */
interface DenoEnv {
  readonly noColor: boolean;
  readonly permissions: {
    querySync(descriptor: { name: "env"; variable: string }): { readonly state: string };
  };
}

const deno = (globalThis as { readonly Deno?: DenoEnv }).Deno;

/** Makes the `io` of this process; call it once. */
export function processIo(): CliIo {
  const leaving = new AbortController();
  const leave = (): void => {
    // Whoever asks a second time is not kept waiting: the runtime's own way of leaving is back.
    process.off("SIGINT", leave);
    process.off("SIGTERM", leave);
    leaving.abort(new Error("Interrupted"));
  };
  process.on("SIGINT", leave);
  process.on("SIGTERM", leave);
  return {
    get stdin() {
      return process.stdin as AsyncIterable<Uint8Array>;
    },
    stdout: processOutput("standard output", 1, process.stdout),
    stderr: processOutput("standard error", 2, process.stderr),
    env: readEnv,
    signal: leaving.signal,
    readFile: (path) => createReadStream(path) as AsyncIterable<Uint8Array>,
    createFile: async (path, options) =>
      fileOutput(await open(path, options?.exclusive ? "wx" : "w")),
    now: () => Date.now(),
    keys: process.stdin.isTTY ? (signal) => keys(signal, leave) : undefined,
  };
}

function readEnv(name: string): string | undefined {
  if (
    deno !== undefined &&
    deno.permissions.querySync({ name: "env", variable: name }).state !== "granted"
  ) {
    return name === "NO_COLOR" && deno.noColor ? "1" : undefined;
  }
  return process.env[name];
}

function fileOutput(file: FileHandle): FileOutput {
  return {
    async write(text: string): Promise<void> {
      await file.writeFile(text);
    },
    close: () => file.close(),
  };
}

async function* keys(signal: AbortSignal, leave: () => void): AsyncGenerator<string> {
  const { stdin } = process;
  const pressed: string[] = [];
  let wake = (): void => {};
  const onData = (chunk: Uint8Array | string): void => {
    for (const key of typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)) {
      // A terminal in raw mode makes no signal of Ctrl-C.
      if (key === "\x03") leave();
      else pressed.push(key);
    }
    wake();
  };
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  stdin.setRawMode(true);
  stdin.on("data", onData);
  stdin.resume();
  try {
    while (!signal.aborted) {
      const key = pressed.shift();
      if (key !== undefined) yield key;
      else await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stdin.off("data", onData);
    stdin.setRawMode(false);
    stdin.pause();
  }
}
