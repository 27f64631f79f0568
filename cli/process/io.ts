/**
 * What the command needs of the process that it runs in. Tests and programs that embed the command
 * bring their own.
 *
 * @module
 */

import type { Connector } from "@rcsp/rcsp";
import type { Listen } from "@rcsp/rcsp/server";

/** Where text goes. */
export interface TextOutput {
  /**
   * Writes text; resolves when more may be written. Rejects with an {@link OutputClosed} when nobody
   * reads any more; any other error ends the command as a failure.
   */
  write(text: string): Promise<void>;
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** How many columns a line has, in a terminal. */
  readonly columns: number;
  /** How many lines the terminal shows. Default: 24. */
  readonly rows?: number | undefined;
}

/** A file that is being written. */
export interface FileOutput {
  /** Adds bytes or text at the end; resolves when they are handed to the system. */
  write(data: string | Uint8Array): Promise<void>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** Measures time and sets timers. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Calls `action` once, after `delay` milliseconds. */
  set(action: () => void, delay: number): unknown;
  /** Cancels a `set`. */
  clear(timer: unknown): void;
}

/** All that the command touches of the world. */
export interface CliIo {
  /** Standard input, as it comes. It is read only where a command line asks for it. */
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Data goes here. */
  readonly stdout: TextOutput;
  /** Diagnostics go here: what happens, and what went wrong. */
  readonly stderr: TextOutput;
  /** The value of an environment variable, if it is set and may be read. */
  env(name: string): string | undefined;
  /** Aborted when the user wants to leave: Ctrl-C, or a request to end. */
  readonly signal: AbortSignal;
  /** The bytes of a file as they come. Reading rejects where the file cannot be read. */
  readFile(path: string): AsyncIterable<Uint8Array>;
  /** Whether two paths lead to the same file, which is there. Default: where they are equal. */
  readonly isSameFile?: ((one: string, other: string) => Promise<boolean>) | undefined;
  /** The size of a file in bytes, for progress. Default: progress has no end. */
  readonly fileSize?: ((path: string) => Promise<number>) | undefined;
  /**
   * Creates a file, or empties the one that is there; with `exclusive` rejects instead where there
   * is one.
   */
  createFile(path: string, options?: { exclusive?: boolean }): Promise<FileOutput>;
  /** Rejects where `createFile()` would, and creates nothing. Left out: it is not known before. */
  readonly checkCreatable?:
    | ((path: string, options?: { exclusive?: boolean }) => Promise<void>)
    | undefined;
  /**
   * Runs a program, without a shell and without input; its output goes where ours goes. Resolves to its
   * exit code, or the signal that ended it. Rejects if it cannot be started.
   */
  run(
    program: string,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<number | string>;
  /** Milliseconds since 1970, for timestamps. */
  now(): number;
  /**
   * The keys that the user presses, one at a time, until `signal` is aborted; none while the process
   * is in the background. Left out if stdin is not a terminal. Ctrl-C aborts `CliIo.signal`
   * and Ctrl-Z stops the process all the same.
   */
  readonly keys?: ((signal: AbortSignal) => AsyncIterable<string>) | undefined;
  /** Opens an address in the user's browser, if there is one. Default: nothing is opened. */
  readonly openBrowser?: ((url: string) => void) | undefined;
  /** The name of this machine. Left out if it may not be read. */
  readonly hostname?: (() => string | undefined) | undefined;
  /** Opens sockets. Default: the runtime's adapter. */
  readonly connector?: Connector | undefined;
  /** Listens. Default: the runtime's adapter. */
  readonly listen?: Listen | undefined;
  /** Measures and waits. Default: the runtime's clock. */
  readonly clock?: Clock | undefined;
}

/** Nobody reads the output any more, as after `| head -1`: no failure, but time to leave. */
export class OutputClosed extends Error {
  /** `OutputClosed`. */
  override readonly name: string = "OutputClosed";
}
