/**
 * One attempt to connect.
 *
 * @module
 */

import { asRcspError, TimeoutError } from "../errors.ts";
import { formatAddress } from "../socket/address.ts";
import { orAbort } from "../socket/or_abort.ts";
import type { Connector, Socket } from "../socket/socket.ts";
import { type Clock, DeadlineTimer } from "../timers.ts";
import type { ClientOptions } from "./options.ts";

/** Opens a socket within `connectTimeout`. A connector may ignore its signal: the caller does not wait. */
export async function openSocket(
  connector: Connector,
  options: Pick<ClientOptions, "address" | "connectTimeout" | "keepAlive">,
  clock: Clock,
  end: AbortSignal,
): Promise<Socket> {
  end.throwIfAborted();
  const { address, connectTimeout: timeout, keepAlive } = options;
  const where = formatAddress(address);
  // Not `AbortSignal.any()`: the connector's signal must not outlive the attempt.
  const attempt = new AbortController();
  const { signal } = attempt;
  const onEnd = (): void => attempt.abort(end.reason);
  end.addEventListener("abort", onEnd);
  const alarm = new DeadlineTimer(clock, () => {
    attempt.abort(new TimeoutError(`Cannot connect to ${where} within ${timeout} ms`, timeout));
    return Infinity;
  });
  alarm.set(clock.now() + timeout);
  try {
    const opening = Promise.resolve().then(() => connector(address, { signal, keepAlive }));
    const socket = await orAbort(opening, signal);
    if (typeof socket?.read === "function") return socket;
    throw new TypeError("Cannot connect as the connector did not return a socket");
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    throw asRcspError(error, `Cannot connect to ${where}: `);
  } finally {
    alarm.clear();
    end.removeEventListener("abort", onEnd);
  }
}
