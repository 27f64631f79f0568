/**
 * The options of a client. Free of any runtime.
 *
 * @module
 */

import { bareAddress } from "../socket/address.ts";
import type { Clock } from "../clock.ts";
import { type Dialect, dialect, type DialectOptions } from "../dialect.ts";
import type { RcspError } from "../errors.ts";
import { keepAliveDelay } from "../socket/keep_alive.ts";
import { limit } from "../limits.ts";
import type { Address, Connector } from "../socket/socket.ts";
import type { TracedFrame } from "./connection.ts";
import { type ReconnectOptions, type ReconnectPolicy, reconnectPolicy } from "./reconnect.ts";
import type { Tracing } from "./tracing.ts";

/** Where an RCSP server listens unless told otherwise: Rokoko's example host and port (confirmed). */
export const DEFAULT_ADDRESS: Address = { host: "localhost", port: 45451 };

/** Options of `connect()`. */
export interface ConnectOptions {
  /** Host name or IP address, IPv6 with or without brackets. Default: `localhost`. */
  host?: string | undefined;
  /** 1 to 65535. Default: 45451. */
  port?: number | undefined;
  /** Milliseconds for a connection to open. Default: 5000. */
  connectTimeout?: number | undefined;
  /** Milliseconds for each command to be answered. Default: 10000. */
  commandTimeout?: number | undefined;
  /** Longest body in bytes, both ways. Default: 16 MiB. */
  maxPayload?: number | undefined;
  /** Deepest nesting of a received body. Default: 64. */
  maxDepth?: number | undefined;
  /** Most commands without an answer; a call beyond rejects with a `LimitError`. Default: 1024. */
  maxPending?: number | undefined;
  /**
   * How a connection that is lost is replaced; `false` closes the client instead. Default: attempts
   * without end, 0.25 s to 10 s apart.
   */
  reconnect?: false | ReconnectOptions | undefined;
  /**
   * Milliseconds without anything received after which a harmless command (`ListDevices`, by dialect)
   * is sent; without an answer to it in `commandTimeout` the connection counts as lost. While a call
   * waits for its response the server may be busy with it: then it is sent only after another
   * `heartbeat` + `commandTimeout` without anything received. A server that carries out long commands
   * one by one needs a `commandTimeout` beyond the longest. Default: none.
   */
  heartbeat?: number | undefined;
  /** Milliseconds that a frame may stop half-way before the connection counts as lost. Default: 10000. */
  partialFrameTimeout?: number | undefined;
  /**
   * TCP keepalive, which finds a connection whose other end is gone without a word: milliseconds without
   * anything received before the first probe, in whole seconds; `false` for none. Default: 10000. Deno
   * can only switch it on or off: see `KeepAliveOptions`.
   */
  keepAlive?: false | number | undefined;
  /** Gives up connecting, and closes the client later: calls then reject with a `ConnectionError`. */
  signal?: AbortSignal | undefined;
  /** What differs from the assumed names: see `DIALECT`. */
  dialect?: DialectOptions | undefined;
  /** Told of each event whose body cannot be read; it is dropped, and the connection goes on. */
  onBadEvent?: ((error: RcspError) => void) | undefined;
  /** Sees every frame that is sent or received. */
  onFrame?: ((frame: TracedFrame) => void) | undefined;
  /** Where calls and states are published. Default: the runtime's `diagnostics_channel`, if it has one. */
  tracing?: Tracing | undefined;
  /** What opens the socket. Default: the adapter of the runtime. */
  connector?: Connector | undefined;
}

/** Options of a call. */
export interface CallOptions {
  /** Milliseconds until the call is given up, its wait to be sent included. Default: `commandTimeout`. */
  timeout?: number | undefined;
  /** Gives the call up: it rejects with the signal's reason. What was sent may still be carried out. */
  signal?: AbortSignal | undefined;
  /** The command's `Version`. Default: 1. */
  version?: number | undefined;
}

/** What surrounds a client; tests put their own in its place. */
export interface TestHooks {
  /** Default: the runtime's clock. */
  readonly clock?: Clock | undefined;
  /** Gives a number from 0 up to 1, for the jitter of waits. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** The options with every value checked and in its place. */
export interface ClientOptions {
  readonly address: Address;
  readonly connectTimeout: number;
  readonly commandTimeout: number;
  readonly maxPayload: number;
  readonly maxDepth: number;
  readonly maxPending: number;
  readonly reconnect: ReconnectPolicy | false;
  readonly heartbeat: number | undefined;
  readonly partialFrameTimeout: number;
  /** `undefined` leaves it to the connector. */
  readonly keepAlive: false | number | undefined;
  readonly closeTimeout: number;
  readonly dialect: Dialect;
  readonly onBadEvent: ((error: RcspError) => void) | undefined;
  readonly onFrame: ((frame: TracedFrame) => void) | undefined;
  readonly tracing: Tracing;
}

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError | RangeError} If one is wrong.
 */
export function clientOptions(options: ConnectOptions): ClientOptions {
  const { reconnect } = options;
  return {
    address: bareAddress({
      host: options.host ?? DEFAULT_ADDRESS.host,
      port: options.port ?? DEFAULT_ADDRESS.port,
    }),
    connectTimeout: limit("connectTimeout", options.connectTimeout),
    commandTimeout: limit("commandTimeout", options.commandTimeout),
    maxPayload: limit("maxPayload", options.maxPayload),
    maxDepth: limit("maxDepth", options.maxDepth),
    maxPending: limit("maxPending", options.maxPending),
    reconnect: reconnect === false ? false : reconnectPolicy(reconnect),
    heartbeat: heartbeatOf(options.heartbeat),
    partialFrameTimeout: limit("partialFrameTimeout", options.partialFrameTimeout),
    keepAlive: options.keepAlive === undefined ? undefined : keepAliveDelay(options.keepAlive),
    closeTimeout: limit("closeTimeout", undefined),
    dialect: dialect(options.dialect),
    onBadEvent: options.onBadEvent,
    onFrame: options.onFrame,
    tracing: options.tracing ?? {},
  };
}

/** `Infinity`, as in `LIMITS`, is none. */
function heartbeatOf(given: number | undefined): number | undefined {
  return given === undefined || given === Infinity ? undefined : limit("heartbeat", given);
}
