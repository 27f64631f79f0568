/**
 * What a client tells those who watch it from outside. The channels have the shape of Node's
 * `diagnostics_channel`, which Deno and Bun have too; the core does not import it.
 *
 * Free of any runtime.
 *
 * @module
 */

import { callUserCallback } from "../user_callback.ts";
import type { Address } from "../socket/socket.ts";
import type { CallRequest } from "./call_queue.ts";
import type { ClientStatus } from "./rcsp_client.ts";

/** Where messages are published. */
export interface Channel {
  /** Nothing is made, let alone published, while this is `false`. */
  readonly hasSubscribers: boolean;
  /** Publishes a message. */
  publish(message: unknown): void;
}

/** The channels of a client, each optional. */
export interface Tracing {
  /** Gets a {@link CallTrace} for each call that has settled; `rcsp:call` by default. */
  readonly call?: { readonly hasSubscribers: boolean; publish(message: unknown): void } | undefined;
  /** Gets a {@link ConnectTrace} for each change of state; `rcsp:connect` by default. */
  readonly connect?:
    | { readonly hasSubscribers: boolean; publish(message: unknown): void }
    | undefined;
  /** Whether arguments are told in full. Default: `false`, as they may be anybody's data. */
  readonly showArguments?: boolean | undefined;
}

/** What is published of a call. */
export interface CallTrace {
  /** The command. */
  readonly command: string;
  /** Its arguments as JSON, or how long that is: `[37 characters]`. */
  readonly arguments: string | undefined;
  /** Milliseconds from the call to its settlement. */
  readonly duration: number;
  /** What it rejected with, if it did. */
  readonly error: unknown;
}

/** What is published of a change of state. */
export interface ConnectTrace {
  /** Where the client connects to. */
  readonly address: Address;
  /** What it is about now. */
  readonly status: ClientStatus;
}

/** Publishes how a call went, once it has; returns the answer for the caller. */
export function traceCall<T>(
  tracing: Tracing,
  request: CallRequest,
  answer: Promise<T>,
): Promise<T> {
  const { call: channel, showArguments } = tracing;
  if (!channel?.hasSubscribers) return answer;
  const began = performance.now();
  const { name: command, args } = request;
  const told = showArguments || args === undefined ? args : `[${args.length} characters]`;
  const tell = (error: unknown): void => {
    const duration = performance.now() - began;
    const trace: CallTrace = { command, arguments: told, duration, error };
    callUserCallback(() => channel.publish(trace));
  };
  // The caller gets the promise that follows: a rejection that nobody handles stays unhandled.
  return answer.then((response) => {
    tell(undefined);
    return response;
  }, (error) => {
    tell(error);
    throw error;
  });
}

/** Publishes a change of state. */
export function traceStatus(tracing: Tracing, address: Address, status: ClientStatus): void {
  const { connect: channel } = tracing;
  if (!channel?.hasSubscribers) return;
  const trace: ConnectTrace = { address, status };
  callUserCallback(() => channel.publish(trace));
}
