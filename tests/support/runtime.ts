/** Detects the runtime, and runs child processes in the same way in all three. */

import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export type Runtime = "deno" | "bun" | "node";

/** The runtime that runs this file. */
export const runtime: Runtime = "Deno" in globalThis
  ? "deno"
  : "Bun" in globalThis
  ? "bun"
  : "node";

/**
 * Kills a child that hangs before its test times out; slow children finish far earlier. In
 * milliseconds.
 */
export const CHILD_TIMEOUT = 100_000;

/** Options of a child process. */
export interface RunOptions {
  /** Written to the child's standard input, which is then closed. */
  stdin?: string;
  /** Added to this process's environment; `undefined` removes a name. */
  env?: Record<string, string | undefined>;
  /** Working directory. Default: that of this process. */
  cwd?: string;
  /** Milliseconds until the child is killed. Default: `CHILD_TIMEOUT`. */
  timeout?: number;
}

/** Result of a child process. */
export interface RunResult {
  /** The exit code, or -1 if a signal ended the child. */
  code: number;
  stdout: string;
  stderr: string;
}

/** A running child process. */
export interface StartedChild {
  readonly pid: number;
  /** The lines of stdout without line ends; each is yielded once. */
  readonly lines: AsyncIterableIterator<string>;
  /** The next line of stdout. Rejects if the output ends first. */
  nextLine(): Promise<string>;
  /** Writes to standard input. */
  write(text: string): void;
  /** Closes standard input. */
  closeStdin(): void;
  /** How the child ended; `stdout` is empty as the lines have it. */
  readonly ended: Promise<RunResult>;
  /** Sends a signal, `SIGTERM` by default, and waits for the end. Repeated calls are harmless. */
  end(signal?: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<RunResult>;
}

/** The command that runs a script under the current runtime. */
export function runtimeCommand(script: string, ...args: string[]): string[] {
  const how = { deno: ["run", "-A"], bun: ["run"], node: [] }[runtime];
  return [process.execPath, ...how, script, ...args];
}

/** The command that runs a module's source under the current runtime. */
export function evalCommand(source: string): string[] {
  const how = { deno: ["eval"], bun: ["-e"], node: ["--input-type=module", "-e"] }[runtime];
  return [process.execPath, ...how, source];
}

/** Runs a command to its end. Rejects if it cannot be started or times out. */
export async function run(command: string[], options: RunOptions = {}): Promise<RunResult> {
  const { timeout = CHILD_TIMEOUT } = options;
  const child = spawnChild(command, options);
  const stdout = collectText(child.stdout);
  const stderr = collectText(child.stderr);
  child.stdin?.end(options.stdin ?? "");
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    child.kill("SIGKILL");
  }, timeout);
  try {
    const code = await exitCode(child);
    const result = { code, stdout: stdout(), stderr: stderr() };
    if (overdue) {
      throw new Error(
        `Cannot finish '${command.join(" ")}' within ${timeout} ms: ${JSON.stringify(result)}`,
      );
    }
    return result;
  } finally {
    clearTimeout(timer);
  }
}

/** Starts a command whose output is read while it runs. */
export function start(command: string[], options: RunOptions = {}): StartedChild {
  const child = spawnChild(command, options);
  const reader = createInterface({ input: notNull(child.stdout), crlfDelay: Infinity });
  const lines = reader[Symbol.asyncIterator]() as AsyncIterableIterator<string>;
  const stderr = collectText(child.stderr);
  if (options.stdin !== undefined) child.stdin?.end(options.stdin);
  const timer = setTimeout(() => child.kill("SIGKILL"), options.timeout ?? CHILD_TIMEOUT);
  const ended = (async (): Promise<RunResult> => {
    try {
      const code = await exitCode(child);
      return { code, stdout: "", stderr: stderr() };
    } finally {
      clearTimeout(timer);
    }
  })();
  ended.catch(() => {});
  return {
    pid: child.pid ?? -1,
    lines,
    async nextLine(): Promise<string> {
      const { done, value } = await lines.next();
      if (done) {
        const { code, stderr } = await ended;
        throw new Error(`Cannot read a line as the output ended: code ${code}, stderr '${stderr}'`);
      }
      return value;
    },
    write: (text) => void child.stdin?.write(text),
    closeStdin: () => void child.stdin?.end(),
    ended,
    async end(signal = "SIGTERM"): Promise<RunResult> {
      child.stdin?.end();
      child.kill(signal);
      reader.close();
      child.stdout?.resume();
      return await ended;
    },
  };
}

function spawnChild(command: string[], options: RunOptions): ChildProcess {
  const [program, ...args] = command;
  if (program === undefined) throw new TypeError("Cannot start a child: the command is empty");
  const env: Record<string, string | undefined> = { ...process.env, ...options.env };
  const child = spawn(program, args, {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  // A child that does not read its input may have exited before it is written.
  child.stdin?.on("error", () => {});
  return child;
}

/** Settles when the child has ended and its output is complete. */
function exitCode(child: ChildProcess): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("close", (code) => resolve(code ?? -1));
  return promise;
}

/** Collects a stream's output; complete after the child has exited. */
function collectText(stream: Readable | null): () => string {
  let text = "";
  notNull(stream).setEncoding("utf8").on("data", (chunk: string) => text += chunk);
  return () => text;
}

function notNull<T>(value: T | null): T {
  if (value === null) throw new TypeError("Cannot use a pipe that the child does not have");
  return value;
}
