/**
 * The keys that are pressed in the terminal of this process, read only while they are meant for it: a
 * background job that reads its terminal, or changes its mode, is stopped.
 *
 * @module
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";

/** Milliseconds between looks whether a job in the background has come to the foreground. */
const LOOK_EVERY = 1_000;

/** Each key as it is pressed. Ctrl-C stays a signal; Ctrl-Z does not, as there is work before it. */
const KEY_MODE = ["-icanon", "-echo", "min", "1", "time", "0", "susp", "undef"];

const isWindows = process.platform === "win32";

/**
 * What reads the keys, one at a time; `undefined` where there is no terminal, or no way to see whose
 * turn it is. Ctrl-C on Windows calls `leave`.
 */
export function processKeys(
  leave: () => void,
): ((signal: AbortSignal) => AsyncIterable<string>) | undefined {
  if (!isatty(0) || isInForeground() === undefined) return undefined;
  return (signal) => keys(signal, leave);
}

async function* keys(signal: AbortSignal, leave: () => void): AsyncGenerator<string> {
  const { stdin } = process;
  const pressed: string[] = [];
  let wake = (): void => {};
  let before: string | undefined;
  let reading = false;
  const attend = (): void => {
    if (reading || !isInForeground()) return;
    reading = true;
    if (isWindows) stdin.setRawMode(true);
    else {
      before ??= stty("-g");
      stty(...KEY_MODE);
    }
    stdin.on("data", onData);
    stdin.resume();
  };
  const rest = (): void => {
    stdin.off("data", onData);
    stdin.pause();
    if (isWindows) stdin.setRawMode(false);
    else if (reading && before !== undefined && isInForeground()) stty(before);
    reading = false;
  };
  const onContinue = (): void => {
    // Whoever stopped us, the shell has had the terminal since.
    rest();
    attend();
  };
  const onData = (chunk: Uint8Array | string): void => {
    for (const key of typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)) {
      if (key === "\x03") leave();
      else if (key === "\x1a" && !isWindows) {
        rest();
        // All of the job, as a terminal does: it may be a pipeline, or have been started by npx.
        process.kill(0, "SIGTSTP");
      } else pressed.push(key);
    }
    wake();
  };
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  if (!isWindows) process.on("SIGCONT", onContinue);
  process.on("exit", rest);
  const timer = setInterval(attend, LOOK_EVERY);
  try {
    attend();
    while (!signal.aborted) {
      const key = pressed.shift();
      if (key !== undefined) yield key;
      else await new Promise<void>((resolve) => wake = resolve);
    }
  } finally {
    clearInterval(timer);
    process.off("exit", rest);
    process.off("SIGCONT", onContinue);
    signal.removeEventListener("abort", onAbort);
    rest();
  }
}

/**
 * Sets the modes of the terminal, or asks for them. Not with `setRawMode()`: all runtimes take that
 * back as they end, and are stopped there if they are in the background by then.
 */
function stty(...args: string[]): string | undefined {
  const stdio = ["inherit" as const, "pipe" as const, "ignore" as const];
  return spawnSync("stty", args, { stdio, encoding: "utf8" }).stdout?.trim();
}

/** Whether the terminal is this job's; `undefined` where that cannot be seen. */
function isInForeground(): boolean | undefined {
  if (isWindows) return true;
  const [group, foreground] = jobGroups();
  return foreground === undefined ? undefined : group === foreground;
}

/** The process groups of this job and of the terminal's foreground. */
function jobGroups(): (string | undefined)[] {
  try {
    // After the name, which may hold anything: state, parent, group, session, terminal, foreground.
    const stat = readFileSync("/proc/self/stat", "utf8");
    const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return [group, foreground];
  } catch {
    const args = ["-o", "pgid=", "-o", "tpgid=", "-p", `${process.pid}`];
    return spawnSync("ps", args, { encoding: "utf8" }).stdout?.trim().split(/\s+/) ?? [];
  }
}
