/**
 * A client of the motion stream: connections, reconnect, and readers of the newest state.
 *
 * @module
 */

import { openSocket } from "../client/open_socket.ts";
import {
  backoff,
  type ReconnectOptions,
  type ReconnectPolicy,
  reconnectPolicy,
} from "../client/reconnect.ts";
import type { ClientStatus, StopListening } from "../client/rcsp_client.ts";
import { checkHost, checkKeys, type TestHooks } from "../client/options.ts";
import { EventQueue, type SubscribeOptions, type Subscription } from "../client/subscription.ts";
import { CLOCK, type Clock, sleep } from "../timers.ts";
import { asRcspError, ConnectionError, RcspError } from "../errors.ts";
import { limit } from "../limits.ts";
import { connectAddress } from "../socket/address.ts";
import { keepAliveDelay } from "../socket/keep_alive.ts";
import { type Connector, receive, type Receiver, type Socket } from "../socket/socket.ts";
import { callUserCallback } from "../user_callback.ts";
import type { Sample } from "./data_frame.ts";
import { MotionDecoder } from "./decoder.ts";
import type { MotionDevice } from "./device.ts";
import { MOTION_PORTS, type MotionPrefix } from "./frame.ts";
import type { Hand } from "./hand.ts";
import type { MotionLimits } from "./limits.ts";
import { MotionRegistry, type MotionStats } from "./registry.ts";

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

const KNOWN: readonly (keyof MotionOptions)[] = [
  "host",
  "port",
  "connectTimeout",
  "keepAlive",
  "reconnect",
  "signal",
  "connector",
  "limits",
  "onFrame",
];

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

type AnyListener = (...args: never[]) => void;

class Client implements MotionClient, Receiver {
  readonly closed: Promise<RcspError | undefined>;
  readonly #closed = Promise.withResolvers<RcspError | undefined>();
  readonly #connector: Connector;
  readonly #target: Parameters<typeof openSocket>[1];
  readonly #policy: ReconnectPolicy | false;
  readonly #maxPayload: number | undefined;
  readonly #onFrame: MotionOptions["onFrame"];
  readonly #signal: AbortSignal | undefined;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #registry: MotionRegistry;
  readonly #listeners = new Map<keyof MotionEvents, Set<AnyListener>>();
  readonly #queues = new Set<EventQueue<Sample>>();
  readonly #end = new AbortController();
  readonly #onAbort: () => void;
  #decoder = new MotionDecoder();
  #socket: Socket | undefined;
  #status: ClientStatus = { state: "connecting" };
  #staleTimer: unknown;
  #attempt = 0;
  #reconnects = 0;
  #bytesReceived = 0;
  #lostAt: number | undefined;

