/**
 * Creating clients.
 *
 * @module
 */

import { formatAddress } from "../socket/address.ts";
import { CLOCK, type Clock, DeadlineTimer } from "../timers.ts";
import { ConnectionError, RcspError, TimeoutError } from "../errors.ts";
import { orAbort } from "../socket/or_abort.ts";
import type { Connector, Socket } from "../socket/socket.ts";
import { Client } from "./client.ts";
import type { RcspClient } from "./rcsp_client.ts";
import {
  type ClientOptions,
  clientOptions,
  type ConnectOptions,
  type TestHooks,
} from "./options.ts";

/**
 * Connects with a connector of your own; `connect()` of `@rcsp/rcsp` uses the runtime's.
 *
 * Rejects with a `ConnectionError`, a `TimeoutError` after `connectTimeout`, the signal's reason,
 * or a `TypeError` or `RangeError` if an option is invalid or unknown.
 */
export function createClient(
  connector: Connector,
  options: ConnectOptions = {},
): Promise<RcspClient> {
  return openClient(connector, options);
}

/**
 * The same without waiting for the connection, for programs that start before the driver does. A first
 * connection that fails is retried as a lost one is: `statuses()` tells about it.
 *
 * @throws {TypeError | RangeError} If an option is invalid or unknown.
 */
export function startClient(connector: Connector, options: ConnectOptions = {}): RcspClient {
  const { reconnect } = options;
  const client = makeClient(connector, {
    ...options,
    reconnect: reconnect === false ? false : { ...reconnect, firstConnect: true },
  });
  // `closed` and the statuses tell why.
  client.open().catch(() => {});
  return client;
}

/** `createClient()` with the hooks of a test. */
export async function openClient(
  connector: Connector,
  options: ConnectOptions,
  hooks: TestHooks = {},
): Promise<RcspClient> {
  const client = makeClient(connector, options, hooks);
  try {
    await client.open();
    return client;
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
}

function makeClient(
  connector: Connector,
  options: ConnectOptions,
  hooks: TestHooks = {},
): Client {
  const checked = clientOptions(options);
  const { clock = CLOCK } = hooks;
  const { signal } = options;
  signal?.throwIfAborted();
  const client = new Client(
    (giveUp) => openSocket(connector, checked, clock, giveUp),
    checked,
    hooks,
  );
  const onAbort = (): void => client.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  client.closed.then(() => signal?.removeEventListener("abort", onAbort));
  return client;
}

/** Opens a socket within `connectTimeout`. A connector may ignore its signal: the caller does not wait. */
export async function openSocket(
  connector: Connector,
  { address, connectTimeout: timeout, keepAlive }: Pick<
    ClientOptions,
    "address" | "connectTimeout" | "keepAlive"
  >,
  clock: Clock,
  end: AbortSignal,
): Promise<Socket> {
  end.throwIfAborted();
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
    if (error instanceof RcspError || error instanceof TypeError || error instanceof RangeError) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Cannot connect to ${where}: ${reason}`;
    throw new ConnectionError("connection-failed", message, { cause: error });
  } finally {
    alarm.clear();
    end.removeEventListener("abort", onEnd);
  }
}
