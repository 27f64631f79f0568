/**
 * The class behind {@link RcspClient}.
 *
 * @module
 */

import { ConnectionError, type RcspError } from "../errors.ts";
import { quote } from "../escape.ts";
import { limit, LIMITS } from "../limits.ts";
import { type Arguments, type DeviceId, encodeArguments } from "../message/command.ts";
import type { EventFilter, RcspEvent } from "../message/event.ts";
import type { JsonObject } from "../message/json.ts";
import type { Connector } from "../socket/socket.ts";
import { CLOCK, type Clock } from "../timers.ts";
import { callUserCallback } from "../user_callback.ts";
import { AllPresses } from "./all_presses.ts";
import { type CallRequest, checkVersion } from "./call.ts";
import { CallQueue } from "./call_queue.ts";
import { ConnectionManager } from "./connection_manager.ts";
import {
  type ButtonPress,
  colorArguments,
  type ColorLed,
  type Device,
  deviceIdOf,
  readDevices,
  toPress,
} from "./device.ts";
import type { ClientOptions, TestHooks } from "./options.ts";
import type {
  CallOptions,
  ClientStats,
  ClientStatus,
  RcspClient,
  StopListening,
} from "./rcsp_client.ts";
import {
  endedError,
  EventQueue,
  type Membership,
  type Sink,
  type SubscribeOptions,
  type Subscription,
} from "./subscription.ts";
import { checkFilter } from "./subscription_group.ts";
import { SubscriptionRegistry } from "./subscription_registry.ts";
import { traceCall, traceStatus } from "./tracing.ts";
import { stalledError } from "./watchdog.ts";

/** A client over the sockets of a connector. */
export class Client implements RcspClient {
  readonly closed: Promise<RcspError | undefined>;
  readonly options: ClientOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly calls: CallQueue;
  readonly subscriptions: SubscriptionRegistry;
  readonly counts = { bytesSent: 0, bytesReceived: 0, framesReceived: 0 };
  readonly connector: Connector;
  readonly connections: ConnectionManager;
  /** Those that have not ended. */
  readonly allPresses = new Set<AllPresses>();
  readonly #statusSinks = new Set<Sink<ClientStatus>>();
  #draining: Promise<void> | undefined;

  constructor(connector: Connector, options: ClientOptions, hooks: TestHooks) {
    this.connector = connector;
    this.options = options;
    this.clock = hooks.clock ?? CLOCK;
    this.random = hooks.random ?? Math.random;
    this.calls = new CallQueue(options, this.clock, () => this.counts.bytesReceived);
    this.subscriptions = new SubscriptionRegistry(this);
    this.connections = new ConnectionManager(this);
    this.closed = this.connections.closed;
  }

  get status(): ClientStatus {
    return this.connections.status;
  }

