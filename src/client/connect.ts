/**
 * From an address to a client. Free of any runtime.
 *
 * @module
 */

import { dialect, type DialectOptions } from "../dialect.ts";
import { ConnectionError, RcspError, TimeoutError } from "../errors.ts";
import { limit } from "../limits.ts";
import type { Address, Connector, Socket } from "../socket.ts";
import { RcspClient } from "./client.ts";
import type { TracedFrame } from "./connection.ts";

/** Where an RCSP server listens unless told otherwise: Rokoko's example host and port (confirmed). */
export const DEFAULT_ADDRESS: Address = { host: "localhost", port: 45451 };

/** Options of `connect()`. */
export interface ConnectOptions {
  /** Host name or IP address. Default: `localhost`. */
  host?: string | undefined;
  /** 1 to 65535. Default: 45451. */
  port?: number | undefined;
  /** Milliseconds for the connection to open. Default: 5000. */
  connectTimeout?: number | undefined;
  /** Milliseconds for each command to be answered. Default: 10000. */
  commandTimeout?: number | undefined;
  /** Longest body in bytes, both ways. Default: 16 MiB. */
  maxPayload?: number | undefined;
  /** Deepest nesting of a received body. Default: 64. */
  maxDepth?: number | undefined;
  /** Most commands without an answer; a call beyond rejects with a `LimitError`. Default: 1024. */
  maxPending?: number | undefined;
  /** Gives up connecting, and closes the client later: calls then reject with a `ConnectionError`. */
  signal?: AbortSignal | undefined;
  /** What differs from the assumed names: see `DIALECT`. */
  dialect?: DialectOptions | undefined;
  /** Sees every frame that is sent or received, for tracing. */
  onFrame?: ((frame: TracedFrame) => void) | undefined;
  /** Only `false` is there yet: a connection that ends closes the client. */
  reconnect?: false | undefined;
  /** What opens the socket. Default: the adapter of the runtime. */
  connector?: Connector | undefined;
}

/**
 * Connects through a connector.
 *
 * Rejects with a `ConnectionError`, a `TimeoutError` after `connectTimeout`, the signal's reason,
 * or a `TypeError` or `RangeError` where an option is wrong.
 */
export async function connectThrough(
  connector: Connector,
  options: ConnectOptions = {},
): Promise<RcspClient> {
  if ((options.reconnect ?? false) !== false) {
    throw new TypeError("Cannot connect as 'reconnect' must be false: nothing else is there yet");
  }
  const host = options.host ?? DEFAULT_ADDRESS.host;
  const port = options.port ?? DEFAULT_ADDRESS.port;
  const parts = {
    dialect: dialect(options.dialect),
    commandTimeout: limit("commandTimeout", options.commandTimeout),
    maxPayload: limit("maxPayload", options.maxPayload),
    maxPending: limit("maxPending", options.maxPending),
    maxDepth: limit("maxDepth", options.maxDepth),
    onFrame: options.onFrame,
    signal: options.signal,
  };
  const timeout = limit("connectTimeout", options.connectTimeout);
  const socket = await open(connector, { host, port }, timeout, options.signal);
  return new RcspClient({ ...parts, socket });
}

/** Opens a socket within a time. What comes up too late is closed. */
async function open(
  connector: Connector,
  address: Address,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  signal?.throwIfAborted();
  const giveUp = new AbortController();
  const onAbort = (): void => giveUp.abort(signal!.reason);
  signal?.addEventListener("abort", onAbort);
  const timer = setTimeout(() => {
    const where = `${address.host}:${address.port}`;
    giveUp.abort(new TimeoutError(`Cannot connect to ${where} within ${timeout} ms`, timeout));
  }, timeout);
  const abandoned = Promise.withResolvers<never>();
  giveUp.signal.addEventListener("abort", () => abandoned.reject(giveUp.signal.reason));
  const opening = Promise.resolve().then(() => connector(address, { signal: giveUp.signal }));
  try {
    // A connector that does not heed its signal must not keep the caller waiting.
    const socket = await Promise.race([opening, abandoned.promise]);
    signal?.throwIfAborted();
    return socket;
  } catch (error) {
    opening.then((socket) => socket.close(), () => {});
    if (signal?.aborted || error instanceof RcspError) throw error;
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    throw new ConnectionError(
      "connection-failed",
      `Cannot connect to ${address.host}:${address.port}: ${(error as Error)?.message ?? error}`,
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
