/**
 * From an address to a client. Free of any runtime.
 *
 * @module
 */

import { formatAddress } from "../address.ts";
import { CLOCK, type Clock } from "../clock.ts";
import { ConnectionError, RcspError, TimeoutError } from "../errors.ts";
import type { Connector, Socket } from "../socket.ts";
import { RcspClient } from "./client.ts";
import {
  type ClientOptions,
  clientOptions,
  type ConnectOptions,
  type Surroundings,
} from "./options.ts";

/**
 * Connects through a connector.
 *
 * Rejects with a `ConnectionError`, a `TimeoutError` after `connectTimeout`, the signal's reason,
 * or a `TypeError` or `RangeError` where an option is wrong.
 */
export async function connectThrough(
  connector: Connector,
  options: ConnectOptions = {},
  surroundings: Surroundings = {},
): Promise<RcspClient> {
  const checked = clientOptions(options);
  const { clock = CLOCK } = surroundings;
  const { signal } = options;
  signal?.throwIfAborted();
  const client = new RcspClient(
    (giveUp) => openSocket(connector, checked, clock, giveUp),
    checked,
    surroundings,
  );
  const onAbort = (): void => client.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  client.closed.then(() => signal?.removeEventListener("abort", onAbort));
  try {
    await client.open();
    return client;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Opens a socket within `connectTimeout`. What comes up too late is closed. */
async function openSocket(
  connector: Connector,
  { address, connectTimeout: timeout, keepAlive }: ClientOptions,
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket> {
  signal.throwIfAborted();
  const where = formatAddress(address);
  const giveUp = new AbortController();
  const onAbort = (): void => giveUp.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  const timer = clock.set(() => {
    giveUp.abort(new TimeoutError(`Cannot connect to ${where} within ${timeout} ms`, timeout));
  }, timeout);
  const abandoned = Promise.withResolvers<never>();
  giveUp.signal.addEventListener("abort", () => abandoned.reject(giveUp.signal.reason));
  const opening = Promise.resolve().then(() =>
    connector(address, { signal: giveUp.signal, keepAlive })
  );
  try {
    // A connector that does not heed its signal must not keep the caller waiting.
    const socket = await Promise.race([opening, abandoned.promise]);
    if (typeof socket?.read === "function") return socket;
    throw new TypeError("Cannot connect as the connector gave no socket");
  } catch (error) {
    opening.then((socket) => socket?.close?.(), () => {});
    if (error instanceof RcspError || error instanceof TypeError || error instanceof RangeError) {
      throw error;
    }
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Cannot connect to ${where}: ${reason}`;
    throw new ConnectionError("connection-failed", message, { cause: error });
  } finally {
    clock.clear(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