  call<T extends JsonObject = JsonObject>(
    name: string,
    args?: Arguments | null,
    options: CallOptions = {},
  ): Promise<T> {
    if (this.#draining !== undefined) {
      return Promise.reject(this.#closedError(`send command ${quote(name)}`));
    }
    return this.send(name, args, options) as Promise<T>;
  }

  async listDevices(options?: CallOptions): Promise<Device[]> {
    return readDevices(await this.call("ListDevices", undefined, options));
  }

  async getDeviceInfo(device: DeviceId | Device, options?: CallOptions): Promise<JsonObject> {
    return await this.call("GetDeviceInfo", { DeviceId: deviceIdOf(device) }, options);
  }

  async setColorLed(
    device: DeviceId | Device,
    color: string | ColorLed,
    options?: CallOptions,
  ): Promise<JsonObject> {
    const args = { DeviceId: deviceIdOf(device), ...colorArguments(color) };
    return await this.call("SetColorLed", args, options);
  }

  subscribe(filter: EventFilter, options: SubscribeOptions = {}): Subscription<RcspEvent> {
    const own = checkFilter(filter);
    return this.#subscribe(options, (sink) => this.subscriptions.add(own, sink));
  }

  buttonPresses(
    device: DeviceId | Device,
    options: SubscribeOptions = {},
  ): Subscription<ButtonPress> {
    const deviceId = deviceIdOf(device);
    return this.#subscribe(options, (sink) => this.joinButton(deviceId, sink));
  }

  presses(
    options: SubscribeOptions & { pollInterval?: number | undefined } = {},
  ): Subscription<ButtonPress> {
    const interval = limit("pollInterval", options.pollInterval);
    return this.#subscribe(options, (sink) => new AllPresses(this, sink, interval));
  }

  events(options: SubscribeOptions = {}): Subscription<RcspEvent> {
    return this.#subscribe(options, (sink) => this.subscriptions.add(undefined, sink));
  }

  statuses(): Subscription<ClientStatus> {
    const queue: EventQueue<ClientStatus> = new EventQueue(
      {},
      { waiting: 0, dropped: 0 },
      () => membership.leave(),
    );
    const membership = this.#joinStatus(queue);
    queue.onEvent(this.status);
    if (this.status.state === "closed") queue.onEnd();
    return queue;
  }

  on(type: "press" | "event" | "status", listener: (value: never) => void): StopListening {
    if (typeof listener !== "function") {
      throw new TypeError(
        `Cannot listen as the listener must be a function, not ${typeof listener}`,
      );
    }
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {});
    const membership = this.#join(type, {
      onEvent: (value: unknown) => callUserCallback(() => listener(value as never)),
      onAccepted: ready.resolve,
      onEnd: (error) => ready.reject(error ?? endedError()),
    });
    const stop = (): void => void membership.leave();
    return Object.assign(stop, { ready: ready.promise, [Symbol.dispose]: stop });
  }

  stats(): ClientStats {
    const { bytesSent, bytesReceived } = this.counts;
    const { counts, roundTrip, queued, inFlight } = this.calls;
    return {
      ...counts,
      ...this.subscriptions.counts,
      dropped: this.subscriptions.queues.dropped,
      bytesSent,
      bytesReceived,
      reconnects: this.connections.reconnects,
      roundTrip,
      queued,
      inFlight,
    };
  }

  drain(options: { timeout?: number | undefined } = {}): Promise<void> {
    const timeout = limit("closeTimeout", options.timeout, "timeout");
    return this.#draining ??= this.#drain(timeout);
  }

  async close(): Promise<void> {
    const cause = new ConnectionError("connection-closed", "The client was closed");
    this.connections.close(cause, { intentional: true });
    await this.closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For the connection manager. */
  onStatus(status: ClientStatus): void {
    traceStatus(this.options.tracing, this.options.address, status);
    // A copy, as a listener may add one, which is to hear of the next change.
    for (const sink of [...this.#statusSinks]) {
      if (this.#statusSinks.has(sink)) sink.onEvent(status);
    }
    if (status.state !== "closed") return;
    for (const sink of this.#statusSinks) sink.onEnd?.();
    this.#statusSinks.clear();
    this.calls.rejectQueued(this.connections.endCause!);
    this.subscriptions.end(status.cause);
    for (const presses of this.allPresses) presses.end(status.cause);
  }

  /** Subscribes to the button of one device. */
  joinButton(deviceId: DeviceId, sink: Sink<ButtonPress>): Membership {
    return this.subscriptions.add({ ...this.options.dialect.button, deviceId }, {
      onEvent: (event) => {
        const press = toPress(event, deviceId);
        if (press !== undefined) sink.onEvent(press);
      },
      onAccepted: () => sink.onAccepted?.(),
      onGap: () => sink.onGap?.(),
      onEnd: (error) => sink.onEnd?.(error),
    });
  }

  /** Sends a command, also while the client drains. */
  send(
    name: string,
    args: Arguments | null | undefined,
    options: CallOptions & Pick<CallRequest, "urgent" | "unlimited">,
  ): Promise<JsonObject> {
    try {
      if (typeof name !== "string") {
        throw new TypeError(`Cannot send command as its name must be a string, not ${typeof name}`);
      }
      const request: CallRequest = {
        name,
        version: checkVersion(options.version),
        args: encodeArguments(args),
        timeout: options.timeout === undefined
          ? this.options.commandTimeout
          : limit("commandTimeout", options.timeout, "timeout"),
        signal: options.signal,
        urgent: options.urgent,
        unlimited: options.unlimited,
      };
      return this.enqueue(request);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Queues a checked command. Throws if the client is closed. */
  enqueue(request: CallRequest): Promise<JsonObject> {
    if (this.calls.stuck) {
      this.connections.replace(
        stalledError(`it left ${this.calls.inFlight} commands unanswered`),
      );
    }
    // Last, as the replacement, or a `toJSON` of the caller's, may close the client.
    if (this.status.state === "closed") {
      throw this.#closedError(`send command ${quote(request.name)}`);
    }
    const answer = this.calls.add(request);
    this.connections.flush();
    return traceCall(this.options.tracing, request, answer);
  }

  #subscribe<T>(
    options: SubscribeOptions,
    join: (sink: Sink<T>) => Membership,
  ): Subscription<T> {
    this.#checkOpen();
    let membership: Membership | undefined;
    const leave = async (): Promise<void> => await membership?.leave();
    const queue = new EventQueue<T>(options, this.subscriptions.queues, leave);
    // With a signal that had aborted before, nothing is sent.
    if (!queue.ended) membership = join(queue);
    return queue;
  }

  #join(type: string, sink: Sink<unknown>): Membership {
    if (type === "status") return this.#joinStatus(sink);
    this.#checkOpen();
    switch (type) {
      case "press":
        return new AllPresses(this, sink, LIMITS.pollInterval);
      case "event":
        return this.subscriptions.add(undefined, sink);
    }
    throw new TypeError(`Cannot listen to ${quote(type)}: expected press, event or status`);
  }

  #joinStatus(sink: Sink<ClientStatus>): Membership {
    this.#statusSinks.add(sink);
    sink.onAccepted?.();
    return { leave: () => Promise.resolve(void this.#statusSinks.delete(sink)) };
  }

  async #drain(timeout: number): Promise<void> {
    const timer = this.clock.set(() => void this.close(), timeout);
    const presses = [...this.allPresses];
    for (const each of presses) each.stopListing();
    const orderly = this.calls.idle().then(() =>
      Promise.all([this.subscriptions.leaveAll(), ...presses.map((each) => each.leave())])
    );
    await Promise.race([orderly, this.closed]);
    this.clock.clear(timer);
    await this.close();
  }

  #checkOpen(): void {
    if (this.status.state === "closed" || this.#draining !== undefined) {
      throw this.#closedError("subscribe");
    }
  }

  #closedError(action: string): ConnectionError {
    const cause = this.connections.endCause;
    const state = cause === undefined ? "is draining" : `is closed: ${cause.message}`;
    const message = `Cannot ${action} as the client ${state}`;
    return new ConnectionError("connection-closed", message, { cause });
  }
}
