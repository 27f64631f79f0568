/**
 * The class behind {@link MotionClient}: connections, reconnect, and readers of the newest state.
 *
 * @module
 */

import { checkKeys } from "../client/check_keys.ts";
import { checkHost, type TestHooks } from "../client/options.ts";
import { openSocket } from "../client/open_socket.ts";
import type { ClientStatus, StopListening } from "../client/rcsp_client.ts";
import { backoff, type ReconnectPolicy, reconnectPolicy } from "../client/reconnect.ts";
import { EventQueue, type SubscribeOptions, type Subscription } from "../client/subscription.ts";
import { asRcspError, ConnectionError, RcspError } from "../errors.ts";
import { limit } from "../limits.ts";
import { connectAddress } from "../socket/address.ts";
import { keepAliveDelay } from "../socket/keep_alive.ts";
import { type Connector, receive, type Receiver, type Socket } from "../socket/socket.ts";
import { CLOCK, type Clock, sleep } from "../timers.ts";
import { callUserCallback } from "../user_callback.ts";
import type { Sample } from "./data_frame.ts";
import { MotionDecoder } from "./decoder.ts";
import type { MotionDevice } from "./device.ts";
import { EventListeners } from "./event_listeners.ts";
import { MOTION_PORTS } from "./frame.ts";
import type { Hand } from "./hand.ts";
import type { MotionClient, MotionEvents, MotionOptions } from "./motion_client.ts";
import { MotionRegistry, type MotionStats } from "./registry.ts";

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

/** A client of the motion stream; see {@link MotionClient}. */
export class Client implements MotionClient, Receiver {
  readonly #closed = Promise.withResolvers<RcspError | undefined>();
  readonly closed: Promise<RcspError | undefined> = this.#closed.promise;
  readonly #options: MotionOptions;
  readonly #connector: Connector;
  readonly #target: Parameters<typeof openSocket>[1];
  readonly #policy: ReconnectPolicy | false;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #now: () => number;
  readonly #registry: MotionRegistry;
  readonly #listeners = new EventListeners();
  readonly #queues = new Set<EventQueue<Sample>>();
  readonly #end = new AbortController();
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
    const { host = "localhost", port = MOTION_PORTS.hands, keepAlive, reconnect } = options;
    checkHost(host, "connectMotion");
    this.#options = { ...options };
    this.#connector = connector;
    this.#target = {
      address: connectAddress({ host, port }),
      connectTimeout: limit("connectTimeout", options.connectTimeout),
      keepAlive: keepAlive === undefined ? undefined : keepAliveDelay(keepAlive),
    };
    this.#policy = reconnect !== false && reconnectPolicy({ initialDelay: 500, ...reconnect });
    this.#clock = hooks.clock ?? CLOCK;
    this.#random = hooks.random ?? Math.random;
    const origin = hooks.clock === undefined ? performance.timeOrigin : 0;
    this.#now = () => origin + this.#clock.now();
    this.#registry = new MotionRegistry({
      now: this.#now,
      limits: options.limits,
      onDefinition: (device) => this.#listeners.emit("definition", device),
      onSample: (sample, device) => {
        this.#attempt = 0;
        this.#listeners.emit("sample", sample, device);
      },
      onDisconnect: (device) => this.#listeners.emit("disconnect", device),
      onStale: (device) => this.#listeners.emit("stale", device),
      onError: (error, device) => this.#listeners.emit("error", error, device),
    });
    options.signal?.addEventListener("abort", this.#onAbort);
  }

  get status(): ClientStatus {
    return this.#status;
  }

  /** Opens the first connection. */
  async open(): Promise<void> {
    try {
      await this.#connect();
    } catch (error) {
      const policy = this.#policy;
      if (policy && policy.firstConnect && error instanceof RcspError) {
        await this.#redial(policy, error);
        if (this.#status.state !== "closed") return;
      }
      this.#finish(asRcspError(error));
      this.#options.signal?.throwIfAborted();
      throw this.#status.state === "closed" && this.#status.cause || error;
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
    if (this.#status.state === "closed") {
      const message = "Cannot read samples as the client is closed";
      throw new ConnectionError("connection-closed", message);
    }
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
    return this.#listeners.add(type, listener);
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
        const { onFrame } = this.#options;
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

  async #connect(): Promise<void> {
    const { signal } = this.#end;
    const socket = await openSocket(this.#connector, this.#target, this.#clock, signal);
    if (this.#status.state === "closed") return socket.close();
    this.#socket = socket;
    this.#decoder = new MotionDecoder({ maxPayload: this.#options.limits?.maxPayload });
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
      try {
        // It may close the client.
        const mayTry = attempt <= policy.maxAttempts && policy.decide(attempt, cause);
        if (!mayTry) this.#finish(cause);
      } catch (error) {
        this.#finish(asRcspError(error));
      }
      if (signal.aborted) return;
      const delay = backoff(policy, attempt, this.#random);
      this.#setStatus({ state: "reconnecting", attempt, delay, cause });
      await sleep(this.#clock, delay, signal);
      if (signal.aborted) return;
      try {
        return await this.#connect();
      } catch (error) {
        cause = asRcspError(error);
      }
    }
  }

  #watchStale(): void {
    this.#staleTimer = undefined;
    const wait = this.#registry.checkStale();
    // A listener may have closed the client.
    if (wait === Infinity || this.#socket === undefined) return;
    this.#staleTimer = this.#clock.set(() => this.#watchStale(), wait, true);
  }

  #finish(cause: RcspError | undefined, lost: Socket | undefined = this.#socket): void {
    if (this.#status.state === "closed") return;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
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

  readonly #onAbort = (): void => {
    const { reason: cause } = this.#options.signal!;
    const message = "The client's signal was aborted";
    this.#finish(new ConnectionError("connection-closed", message, { cause }));
  };

  #setStatus(status: ClientStatus): void {
    this.#status = status;
    this.#listeners.emit("status", status);
  }
}
