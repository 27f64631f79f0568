/**
 * How the command ends: the exit codes, and which error leads to which.
 *
 * @module
 */

import { getSystemErrorMap } from "node:util";
import { CommandError, ConnectionError, LimitError, ProtocolError, TimeoutError } from "@rcsp/rcsp";

/** The exit codes. */
export const EXIT = {
  /** All went well; also when nobody reads the output any more. */
  ok: 0,
  /** The driver answered with an error, or does not have what was asked for. */
  refused: 1,
  /** The command line is wrong, or a file that it names. */
  usage: 2,
  /** No connection, or none any more; for a server, no port to listen on. */
  connection: 3,
  /** No answer in time. */
  timeout: 4,
  /** The other side does not follow the protocol, or goes beyond a limit. */
  protocol: 5,
  /** The runtime is too old. */
  runtime: 69,
  /** A fault of the command itself. */
  fault: 70,
  /** Output could not be written, or not all of it. */
  output: 74,
  /** Ctrl-C, or a request to end. */
  interrupted: 130,
} as const;

/** An end that is not well: a sentence for the user, and the exit code. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  /** The exit code. */
  readonly code: number;

  /** Makes a failure; the sentence has no full stop. */
  constructor(message: string, code: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The command line is wrong. */
export class UsageError extends Failure {
  override readonly name: string = "UsageError";

  /** Makes a usage error; the sentence has no full stop. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.usage, options);
  }
}

/** The exit code of an error. */
export function exitCode(error: unknown): number {
  if (error instanceof Failure) return error.code;
  if (error instanceof CommandError) return EXIT.refused;
  if (error instanceof TimeoutError) return EXIT.timeout;
  if (isForeign(error)) return EXIT.protocol;
  if (error instanceof ConnectionError) return EXIT.connection;
  return EXIT.fault;
}

/** Whether the other side does not follow the protocol, or exceeds a limit. */
function isForeign(error: unknown): boolean {
  // A service that sends first may end the connection before a command is sent.
  const reason = error instanceof ConnectionError ? error.cause : error;
  return reason instanceof ProtocolError || reason instanceof LimitError;
}

/** What failed, in one sentence; where no driver was found, also what to do about it. */
export function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof ConnectionError) {
    switch (error.code) {
      case "connection-refused":
        return `${message}. Is the Rokoko SDK running? ` +
          "Set --host and --port, or use --simulate or 'rcsp serve'";
      case "host-not-found":
      case "host-unreachable":
        return `${message}. Set --host to where the Rokoko SDK runs, or use --simulate`;
    }
  }
  if (isForeign(error)) return `${message}: 'rcsp doctor' finds out what listens there`;
  if (exitCode(error) === EXIT.fault) return `Internal error (please report it): ${message}`;
  return message;
}

/** Why the system refused, without its codes: `no space left on device`. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ((error as { code?: unknown }).code === "EISDIR") return "it is a folder";
  const [, text] = getSystemErrorMap().get((error as { errno?: number }).errno ?? 0) ?? [];
  return text ?? error.message;
}
