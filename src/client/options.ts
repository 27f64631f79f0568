/**
 * The options of a client.
 *
 * @module
 */

import { connectAddress } from "../socket/address.ts";
import type { Clock } from "../timers.ts";
import { type Dialect, dialect, type DialectOptions } from "../dialect.ts";
import type { RcspError } from "../errors.ts";
import { keepAliveDelay } from "../socket/keep_alive.ts";
import { quote } from "../escape.ts";
import { checkLimits, type Limits } from "../limits.ts";
import { describeValue, isObject } from "../message/json.ts";
import type { Address, Connector } from "../socket/socket.ts";
import { checkKeys } from "./check_keys.ts";
import type { TracedFrame } from "./connection.ts";
import { type ReconnectOptions, type ReconnectPolicy, reconnectPolicy } from "./reconnect.ts";
import type { Tracing } from "./tracing.ts";

/** The default address of an RCSP server: Rokoko's example host and port (confirmed). */
export const DEFAULT_ADDRESS: Address = { host: "localhost", port: 45451 };

/** Options of `connect()`. */
export interface ConnectOptions {
  /** Host name or IP address, IPv6 with or without brackets. Default: `localhost`. */
  host?: string | undefined;
  /** 1 to 65535. Default: 45451. */
  port?: number | undefined;
  /** Milliseconds to open a connection. Default: 5000. */
  connectTimeout?: number | undefined;
  /** Milliseconds until a call times out, its wait to be sent included. Default: 10000. */
  commandTimeout?: number | undefined;
  /** Longest body, sent or received, in bytes. Default: 16 MiB. */
  maxPayload?: number | undefined;
  /** Deepest nesting of a received body. Default: 64. */
  maxDepth?: number | undefined;
  /** Most pending commands; a further call rejects with a `LimitError`. Default: 1024. */
  maxPending?: number | undefined;
  /**
   * How to reconnect after a connection is lost; `false` closes the client instead. Default: retry
   * forever, 0.25 s to 10 s apart.
   */
  reconnect?: false | ReconnectOptions | undefined;
  /**
   * Milliseconds without received bytes after which the client sends a harmless command (`ListDevices`;
   * see `DIALECT`). If it is not answered within `commandTimeout`, the connection is lost. While a call
   * is pending the server may be busy with it: then the heartbeat is sent only after another
   * `heartbeat` + `commandTimeout` without received bytes. If a server carries out long commands one by
   * one, set `commandTimeout` above the longest. Default: off.
   */
  heartbeat?: number | undefined;
  /** Milliseconds without progress inside a frame until the connection is lost. Default: 10000. */
  partialFrameTimeout?: number | undefined;
  /**
   * TCP keepalive, which detects half-open connections: milliseconds without received bytes before the
   * first probe, in whole seconds; `false` turns it off. Default: 10000. Deno can only turn it on or off:
   * see `KeepAliveOptions`.
   */
  keepAlive?: false | number | undefined;
  /** Cancels connecting; later, closes the client: calls then reject with a `ConnectionError`. */
  signal?: AbortSignal | undefined;
  /** Names that differ from the assumed ones: see `DIALECT`. */
  dialect?: DialectOptions | undefined;
  /** Called with the error of each event whose body cannot be read. The event is dropped. */
  onBadEvent?: ((error: RcspError) => void) | undefined;
  /** Called for every frame that is sent or received. */
  onFrame?: ((frame: TracedFrame) => void) | undefined;
  /** Where calls and statuses are published. Default: the runtime's `diagnostics_channel`. */
  tracing?: Tracing | undefined;
  /** Opens the socket. Default: the adapter of the runtime. */
  connector?: Connector | undefined;
}

/** What tests replace. */
export interface TestHooks {
  /** Default: the runtime's clock. */
  readonly clock?: Clock | undefined;
  /** Returns a number from 0 up to 1, for the jitter of waits. Default: `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** The options, checked and complete. */
export interface ClientOptions
  extends Limits, Pick<ConnectOptions, "keepAlive" | "onBadEvent" | "onFrame"> {
  readonly address: Address;
  readonly reconnect: ReconnectPolicy | false;
  readonly dialect: Dialect;
  readonly tracing: Tracing;
}

const KNOWN: readonly (keyof ConnectOptions)[] = [
  "host",
  "port",
  "connectTimeout",
  "commandTimeout",
  "maxPayload",
  "maxDepth",
  "maxPending",
  "reconnect",
  "heartbeat",
  "partialFrameTimeout",
  "keepAlive",
  "signal",
  "dialect",
  "onBadEvent",
  "onFrame",
  "tracing",
  "connector",
];

/**
 * Checks the options and adds the defaults.
 *
 * @throws {TypeError | RangeError} If one is invalid or unknown.
 */
export function clientOptions(options: ConnectOptions): ClientOptions {
  checkKeys(options, KNOWN);
  const { reconnect, keepAlive, onBadEvent, onFrame, tracing = {} } = options;
  const { host = DEFAULT_ADDRESS.host, port = DEFAULT_ADDRESS.port } = options;
  checkHost(host);
  return {
    ...checkLimits(options),
    address: connectAddress({ host, port }),
    reconnect: reconnect === false ? false : reconnectPolicy(reconnect),
    // `undefined` leaves it to the connector.
    keepAlive: keepAlive === undefined ? undefined : keepAliveDelay(keepAlive),
    dialect: dialect(options.dialect),
    onBadEvent,
    onFrame,
    tracing,
  };
}

/**
 * The address in `host`, `host:port`, `[::1]:port` or `rcsp://host:port`.
 *
 * @throws {TypeError} If it is none of these.
 */
export function parseTarget(target: string): { host: string; port?: number } {
  const [, host, port] =
    /^(?:rcsp:\/\/)?(\[[^\s[\]]*:[^\s[\]]*\]|[^\s:/?#[\]]+)(?::(\d+))?\/?$/i.exec(target) ??
      [];
  if (host === undefined) {
    throw new TypeError(
      `Invalid address ${quote(target)}: expected host:port or rcsp://host:port`,
    );
  }
  return { host, ...(port !== undefined && { port: Number(port) }) };
}

/**
 * The options of `connect(target, options)`.
 *
 * @throws {TypeError} If the target is neither an address nor an object with options.
 */
export function withTarget<T extends object>(target: string | URL | T, options: T): T {
  if (typeof target === "string" || target instanceof URL) {
    return { ...options, ...parseTarget(String(target)) };
  }
  if (isObject(target)) return { ...options, ...target };
  throw new TypeError(
    `Cannot connect to ${describeValue(target)}: expected host:port, rcsp://host:port or options`,
  );
}

/** @throws {TypeError} If the host contains a port. */
export function checkHost(host: string, connect = "connect"): void {
  const [, port] = /^[^:]+:(\d+)$/.exec(host) ?? [];
  if (port === undefined) return;
  throw new TypeError(
    `Cannot connect as 'host' contains a port: use { host, port: ${Number(port)} } or ${connect}(${
      quote(host)
    })`,
  );
}
