/**
 * Creating clients.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import type { Connector } from "../socket/socket.ts";
import { Client } from "./client.ts";
import { clientOptions, type ConnectOptions, type TestHooks } from "./options.ts";
import type { RcspClient } from "./rcsp_client.ts";

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
  client.connections.start().catch(() => {});
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
    await client.connections.start();
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
  const { signal } = options;
  signal?.throwIfAborted();
  const client = new Client(connector, checked, hooks);
  const onAbort = (): void => {
    const cause = signal!.reason;
    const message = "The client's signal was aborted";
    client.connections.close(new ConnectionError("connection-closed", message, { cause }));
  };
  signal?.addEventListener("abort", onAbort);
  client.closed.then(() => signal?.removeEventListener("abort", onAbort));
  return client;
}
