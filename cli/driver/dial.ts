/**
 * A socket to the driver, for what is not a client.
 *
 * @module
 */

import { connector, LIMITS, type Socket, TimeoutError } from "@rcsp/rcsp";
import { formatAddress } from "@rcsp/rcsp/server";
import type { Driver } from "../command_line/command.ts";
import type { Clock } from "../process/io.ts";

/** Opens a socket. Rejects as a connector does, or with a `TimeoutError` after `connectTimeout`. */
export async function dial(
  server: Driver,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Socket> {
  const { host, port } = server;
  const timeout = server.connectTimeout ?? LIMITS.connectTimeout;
  signal.throwIfAborted();
  const overdue = new AbortController();
  const late = `No answer from ${formatAddress({ host, port })} within ${timeout} ms`;
  const timer = clock.set(() => overdue.abort(new TimeoutError(late, timeout)), timeout);
  try {
    const either = AbortSignal.any([signal, overdue.signal]);
    return await (server.connector ?? connector)({ host, port }, { signal: either });
  } finally {
    clock.clear(timer);
  }
}
