/**
 * Publishing calls and statuses to channels of the shape of Node's `diagnostics_channel`.
 *
 * @module
 */

import { callUserCallback } from "../user_callback.ts";
import type { Address } from "../socket/socket.ts";
import type { CallRequest } from "./call.ts";
import type { ClientStatus } from "./rcsp_client.ts";

/** The channels of a client, each optional. */
export interface Tracing {
  /** Receives a {@link CallTrace} for each settled call. Default: `rcsp:call`. */
  readonly call?: { readonly hasSubscribers: boolean; publish(message: unknown): void } | undefined;
  /** Receives a {@link ConnectTrace} for each change of status. Default: `rcsp:connect`. */
  readonly connect?:
    | { readonly hasSubscribers: boolean; publish(message: unknown): void }
    | undefined;
  /** Whether arguments are published in full. Default: `false`, as they may be private. */
  readonly showArguments?: boolean | undefined;
}

/** Published for each call. */
export interface CallTrace {
  /** The command. */
  readonly command: string;
  /** Its arguments as JSON, or only their length: `[37 characters]`. */
  readonly arguments: string | undefined;
  /** Milliseconds from the call until it settled. */
  readonly duration: number;
  /** The reason if it was rejected. */
  readonly error: unknown;
}

/** Published for each change of status. */
export interface ConnectTrace {
  /** The server's address. */
  readonly address: Address;
  /** The new status. */
  readonly status: ClientStatus;
}

/** Publishes a call once it has settled; returns the promise for the caller. */
export function traceCall<T>(
  tracing: Tracing,
  request: CallRequest,
  answer: Promise<T>,
): Promise<T> {
  const { call: channel, showArguments } = tracing;
  if (!channel?.hasSubscribers) return answer;
  const began = performance.now();
  const { name: command, args } = request;
  const shown = showArguments || args === undefined ? args : `[${args.length} characters]`;
  const publish = (error: unknown): void => {
    const duration = performance.now() - began;
    const trace: CallTrace = { command, arguments: shown, duration, error };
    callUserCallback(() => channel.publish(trace));
  };
  // The caller gets the promise that follows: a rejection that nobody handles stays unhandled.
  return answer.then((response) => {
    publish(undefined);
    return response;
  }, (error) => {
    publish(error);
    throw error;
  });
}

/** Publishes a change of status. */
export function traceStatus(tracing: Tracing, address: Address, status: ClientStatus): void {
  const { connect: channel } = tracing;
  if (!channel?.hasSubscribers) return;
  const trace: ConnectTrace = { address, status };
  callUserCallback(() => channel.publish(trace));
}
