/**
 * One command of a client between `call()` and its answer. Free of any runtime.
 *
 * @module
 */

import { ConnectionError, type RcspError, TimeoutError } from "../errors.ts";
import type { JsonObject } from "../message/json.ts";
import { quote } from "../escape.ts";

/** A command to be sent. */
export interface CallRequest {
  readonly name: string;
  readonly version: number;
  /** The arguments as JSON, if there are any. */
  readonly args: string | undefined;
  /** Milliseconds. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** Goes before all that waits, and does not heed `maxPending`. */
  readonly urgent?: boolean | undefined;
  /** Does not heed `maxPending`. */
  readonly unlimited?: boolean | undefined;
}

/** A command on its way. */
export interface Call {
  readonly name: string;
  readonly trackId: string;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** Let go when it is taken for sending. */
  json: string;
  readonly deadline: number;
  readonly resolve: (response: JsonObject) => void;
  readonly reject: (reason: unknown) => void;
  sent: boolean;
  settled: boolean;
  onAbort?: () => void;
}

/** What a call rejects with when its time is over. */
export function timeoutError({ name, timeout, sent }: Call, server: string): TimeoutError {
  const message = sent
    ? `${server} did not answer ${quote(name)} within ${timeout} ms`
    : `Command ${quote(name)} could not be sent to ${server} within ${timeout} ms`;
  return new TimeoutError(message, timeout, sent);
}

/** What a call rejects with when its connection has ended, or there will be none any more. */
export function endedError({ name, sent }: Call, cause: RcspError): RcspError {
  // What was sent and then met a broken stream is told how it broke.
  if (sent && !(cause instanceof ConnectionError)) return cause;
  const code = cause instanceof ConnectionError ? cause.code : "connection-closed";
  const fate = sent ? "was sent but not answered" : "was not sent";
  const message = `Command ${quote(name)} ${fate}: ${cause.message}`;
  return new ConnectionError(code, message, { sent, cause });
}
