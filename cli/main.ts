/**
 * The `rcsp` command, from a command line to an exit code. It touches the world through its `io` only.
 *
 * @module
 */

import { VERSION } from "@rcsp/rcsp";
import type { Command, Context } from "./command_line/command.ts";
import { COMPLETE, complete } from "./command_line/completion.ts";
import { allFlags, booleanFlag, COMMON_FLAGS } from "./command_line/flags.ts";
import { commandHelp, helpStyle, overview } from "./command_line/help.ts";
import { type CommandLine, readCommandLine, tokens, unknownFlag } from "./command_line/parse.ts";
import { findCommand } from "./command_line/suggest.ts";
import { openSession, serverOptions } from "./driver/session.ts";
import { EXIT, exitCode, sentence, UsageError } from "./exit_codes.ts";
import { type CliIo, type Clock, OutputClosed } from "./process/io.ts";
import { COMMANDS } from "./registry.ts";
import { Output, writeLine } from "./terminal/output.ts";
import { painter } from "./terminal/styles.ts";

/** Milliseconds that a command has to leave by itself after Ctrl-C. */
const GRACE = 2_000;
/** Most characters of an error that are shown: part of it may be foreign. */
const LONGEST_SENTENCE = 1_000;

const CLOCK: Clock = {
  now: () => performance.now(),
  set: (action, delay) => setTimeout(action, delay),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};
/** The flags that may come before a command, or in its place. */
const LEADING_FLAGS = [
  ...COMMON_FLAGS,
  booleanFlag("-v, --version", "show the version"),
];

/** See `main()` of `mod.ts`. */
export async function main(args: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(args, io);
  } catch (error) {
    if (error instanceof OutputClosed) return EXIT.ok;
    const code = exitCode(error);
    // After Ctrl-C nothing is a failure but output that is lost.
    if (io.signal.aborted && code !== EXIT.output) return EXIT.interrupted;
    await tell(io, `rcsp: ${sentence(error)}`);
    return code;
  }
}

/** Returns the exit code. */
async function dispatch(args: readonly string[], io: CliIo): Promise<number> {
  if (args[0] === COMPLETE) return await print(io, complete(args.slice(1), COMMANDS));
  const leading = tokens(args, LEADING_FLAGS);
  const first = leading.find(({ kind }) => kind === "positional");
  const style = helpStyle(
    io.stdout,
    painter(io.stdout, (name) => io.env(name), args.includes("--no-color")),
  );
  if (first === undefined) {
    const asked = leading.find(({ name = "" }) => ["version", "V", "help"].includes(name))?.name;
    if (asked === "help" || args.length === 0) return await print(io, overview(COMMANDS, style));
    if (asked !== undefined) return await print(io, `rcsp ${VERSION}\n`);
    const known = LEADING_FLAGS.map(({ name }) => name);
    const odd = leading.find(({ name }) => name !== undefined && !known.includes(name));
    const help = "rcsp help";
    if (odd?.rawName) throw unknownFlag(odd.rawName, { flags: LEADING_FLAGS, help });
    throw new UsageError(`No command given. Run '${help}'.`);
  }
  const command = findCommand(COMMANDS, first.value ?? "");
  const rest = args.toSpliced(first.index, 1);
  if (tokens(rest, allFlags(command)).some(({ name }) => name === "help")) {
    return await print(io, commandHelp(command, style));
  }
  const line = readCommandLine(rest, {
    flags: allFlags(command),
    positionals: command.positionals ?? [],
    env: (name) => io.env(name),
    help: `rcsp help ${command.name}`,
  });
  return await runCommand(command, line, io);
}

async function runCommand(command: Command, line: CommandLine, io: CliIo): Promise<number> {
  const { signal, clock = CLOCK } = io;
  const undos: (() => Promise<void> | void)[] = [];
  const json = command.prints === true && (line.on("json") || !io.stdout.isTerminal);
  const paint = painter(io.stdout, (name) => io.env(name), line.on("no-color"));
  const context: Context = {
    line,
    io,
    clock,
    signal,
    commands: COMMANDS,
    out: new Output(io.stdout, { json, paint }),
    log: (text) => tell(io, text),
    server: () => serverOptions(line, io),
    connect: (options = {}) => openSession(context, options, command.simulates === true),
    defer: (undo) => void undos.push(undo),
    pause: (milliseconds, until = signal) => pause(clock, milliseconds, until),
  };
  const overdue = Promise.withResolvers<false>();
  let timer: unknown;
  const onAbort = (): void => {
    timer = clock.set(() => overdue.resolve(false), GRACE);
  };
  signal.addEventListener("abort", onAbort);
  const work = run(command, context, undos);
  try {
    const isDone = await Promise.race([work.then(() => true), overdue.promise]);
    const isEnd = !signal.aborted || (isDone && command.endsWithCtrlC);
    return isEnd ? EXIT.ok : EXIT.interrupted;
  } finally {
    signal.removeEventListener("abort", onAbort);
    clock.clear(timer);
    work.catch(() => {});
  }
}

async function run(
  command: Command,
  context: Context,
  undos: (() => Promise<void> | void)[],
): Promise<void> {
  try {
    context.signal.throwIfAborted();
    await command.run(context);
  } finally {
    for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) await undo();
  }
}

async function print(io: CliIo, text: string): Promise<number> {
  await io.stdout.write(text);
  return EXIT.ok;
}

function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => {
    clock.clear(timer);
    signal.removeEventListener("abort", done);
    resolve();
  };
  const timer = clock.set(done, milliseconds);
  signal.addEventListener("abort", done);
  return promise;
}

/** Logs a line. It does not matter if nobody reads it. */
async function tell(io: CliIo, text: string): Promise<void> {
  const shown = text.length > LONGEST_SENTENCE ? `${text.slice(0, LONGEST_SENTENCE)}…` : text;
  await writeLine(io.stderr, shown).catch(() => {});
}
