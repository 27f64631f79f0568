/**
 * The client. Free of any runtime.
 *
 * @module
 */

import { formatAddress } from "../socket/address.ts";
import { CLOCK, type Clock } from "../clock.ts";
import { ConnectionError } from "../errors.ts";
import type { RcspError } from "../errors.ts";
import { limit, LIMITS } from "../limits.ts";
import {
  type Arguments,
  COMMAND_VERSION,
  type DeviceId,
  encodeArguments,
} from "../message/command.ts";
import { type EventFilter, findPressType, type RcspEvent } from "../message/event.ts";
import type { JsonObject } from "../message/json.ts";
import { quote } from "../escape.ts";
import type { Socket } from "../socket/socket.ts";
import type { CallRequest } from "./call.ts";
import { CallQueue } from "./call_queue.ts";
import {
  type ButtonPress,
  checkColorLed,
  checkDeviceId,
  type ColorLed,
  type Device,
  readDevices,
} from "./device.ts";
import { ConnectionManager } from "./connection_manager.ts";
import type { CallOptions, ClientOptions, TestHooks } from "./options.ts";
import type { ClientStats } from "./stats.ts";
import type { ClientStatus } from "./status.ts";
import { type SubscribeOptions, Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscription_registry.ts";
import { stalledError } from "./watchdog.ts";
import { traceCall, traceStatus } from "./tracing.ts";

/** What a client can be used as. */
// Declared here too, as some makers of `.d.ts` files leave out members that a symbol names.
export interface RcspClient extends AsyncDisposable {}

/**
 * A client of an RCSP server. `connect()` makes one.
 *
 * - Calls may be made at any time and as many as `maxPending`; they go out in the order of the calls.
 * - When a connection ends, every command without a response rejects: with a `ConnectionError` that
 *   tells whether it was `sent`, or with the `ProtocolError` or `LimitError` that ended the connection.
 *   Nothing is ever sent twice.
 * - Unless `reconnect` is `false`, the connection is then replaced, subscriptions are made again, and
 *   calls made meanwhile wait, unsent, within their timeout.
 */
export class RcspClient {
  /** Resolves when the client is closed for good: with the cause, or `undefined` after `close()`. */
  readonly closed: Promise<RcspError | undefined>;
  readonly #options: ClientOptions;
  readonly #calls: CallQueue;
  readonly #connections: ConnectionManager;
  readonly #subscriptions: Subscriptions;
  readonly #watchers = new Set<Subscription<ClientStatus>>();
  readonly #clock: Clock;
  #draining: Promise<void> | undefined;

  /**
   * Clients are made by `connect()`.
   *
   * @ignore
   */
  constructor(
    dial: (signal: AbortSignal) => Promise<Socket>,
    options: ClientOptions,
    surroundings: TestHooks = {},
  ) {
    this.#options = options;
    this.#clock = surroundings.clock ?? CLOCK;
    const server = formatAddress(options.address);
    const { heartbeat } = options.dialect.commands;
    const received = (): number => this.#connections.counts.bytesReceived;
    const checked = { ...options, server, received, clock: this.#clock };
    this.#calls = new CallQueue(checked);
    this.#subscriptions = new Subscriptions(
      checked,
      (name, args, how) => this.#send(name, args, how),
    );
    this.#connections = new ConnectionManager({
      ...options,
      dial,
      calls: this.#calls,
      clock: this.#clock,
      random: surroundings.random ?? Math.random,
      onEvent: (payload) => this.#subscriptions.receive(payload),
      backlog: () => this.#subscriptions.waiting,
      onOnline: () => this.#subscriptions.online(),
      onOffline: (cause) => this.#subscriptions.offline(cause),
      onStatus: (status) => this.#onStatus(status),
      beat: (signal) => this.#send(heartbeat, undefined, { urgent: true, signal }),
    });
    this.closed = this.#connections.closed;
  }

  /** What the client is about: connecting, ready, reconnecting or closed. */
  get status(): ClientStatus {
    return this.#connections.status;
  }

  /** For `connect()`: opens the first connection. */
  async open(): Promise<void> {
    await this.#connections.start();
  }

  /** The states of the client from now on, the present one first; ends after `closed`. */
  statuses(): Subscription<ClientStatus> {
    const watcher: Subscription<ClientStatus> = new Subscription({
      buffer: LIMITS.buffer,
      overflow: "drop-oldest",
      leave: () => Promise.resolve(void this.#watchers.delete(watcher)),
    });
    watcher.accept();
    watcher.push(this.status);
    if (this.status.state === "closed") watcher.finish();
    else this.#watchers.add(watcher);
    return watcher;
  }

  /**
   * Sends a command and gives the `Response` object of its answer; an empty one where the answer
   * holds none.
   *
   * - Calls do not wait for each other.
   * - A call that was given up after it was sent may still be carried out by the server.
   * - While there is no connection, the call waits, unsent, for the next one.
   *
   * Rejects with a `CommandError` (the server said no), a `TimeoutError`, a `ConnectionError`, a
   * `ProtocolError`, a `LimitError` (`maxPending`, `maxPayload`), the signal's reason, or a
   * `TypeError` or `RangeError` where an argument is wrong.
   *
   * @param name The command, case-sensitive.
   * @param args Its `Arguments`, left out if there are none; device commands need `DeviceId`.
   * @param options How long to wait, and how to give up.
   */
  call(name: string, args?: Arguments | null, options: CallOptions = {}): Promise<JsonObject> {
    if (this.#draining !== undefined) {
      return Promise.reject(this.#closedError(`send command ${quote(name)}`, "is draining"));
    }
    return this.#send(name, args, options);
  }

  /** Lists the devices that are connected to the driver; none is an empty list. */
  async listDevices(options?: CallOptions): Promise<Device[]> {
    return readDevices(await this.call("ListDevices", undefined, options));
  }

  /** Gives what the driver knows about a device; the fields are in no public text. */
  async getDeviceInfo(deviceId: DeviceId, options?: CallOptions): Promise<JsonObject> {
    return await this.call("GetDeviceInfo", { DeviceId: checkDeviceId(deviceId) }, options);
  }

  /**
   * Sets the colour of a device's LED.
   *
   * Rejects with a `RangeError`, and sends nothing, if a colour is no whole number from 0 to 255.
   */
  async setColorLed(deviceId: DeviceId, led: ColorLed, options?: CallOptions): Promise<JsonObject> {
    const args = { DeviceId: checkDeviceId(deviceId), ...checkColorLed(led) };
    return await this.call("SetColorLed", args, options);
  }

  /**
   * Subscribes to a topic, of one device or of the driver. The command is sent at once; await
   * `ready` where it matters that the server has accepted. A refusal makes reading reject.
   *
   * The arguments of these commands and the fields of events are assumed: see `dialect`.
   *
   * @throws {TypeError | RangeError} If the topic or an option is wrong.
   * @throws {ConnectionError} If the client is closed.
   */
  subscribe(topic: EventFilter, options: SubscribeOptions = {}): Subscription<RcspEvent> {
    const { publisher, topic: name, deviceId } = topic;
    const own = deviceId === undefined
      ? { publisher, topic: name }
      : { publisher, topic: name, deviceId: checkDeviceId(deviceId) };
    return this.#addSubscription(own, options, (event) => event);
  }

  /** Subscribes to the button of a device. Throws as `subscribe()`. */
  buttonPresses(deviceId: DeviceId, options: SubscribeOptions = {}): Subscription<ButtonPress> {
    const topic = { ...this.#options.dialect.button, deviceId: checkDeviceId(deviceId) };
    return this.#addSubscription(topic, options, (event) => {
      const type = findPressType(event.raw);
      return type && { type, deviceId: event.deviceId ?? topic.deviceId, event };
    });
  }

  /** Every event that arrives, whoever asked the server for it; asks for none itself. */
  events(options: SubscribeOptions = {}): Subscription<RcspEvent> {
    return this.#addSubscription(undefined, options, (event) => event);
  }

  /** What was counted so far, and what waits now. */
  stats(): ClientStats {
    const { bytesSent, bytesReceived } = this.#connections.counts;
    const { counts, roundTrip, queued: waiting, inFlight: unanswered } = this.#calls;
    return {
      ...counts,
      ...this.#subscriptions.counts,
      dropped: this.#subscriptions.dropped,
      bytesSent,
      bytesReceived,
      reconnects: this.#connections.reconnects,
      roundTrip,
      queued: waiting,
      inFlight: unanswered,
    };
  }

  /**
   * Ends in good order: takes no more calls, lets the answers in, takes the subscriptions back, and
   * closes; after `timeout` milliseconds (default: 5000) closes all the same. Never rejects.
   */
  drain(options: { timeout?: number | undefined } = {}): Promise<void> {
    const timeout = limit("closeTimeout", options.timeout, "timeout");
    return this.#draining ??= this.#drain(timeout);
  }

  /**
   * Ends at once: calls reject, subscriptions end. Resolves when the socket is gone; may be called any
   * number of times. Never rejects.
   */
  async close(): Promise<void> {
    this.#connections.close(
      new ConnectionError("connection-closed", "The client was closed"),
      true,
    );
    await this.closed;
  }

  /** Closes the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** For `connect()`: its signal was aborted. */
  abort(reason: unknown): void {
    const message = "The client's signal was aborted";
    this.#connections.close(
      new ConnectionError("connection-closed", message, { cause: reason }),
      false,
    );
  }

  #send(
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
          ? this.#options.commandTimeout
          : limit("commandTimeout", options.timeout, "timeout"),
        signal: options.signal,
        urgent: options.urgent,
        unlimited: options.unlimited,
      };
      if (this.#calls.stuck) {
        this.#connections.replace(
          stalledError(`it left ${this.#calls.inFlight} commands unanswered`),
        );
      }
      // Last, as the replacement, or a `toJSON` of the caller's, may close the client.
      if (this.status.state === "closed") {
        throw this.#closedError(`send command ${quote(name)}`, "is closed");
      }
      const answer = this.#calls.add(request);
      this.#connections.flush();
      return traceCall(this.#options.tracing, request, answer);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #addSubscription<T>(
    topic: EventFilter | undefined,
    options: SubscribeOptions,
    select: (event: RcspEvent) => T | undefined,
  ): Subscription<T> {
    if (this.status.state === "closed") throw this.#closedError("subscribe", "is closed");
    if (this.#draining !== undefined) throw this.#closedError("subscribe", "is draining");
    return this.#subscriptions.add(topic, options, select);
  }

  async #drain(timeout: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.set(late.resolve, timeout);
    const orderly = this.#calls.idle().then(() => this.#subscriptions.leaveAll());
    await Promise.race([orderly, late.promise, this.closed]);
    this.#clock.clear(timer);
    await this.close();
  }

  #onStatus(status: ClientStatus): void {
    traceStatus(this.#options.tracing, this.#options.address, status);
    for (const watcher of this.#watchers) watcher.push(status);
    if (status.state !== "closed") return;
    this.#calls.rejectQueued(this.#connections.endCause!);
    this.#subscriptions.end(status.cause);
    for (const watcher of this.#watchers) watcher.finish();
    this.#watchers.clear();
  }

  #closedError(action: string, state: string): ConnectionError {
    const cause = this.#connections.endCause;
    const reason = cause === undefined ? "" : `: ${cause.message}`;
    return new ConnectionError(
      "connection-closed",
      `Cannot ${action} as the client ${state}${reason}`,
      { cause },
    );
  }
}

function checkVersion(version: number = COMMAND_VERSION): number {
  if (Number.isFinite(version)) return version;
  throw new TypeError(
    `Cannot send command as 'version' must be a number: current value is ${version}`,
  );
}
