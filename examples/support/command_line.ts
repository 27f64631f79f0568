/**
 * What all examples have in common: their flags, the simulator, one sentence where something fails,
 * and foreign text that cannot steer the terminal.
 */

import process from "node:process";
import { ConnectionError, type ConnectOptions, type DeviceId, escapeUnprintable } from "@rcsp/rcsp";
import type { ConnectionErrorCode } from "@rcsp/rcsp/server";
import { startSimulator, type StartSimulatorOptions } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";

/** What an example takes besides the flags that all have. */
export interface ExampleOptions {
  /** The line that shows how to call it, without the common flags. */
  usage: string;
  /** Its own flags; each takes a value. */
  flags?: readonly string[];
  /** Most arguments that are no flags. Default: 0. */
  words?: number;
  /** What `--simulate` starts; `false` where the example starts its own. */
  simulator?: StartSimulatorOptions | false;
}

/** What the user asked for. */
export interface CommandLine {
  /** Goes to `connect()`. */
  server: ConnectOptions;
  /** Whether `--simulate` was given. */
  simulate: boolean;
  /** The arguments that are no flags. */
  words: string[];
  /** The value of a flag. */
  text(flag: string): string | undefined;
  /** The value of a flag that must be a whole number. */
  wholeNumber(flag: string, least: number, most: number): number | undefined;
}

/** The user asked for something that cannot be. */
export class UsageError extends Error {}

const COMMON_USAGE = `
  --host NAME      where the server is (localhost)
  --port NUMBER    its port (45451)
  --timeout MS     for the connection to open, and for each answer
  --simulate       use a simulated driver in this process, instead of --host and --port
  --help           show this`;

const NO_SERVER: readonly ConnectionErrorCode[] = [
  "connection-refused",
  "host-not-found",
  "host-unreachable",
];

const LONGEST_TIMER = 2 ** 31 - 1;
const leaving = new AbortController();

// Such as `| head -1`: nobody reads any more, which is no failure.
process.stdout.on("error", () => leaving.abort());

/** Runs an example. The exit code is 1 after a failure, 2 where the command line was wrong. */
export async function runExample(
  options: ExampleOptions,
  body: (line: CommandLine) => Promise<void>,
): Promise<void> {
  try {
    const line = readCommandLine(options);
    if (line === undefined) print(`Usage: ${options.usage}\n${COMMON_USAGE}`);
    else if (line.simulate && options.simulator !== false) {
      await using simulator = await startSimulator({ ...options.simulator, port: 0 });
      await body({ ...line, server: { ...line.server, ...simulator.address } });
    } else await body(line);
  } catch (error) {
    tell(sentence(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

/** Data: a line on standard output. */
export function print(text: string): void {
  process.stdout.write(`${escapeUnprintable(text, { layout: true })}\n`);
}

/** Talk: a line on standard error. */
export function tell(text: string): void {
  process.stderr.write(`${escapeUnprintable(text)}\n`);
}

/** A foreign value within a line: text as it is, anything else as JSON. */
export function inline(value: unknown): string {
  return escapeUnprintable(typeof value === "string" ? value : JSON.stringify(value));
}

/** A foreign value as JSON, indented. */
export function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** A device id as the user typed it: `1` is a number, `left` a text, `'"1"'` the text 1. */
export function deviceId(typed: string): DeviceId {
  let value: DeviceId | null;
  try {
    value = JSON.parse(typed);
  } catch {
    value = typed;
  }
  const inexact = typeof value === "number" && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  if (value !== null && !inexact) return value;
  throw new UsageError(`'--device' must be a device id, not '${typed}'`);
}

/** Aborts at Ctrl-C, at SIGTERM, and when nobody reads the output any more. */
export function interruption(): AbortSignal {
  for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => leaving.abort());
  return leaving.signal;
}

function readCommandLine(options: ExampleOptions): CommandLine | undefined {
  const flags = ["host", "port", "timeout", ...options.flags ?? []];
  const words: string[] = [];
  const parsed: { readonly [name: string]: unknown; _: unknown[] } = parseArgs(
    process.argv.slice(2),
    {
      string: flags,
      boolean: ["simulate", "help"],
      alias: { help: "h" },
      // The one safe way: among the results `--_` and `--__proto__` would not be seen.
      unknown(arg, option) {
        if (option !== undefined) {
          throw new UsageError(`There is no option '${arg}': --help shows all`);
        }
        words.push(arg);
        return false;
      },
    },
  );
  // `-h=1` is the number 1.
  if (parsed["help"] !== false) return undefined;

  // What follows `--` is not told as unknown.
  words.push(...parsed._.map(String));
  const surplus = words[options.words ?? 0];
  if (surplus !== undefined) throw new UsageError(`Cannot use '${surplus}': --help shows how`);

  const text = (flag: string): string | undefined => {
    const value = parsed[flag] as string | undefined;
    if (value === "") throw new UsageError(`'--${flag}' needs a value: --help shows how`);
    return value;
  };
  const wholeNumber = (flag: string, least: number, most: number): number | undefined => {
    const value = text(flag);
    if (value === undefined) return undefined;
    const number = /^\d+$/.test(value) ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    throw new UsageError(
      `'--${flag}' must be a whole number from ${least} to ${most}, not '${value}'`,
    );
  };
  const timeout = wholeNumber("timeout", 1, LONGEST_TIMER);
  return {
    server: {
      host: text("host"),
      port: wholeNumber("port", options.simulator === false ? 0 : 1, 65_535),
      connectTimeout: timeout,
      commandTimeout: timeout,
      // Most examples are done in a moment: what is lost is told at once.
      reconnect: false,
    },
    simulate: parsed["simulate"] === true,
    words,
    text,
    wholeNumber,
  };
}

function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof ConnectionError && NO_SERVER.includes(error.code)
    ? `${message}: the Rokoko SDK must run on that machine, or try --simulate`
    : message;
}
