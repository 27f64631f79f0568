/**
 * The world as `node:process` and `node:fs` show it, in Deno, Bun and Node.
 *
 * @module
 */

import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import process from "node:process";
import { type CliIo, type FileOutput, OutputClosed, type TextOutput } from "./io.ts";

/** What is looked at of Deno: reading a variable without permission would ask the user or throw. */
interface DenoEnv {
  readonly noColor: boolean;
  readonly permissions: {
    querySync(descriptor: { name: "env"; variable: string }): { readonly state: string };
  };
}

const deno = (globalThis as { readonly Deno?: DenoEnv }).Deno;

type OutputStream = typeof process.stdout | typeof process.stderr;

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
    stdout: textOutput(process.stdout),
    stderr: textOutput(process.stderr),
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

function textOutput(stream: OutputStream): TextOutput {
  const pending = new Set<(error: OutputClosed) => void>();
  let closed: OutputClosed | undefined;
  const onError = (cause: unknown): void => {
    closed ??= new OutputClosed("Nobody reads the output any more", { cause });
    for (const reject of pending) reject(closed);
  };
  stream.on("error", onError);
  return {
    async write(text: string): Promise<void> {
      if (closed !== undefined) throw closed;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      pending.add(reject);
      stream.write(text, (error) => {
        if (error) onError(error);
        else resolve();
      });
      await promise.finally(() => pending.delete(reject));
    },
    isTerminal: Boolean(stream.isTTY),
    get columns() {
      return stream.columns || 80;
    },
  };
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