  constructor(connector: Connector, options: MotionOptions, hooks: TestHooks) {
    checkKeys(options, KNOWN);
    const { host = "localhost", port = MOTION_PORTS.hands, reconnect, limits } = options;
    checkHost(host, "connectMotion");
    this.#connector = connector;
    this.#target = {
      address: connectAddress({ host, port }),
      connectTimeout: limit("connectTimeout", options.connectTimeout),
      keepAlive: options.keepAlive === undefined ? undefined : keepAliveDelay(options.keepAlive),
    };
    this.#policy = reconnect !== false && reconnectPolicy({ initialDelay: 500, ...reconnect });
    this.#maxPayload = limits?.maxPayload;
    this.#onFrame = options.onFrame;
    this.#signal = options.signal;
    this.#clock = hooks.clock ?? CLOCK;
    this.#random = hooks.random ?? Math.random;
    const origin = hooks.clock === undefined ? performance.timeOrigin : 0;
    this.#now = () => origin + this.#clock.now();
    this.#registry = new MotionRegistry({
      now: this.#now,
      limits,
      onDefinition: (device) => this.#emit("definition", device),
      onSample: (sample, device) => {
        this.#attempt = 0;
        this.#emit("sample", sample, device);
      },
      onDisconnect: (device) => this.#emit("disconnect", device),
      onStale: (device) => this.#emit("stale", device),
      onError: (error, device) => this.#emit("error", error, device),
    });
    this.closed = this.#closed.promise;
    this.#onAbort = () => {
      const message = "The client's signal was aborted";
      const cause = this.#signal?.reason;
      this.#finish(new ConnectionError("connection-closed", message, { cause }));
    };
    this.#signal?.addEventListener("abort", this.#onAbort);
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** Opens the first connection. */
  async open(): Promise<void> {
    try {
      this.#adopt(await openSocket(this.#connector, this.#target, this.#clock, this.#end.signal));
    } catch (error) {
      const policy = this.#policy;
      if (policy && policy.firstConnect && error instanceof RcspError) {
        await this.#redial(policy, error);
        if (this.#status.state !== "closed") return;
      }
      this.#finish(asRcspError(error));
      this.#signal?.throwIfAborted();
      throw error;
    }
  }

  devices(): MotionDevice[] {
    return this.#registry.devices();
  }

  hands(): Hand[] {
    return this.devices().flatMap(({ hand }) => hand ?? []);
  }

  samples(
    deviceId: number,
    group: string | number,
    options: SubscribeOptions & { every?: boolean | undefined } = {},
  ): Subscription<Sample> {
    const { every = false, ...rest } = options;
    if (this.#status.state === "closed") throw closedError();
    const queue: EventQueue<Sample> = new EventQueue<Sample>(
      every ? rest : { ...rest, buffer: 1, overflow: "keep-latest" },
      { waiting: 0, dropped: 0 },
      () => {
        stop();
        this.#queues.delete(queue);
        return Promise.resolve();
      },
    );
    const stop = this.on("sample", (sample, device) => {
      if (device.id === deviceId && device.sample(group) === sample) {
        queue.onEvent(sample.clone());
      }
    });
    if (queue.ended) stop();
    else {
      this.#queues.add(queue);
      queue.onAccepted();
      const newest = every ? undefined : this.#registry.device(deviceId)?.sample(group);
      if (newest !== undefined) queue.onEvent(newest.clone());
    }
    return queue;
  }

  on<E extends keyof MotionEvents>(type: E, listener: MotionEvents[E]): StopListening {
    if (typeof listener !== "function") {
      throw new TypeError(
        `Cannot listen as the listener must be a function, not ${typeof listener}`,
      );
    }
    // One of its own, so that the same function can listen twice.
    const own: AnyListener = (...args) =>
      callUserCallback(() => (listener as AnyListener)(...args));
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners);
    listeners.add(own);
    const stop = (): void => void listeners.delete(own);
    return Object.assign(stop, { ready: Promise.resolve(), [Symbol.dispose]: stop });
  }

  stats(): MotionStats & { readonly bytesReceived: number; readonly reconnects: number } {
    return {
      ...this.#registry.stats(),
      bytesReceived: this.#bytesReceived,
      reconnects: this.#reconnects,
    };
  }

  async close(): Promise<void> {
    this.#finish(undefined);
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For the socket: decodes a chunk into the registry. */
  onChunk(chunk: Uint8Array): boolean {
    if (this.#socket === undefined) return false;
    this.#bytesReceived += chunk.length;
    const at = this.#now();
    try {
      this.#decoder.push(chunk, (prefix, payload) => {
        // A listener may have closed the client.
        if (this.#socket === undefined) return;
        const onFrame = this.#onFrame;
        if (onFrame !== undefined) callUserCallback(() => onFrame(prefix, payload, at));
        this.#registry.receive(prefix, payload, at);
      });
    } catch (error) {
      this.#lose(asRcspError(error));
      return false;
    }
    if (this.#staleTimer === undefined) this.#watchStale();
    return this.#socket !== undefined;
  }

  /** For the socket: the server has ended the stream. */
  onEnd(): void {
    try {
      this.#decoder.end();
      this.onError(new Error("was ended by the server"));
    } catch (error) {
      this.onError(error);
    }
  }

  /** For the socket: the connection broke. */
  onError(error: unknown): void {
    if (error instanceof RcspError) return this.#lose(error);
    const reason = error instanceof Error ? error.message : String(error);
    const message = `Connection to ${this.#socket?.remote} ${reason}`;
    this.#lose(new ConnectionError("connection-closed", message, { cause: error }));
  }

  #adopt(socket: Socket): void {
    if (this.#status.state === "closed") return socket.close();
    this.#socket = socket;
    this.#decoder = new MotionDecoder({ maxPayload: this.#maxPayload });
    if (this.#lostAt !== undefined) this.#reconnects++;
    const gap = this.#lostAt === undefined ? 0 : Math.round(this.#clock.now() - this.#lostAt);
    this.#setStatus({ state: "ready", reconnects: this.#reconnects, gap });
    if (this.#socket === socket) receive(socket, this);
  }

  #lose(cause: RcspError): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    socket.close();
    this.#clock.clear(this.#staleTimer);
    this.#staleTimer = undefined;
    this.#registry.clear();
    for (const queue of this.#queues) queue.onGap();
    this.#lostAt = this.#clock.now();
    if (this.#policy === false) this.#finish(cause, socket);
    else void this.#redial(this.#policy, cause);
  }

  async #redial(policy: ReconnectPolicy, cause: RcspError): Promise<void> {
    const { signal } = this.#end;
    while (!signal.aborted) {
      const attempt = ++this.#attempt;
      // decide() may close the client.
      if (!this.#mayTry(policy, attempt, cause) || signal.aborted) return;
      const delay = backoff(policy, attempt, this.#random);
      this.#setStatus({ state: "reconnecting", attempt, delay, cause });
      await sleep(this.#clock, delay, signal);
      if (signal.aborted) return;
      try {
        return this.#adopt(
          await openSocket(this.#connector, this.#target, this.#clock, signal),
        );
      } catch (error) {
        cause = asRcspError(error);
      }
    }
  }

  #mayTry(policy: ReconnectPolicy, attempt: number, cause: RcspError): boolean {
    try {
      if (attempt <= policy.maxAttempts && policy.decide(attempt, cause)) return true;
    } catch (error) {
      cause = asRcspError(error);
    }
    this.#finish(cause);
    return false;
  }

  #watchStale(): void {
    const wait = this.#registry.checkStale();
    // A listener may have closed the client.
    if (this.#socket === undefined) return;
    this.#staleTimer = wait === Infinity ? undefined : this.#clock.set(
      () => {
        this.#staleTimer = undefined;
        this.#watchStale();
      },
      wait,
      true,
    );
  }

  #finish(cause: RcspError | undefined, lost: Socket | undefined = this.#socket): void {
    if (this.#status.state === "closed") return;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#clock.clear(this.#staleTimer);
    this.#socket = undefined;
    lost?.close();
    this.#end.abort(cause);
    this.#registry.clear();
    for (const queue of this.#queues) queue.onEnd(cause);
    this.#queues.clear();
    this.#setStatus({ state: "closed", cause });
    const closed = (): void => this.#closed.resolve(cause);
    if (lost === undefined) return closed();
    // A socket that does not close must not keep anyone waiting.
    const timer = this.#clock.set(closed, limit("closeTimeout", undefined), true);
    lost.closed.then(() => {
      this.#clock.clear(timer);
      closed();
    });
  }

  #setStatus(status: ClientStatus): void {
    this.#status = status;
    this.#emit("status", status);
  }

  #emit<E extends keyof MotionEvents>(type: E, ...args: Parameters<MotionEvents[E]>): void {
    const listeners = this.#listeners.get(type);
    if (listeners === undefined) return;
    // One that a listener adds now is for the next event; a loop over them might never end.
    let left = listeners.size;
    for (const listener of listeners) {
      if (left-- === 0) break;
      (listener as (...args: unknown[]) => void)(...args);
    }
  }
}

function closedError(): ConnectionError {
  return new ConnectionError("connection-closed", "Cannot read samples as the client is closed");
}
