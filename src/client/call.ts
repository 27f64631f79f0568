/**
 * One command between `call()` and its response.
 *
 * @module
 */

import { ConnectionError, type RcspError, TimeoutError } from "../errors.ts";
import { quote } from "../escape.ts";
import { COMMAND_VERSION } from "../message/command.ts";
import type { JsonObject } from "../message/json.ts";
import type { PayloadType } from "../wire/header.ts";

/** A command to be sent. */
export interface CallRequest {
  readonly name: string;
  readonly version: number;
  /** The arguments as JSON, if there are any. */
  readonly args: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Sent before everything that is queued, whatever `maxPending` is. */
  readonly urgent?: boolean | undefined;
  /** Queued whatever `maxPending` is. */
  readonly unlimited?: boolean | undefined;
  /**
   * Receives the response as it came, before the call resolves; also an error response, which then does not
   * reject. The payload is valid during the call only.
   */
  readonly onRaw?: ((type: PayloadType, payload: Uint8Array) => void) | undefined;
}

/** A command in the queue or in flight. */
export interface Call extends Pick<CallRequest, "name" | "timeout" | "signal" | "onRaw"> {
  readonly trackId: string;
  /** Emptied when it is sent. */
  json: string;
  readonly deadline: number;
  readonly resolve: (response: JsonObject) => void;
  readonly reject: (reason: unknown) => void;
  sent: boolean;
  settled: boolean;
  onAbort?: () => void;
}

/** @throws {TypeError} If it is not a number. */
export function checkVersion(version: number = COMMAND_VERSION): number {
  if (Number.isFinite(version)) return version;
  throw new TypeError(
    `Cannot send command as 'version' must be a number: current value is ${version}`,
  );
}

/** The error of a call that timed out. */
export function timeoutError({ name, timeout, sent }: Call, server: string): TimeoutError {
  const message = sent
    ? `${server} did not answer ${quote(name)} within ${timeout} ms`
    : `Command ${quote(name)} could not be sent to ${server} within ${timeout} ms`;
  return new TimeoutError(message, timeout, sent);
}

/** The error of a call whose connection has ended, or that will not get one. */
export function endedError({ name, sent }: Call, cause: RcspError): RcspError {
  // A protocol or limit error is more specific than the end of the connection.
  if (sent && !(cause instanceof ConnectionError)) return cause;
  const code = cause instanceof ConnectionError ? cause.code : "connection-closed";
  const fate = sent ? "was sent but not answered" : "was not sent";
  const message = `Command ${quote(name)} ${fate}: ${cause.message}`;
  return new ConnectionError(code, message, { sent, cause });
}
