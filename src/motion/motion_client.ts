/**
 * The client of the motion stream, as its users see it.
 *
 * @module
 */

import type { TestHooks } from "../client/options.ts";
import type { ClientStatus, StopListening } from "../client/rcsp_client.ts";
import type { ReconnectOptions } from "../client/reconnect.ts";
import type { SubscribeOptions, Subscription } from "../client/subscription.ts";
import type { RcspError } from "../errors.ts";
import type { Connector } from "../socket/socket.ts";
import { Client } from "./client.ts";
import type { Sample } from "./data_frame.ts";
import type { MotionDevice } from "./device.ts";
import type { MotionPrefix } from "./frame.ts";
import type { Hand } from "./hand.ts";
import type { MotionLimits } from "./limits.ts";
import type { MotionStats } from "./registry.ts";

/** Options of `connectMotion()`. */
export interface MotionOptions {
  /** Host name or IP address. Default: `localhost`. */
  host?: string | undefined;
  /** 12277 for solved hands, 12276 for the driver's raw stream. Default: 12277. */
  port?: number | undefined;
  /** Milliseconds to open a connection. Default: 5000. */
  connectTimeout?: number | undefined;
  /** TCP keepalive, as for `connect()`. */
  keepAlive?: false | number | undefined;
  /**
   * How to reconnect; `false` closes the client instead. Default: retry forever, 0.5 s to 10 s apart, as
   * Rokoko's own client. The delay starts over when data arrives.
   */
  reconnect?: false | ReconnectOptions | undefined;
  /** Cancels connecting; later, closes the client. */
  signal?: AbortSignal | undefined;
  /** Opens the socket. Default: the adapter of the runtime. */
  connector?: Connector | undefined;
  /** See {@link MotionLimits}. */
  limits?: { readonly [L in keyof MotionLimits]?: number | undefined } | undefined;
  /**
   * Receives every frame with a known prefix as it came, before it is decoded, to record or forward it.
   * `payload` is valid during the call only; `receivedAt` is in milliseconds since 1970. An error that it
   * throws is uncaught.
   */
  onFrame?:
    | ((prefix: MotionPrefix, payload: Uint8Array, receivedAt: number) => void)
    | undefined;
}

/** The listeners of a motion client, by the first argument of `on()`. */
export interface MotionEvents {
  /** A device is new or has changed. Those that were there before are in `devices()`. */
  definition: (device: MotionDevice) => void;
  /** A group has new values. The sample is overwritten by the next one: `clone()` what you keep. */
  sample: (sample: Sample, device: MotionDevice) => void;
  /** A device has disconnected, or the connection was lost. */
  disconnect: (device: MotionDevice) => void;
  /** A device has sent no data for `staleAfter` milliseconds; once until it does. */
  stale: (device: MotionDevice) => void;
  /** A definition or a data frame is invalid. */
  error: (error: RcspError, device: MotionDevice | undefined) => void;
  /** The status has changed. */
  status: (status: ClientStatus) => void;
}

/**
 * A client of the motion stream (RGMP v2), made by `connectMotion()`. It sends nothing, ever.
 *
 * - It holds state, not a queue: the newest frame of each device and group replaces the one before.
 * - All devices are forgotten when a connection is lost; the next connection defines them again.
 */
export interface MotionClient {
  /** Resolves when the client has closed: with the cause, or `undefined` after `close()`. */
  readonly closed: Promise<RcspError | undefined>;
  /** The current status. */
  readonly status: ClientStatus;
  /** The connected devices. */
  devices(): MotionDevice[];
  /** The hands among them, left and right as they were defined. */
  hands(): Hand[];
  /**
   * The samples of a group, each a copy. By default the newest only: a slow reader skips frames, which
   * `dropped` counts. With `every` all of them, in a bounded buffer (`buffer`, `overflow` as in
   * `subscribe()`), for recorders.
   */
  samples(
    deviceId: number,
    group: string | number,
    options?: SubscribeOptions & { every?: boolean | undefined },
  ): Subscription<Sample>;
  /** Calls `listener` in the turn in which it happens. Returns a function that stops. */
  on<E extends keyof MotionEvents>(type: E, listener: MotionEvents[E]): StopListening;
  /** What was counted so far. */
  stats(): MotionStats & { readonly bytesReceived: number; readonly reconnects: number };
  /** Closes the client. Resolves when the socket is closed. Never rejects. */
  close(): Promise<void>;
  /** Closes the client. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Connects with a connector of your own; `connectMotion()` uses the runtime's. */
export function createMotionClient(
  connector: Connector,
  options: MotionOptions = {},
): Promise<MotionClient> {
  return openMotionClient(connector, options);
}

/** The same with the hooks of a test. */
export async function openMotionClient(
  connector: Connector,
  options: MotionOptions,
  hooks: TestHooks = {},
): Promise<MotionClient> {
  options.signal?.throwIfAborted();
  const client = new Client(connector, options, hooks);
  await client.open();
  return client;
}
