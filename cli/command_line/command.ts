/**
 * What a subcommand is. To add one:
 *
 * 1. Write `cli/commands/<name>.ts` that exports a {@link Command}: its words and flags are data, from
 *    which come parsing, checks, help and completions; `run(context)` does the work.
 * 2. Add it to `cli/registry.ts`: one import, one entry.
 * 3. Test it in process: `main(["name", …], io)` with the `testIo()` of `tests/support/cli_io.ts`.
 *
 * In `run`:
 *
 * - `await context.connect()` returns a client for the connection flags, which is closed afterwards.
 * - Write data with `context.out` (`value()`, `table()`, `line()`), which escapes foreign text, and
 *   diagnostics with `context.log()`. Nothing else writes.
 * - To fail, throw: a `Failure` or `UsageError` of `exit_codes.ts`, or what the client throws. `main()`
 *   reports it in one sentence and picks the exit code. To succeed, return.
 * - Register cleanup with `context.defer()`; it runs whatever happens, the last one first.
 * - Stop waiting when `context.signal` (Ctrl-C) aborts. A command that subscribes connects with
 *   `{ drain: true }`, so that Ctrl-C unsubscribes. A command that runs for more than two seconds
 *   after Ctrl-C is abandoned.
 *
 * @module
 */

import type { Address, ConnectOptions, RcspClient } from "@rcsp/rcsp";
import type { CliIo, Clock } from "../process/io.ts";
import type { Output } from "../terminal/output.ts";
import type { CommandLine, Flag, Positional } from "./parse.ts";

/** A subcommand. */
export interface Command {
  /** What is typed. */
  readonly name: string;
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  /** More about it for the help, in lines of up to 80 columns; paragraphs have an empty line between. */
  readonly details?: string | undefined;
  /** Its arguments that are not flags, in their order. */
  readonly positionals?: readonly Positional[] | undefined;
  /** Its own flags. `--help`, `--no-color`, and those of the three fields below need not be named. */
  readonly flags?: readonly Flag[] | undefined;
  /** Whether it has `--host`, `--port`, `--timeout` and `--dialect`. */
  readonly connects?: boolean | undefined;
  /** Whether it has `--simulate` too. */
  readonly simulates?: boolean | undefined;
  /** Whether it has `--json`. */
  readonly prints?: boolean | undefined;
  /**
   * Whether Ctrl-C is how it is meant to end: where `run` then returns, the exit code is 0. Where it
   * rejects, or takes too long, it was interrupted.
   */
  readonly endsWithCtrlC?: boolean | undefined;
  /** Command lines to begin with, each with what it does; at least one. */
  readonly examples: readonly (readonly [line: string, about: string])[];
  /** Does the work. */
  run(context: Context): Promise<void>;
}

/** Where the driver is, and how to connect. */
export type Driver = ConnectOptions & Address;

/** How a command wants to be connected. */
export interface SessionOptions {
  /** Whether a lost connection is to be replaced. Default: `false`. */
  readonly reconnect?: boolean | undefined;
  /** Whether Ctrl-C ends the client in good order, instead of at once. Default: `false`. */
  readonly drain?: boolean | undefined;
  /** What the client still does before it is drained. */
  readonly beforeDrain?: (() => Promise<void>) | undefined;
  /** Milliseconds between the presses of a simulated driver. Default: none. */
  readonly pressEvery?: number | undefined;
  /** Whether a simulated driver has a motion stream too. Default: `false`. */
  readonly motion?: boolean | undefined;
  /** Called with what leads to the driver, before it is connected to. */
  readonly onServer?: ((server: ConnectOptions) => void) | undefined;
  /** Goes to `connect()` besides. */
  readonly client?: ConnectOptions | undefined;
}

/** What a command works with. */
export interface Context {
  /** The command line. */
  readonly line: CommandLine;
  /** Where data goes. */
  readonly out: Output;
  /** The world. */
  readonly io: CliIo;
  /** Measures and waits. */
  readonly clock: Clock;
  /** Aborted when the user wants to leave. */
  readonly signal: AbortSignal;
  /** All commands, for those that tell about them. */
  readonly commands: readonly Command[];
  /** Logs a line to stderr, escaped. Never rejects. */
  log(text: string): Promise<void>;
  /** What the connection flags say, for commands that make their own connections. */
  server(): Promise<Driver>;
  /** Connects by the connection flags, to a simulated driver where `--simulate` says so. */
  connect(options?: SessionOptions): Promise<RcspClient>;
  /** Has something done after the command, whatever happens; the last one first. */
  defer(undo: () => Promise<void> | void): void;
  /** Waits; not any longer than until `signal` is aborted, by default `Context.signal`. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
