/**
 * The client. Free of any runtime.
 *
 * @module
 */

import type { Dialect } from "../dialect.ts";
import { ConnectionError, type RcspError } from "../errors.ts";
import { limit } from "../limits.ts";
import {
  type Arguments,
  COMMAND_VERSION,
  type DeviceId,
  encodeArguments,
  shapeError,
} from "../message/command.ts";
import { findPressType, type PressType, type RcspEvent, type Topic } from "../message/event.ts";
import { isObject, type JsonObject, type JsonValue, parseBody } from "../message/json.ts";
import type { Socket } from "../socket.ts";
import { CallQueue } from "./calls.ts";
import { Connection, type TracedFrame } from "./connection.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";
import { Subscriptions } from "./subscriptions.ts";

/** A device as `ListDevices` gives it. Only `DeviceId` is confirmed. */
export interface Device {
  /** What commands to this device are addressed with. */
  readonly DeviceId: DeviceId;
  /** Whatever else the driver says. */
  readonly [key: string]: JsonValue;
}

/** A colour for a device's LED. */
export interface ColorLed {
  /** The LED's name; `RingLed` is Rokoko's example. */
  readonly LedId: string;
  /** 0 to 255. */
  readonly Red: number;
  /** 0 to 255. */
  readonly Green: number;
  /** 0 to 255. */
  readonly Blue: number;
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

/** A button that was pressed. */
export interface ButtonPress {
  /** How. */
  readonly type: PressType;
  /** The device whose button it is. */
  readonly deviceId: DeviceId;
  /** The event that told. */
  readonly event: RcspEvent;
}

/** What a client has counted since it was made, and what waits now. */
export interface ClientStats {
  /** Commands handed to the socket. */
  readonly sent: number;
  /** Responses ok that reached their caller. */
  readonly answered: number;
  /** Responses error that reached their caller. */
  readonly failed: number;
  /** Calls that ended by their timeout. */
  readonly timedOut: number;
  /** Responses that came after their caller had gone, and were dropped. */
  readonly late: number;
  /** Events received. */
  readonly events: number;
  /** Events among them that nobody listened to: dropped unread. */
  readonly unheard: number;
  /** Bytes written to the socket. */
  readonly bytesSent: number;
  /** Bytes read from the socket. */
  readonly bytesReceived: number;
  /** Calls that wait to be sent. */
  readonly waiting: number;
  /** Commands sent whose response has not come, those given up included. */
  readonly unanswered: number;
}

/** What a client is made of. */
export interface ClientParts {
  readonly socket: Socket;
  readonly dialect: Dialect;
  readonly commandTimeout: number;
  readonly maxPayload: number;
  readonly maxPending: number;
  readonly maxDepth: number;
  readonly onFrame?: ((frame: TracedFrame) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A connection to an RCSP server. `connect()` makes one.
 *
 * - Calls may be made at any time and as many as `maxPending`; they go out in the order of the calls.
 * - When the connection ends, every call rejects with a `ConnectionError` that tells whether the command
 *   was `sent`, or with the `ProtocolError` or `LimitError` that ended it; nothing is sent twice.
 */
export class RcspClient {
  /** Resolves when the client is closed: with the cause, or with `undefined` after `close()`. */
  readonly closed: Promise<RcspError | undefined>;
  readonly #parts: ClientParts;
  readonly #calls: CallQueue;
  readonly #connection: Connection;
  readonly #subscriptions: Subscriptions;
  readonly #onAbort: () => void;
  #events = 0;
  #unheard = 0;
  #end: { readonly cause: RcspError } | undefined;
  #closing = false;

  /** Clients are made by `connect()`. */
  constructor(parts: ClientParts) {
    const { socket, dialect, maxPayload, maxPending, maxDepth, onFrame, signal } = parts;
    this.#parts = parts;
    this.#calls = new CallQueue({ dialect, maxPayload, maxPending, server: socket.remote });
    this.#subscriptions = new Subscriptions(dialect, (name, args) => this.call(name, args));
    const ended = Promise.withResolvers<RcspError | undefined>();
    this.closed = ended.promise;
    this.#connection = new Connection(socket, {
      calls: this.#calls,
      maxPayload,
      maxDepth,
      onFrame,
      onEvent: (payload) => this.#onEvent(payload),
      onEnd: (cause) => {
        this.#onEnd(cause);
        socket.closed.then(() => ended.resolve(this.#closing ? undefined : cause));
      },
    });
    this.#onAbort = (): void => this.#abort(signal!.reason);
    signal?.addEventListener("abort", this.#onAbort);
  }

  /**
   * Sends a command and gives the `Response` object of its answer; an empty one where the answer
   * holds none.
   *
   * - Calls do not wait for each other.
   * - A call that was given up after it was sent may still be carried out by the server.
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
    try {
      if (typeof name !== "string") {
        throw new TypeError(`Cannot send command as its name must be a string, not ${typeof name}`);
      }
      const request = {
        name,
        version: checkVersion(options.version),
        args: encodeArguments(args),
        timeout: limit("commandTimeout", options.timeout ?? this.#parts.commandTimeout),
        signal: options.signal,
      };
      if (this.#end !== undefined) throw this.#endedError(name, this.#end.cause);
      const answer = this.#calls.add(request);
      this.#connection.flush();
      return answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Lists the devices that are connected to the driver; none is an empty list. */
  async listDevices(options?: CallOptions): Promise<Device[]> {
    const { Devices } = await this.call("ListDevices", undefined, options);
    const devices = Devices ?? [];
    if (!Array.isArray(devices)) throw shapeError("Response.Devices", "an array", devices);
    devices.forEach((device, i) => {
      const place = `Response.Devices[${i}]`;
      if (!isObject(device)) throw shapeError(place, "an object", device);
      if ((device["DeviceId"] ?? undefined) === undefined) {
        throw shapeError(`${place}.DeviceId`, "a device id", device["DeviceId"]);
      }
    });
    return devices as unknown as Device[];
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
    const { LedId, Red, Green, Blue } = led;
    if (typeof LedId !== "string" || LedId === "") {
      throw new TypeError("Cannot set LED as 'LedId' must be a name, such as 'RingLed'");
    }
    for (const [key, value] of Object.entries({ Red, Green, Blue })) {
      if (!Number.isInteger(value) || value < 0 || value > 255) {
        throw new RangeError(
          `Cannot set LED as '${key}' must be a whole number from 0 to 255: current value is ${value}`,
        );
      }
    }
    const args = { DeviceId: checkDeviceId(deviceId), LedId, Red, Green, Blue };
    return await this.call("SetColorLed", args, options);
  }

  /**
   * Subscribes to a topic, of one device or of the driver. The command is sent at once; await
   * `ready` where it matters that the server has accepted. A refusal makes reading reject.
   *
   * The arguments of these commands and the fields of events are assumed: see `dialect`.
   *
   * @throws {TypeError | RangeError} If the topic or an option is wrong.
   */
  subscribe(topic: Topic, options: SubscribeOptions = {}): Subscription<RcspEvent> {
    if (topic.deviceId !== undefined) checkDeviceId(topic.deviceId);
    return this.#listen(topic, options, (event) => event);
  }

  /** Subscribes to the button of a device. */
  buttonPresses(deviceId: DeviceId, options: SubscribeOptions = {}): Subscription<ButtonPress> {
    const topic = { ...this.#parts.dialect.button, deviceId: checkDeviceId(deviceId) };
    return this.#listen(topic, options, (event) => {
      const type = findPressType(event.raw);
      return type && { type, deviceId: event.deviceId ?? deviceId, event };
    });
  }

  /** Every event that arrives, whoever asked the server for it; asks for none itself. */
  events(options: SubscribeOptions = {}): Subscription<RcspEvent> {
    return this.#listen(undefined, options, (event) => event);
  }

  /** What was counted so far, and what waits now. */
  stats(): ClientStats {
    const { bytesSent, bytesReceived } = this.#connection.counts;
    const { waiting, unanswered } = this.#calls;
    return {
      ...this.#calls.counts,
      events: this.#events,
      unheard: this.#unheard,
      bytesSent,
      bytesReceived,
      waiting,
      unanswered,
    };
  }

  /**
   * Ends the connection at once: calls reject, subscriptions end. Resolves when the socket is gone; may
   * be called any number of times.
   */
  async close(): Promise<void> {
    if (this.#end === undefined) {
      this.#closing = true;
      this.#connection.end(new ConnectionError("connection-closed", "The client was closed"));
    }
    await this.closed;
  }

  /** Closes the client. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #listen<T>(
    topic: Topic | undefined,
    options: SubscribeOptions,
    select: (event: RcspEvent) => T | undefined,
  ): Subscription<T> {
    if (this.#end !== undefined) throw this.#endedError("subscribe", this.#end.cause);
    return this.#subscriptions.add(topic, options, select);
  }

  #onEvent(payload: Uint8Array): void {
    this.#events++;
    if (this.#subscriptions.size === 0) {
      this.#unheard++;
      return;
    }
    this.#subscriptions.dispatch(parseBody(payload, this.#parts.maxDepth));
  }

  #onEnd(cause: RcspError): void {
    this.#end = { cause };
    this.#parts.signal?.removeEventListener("abort", this.#onAbort);
    this.#calls.rejectWaiting(cause);
    this.#subscriptions.end(this.#closing ? undefined : cause);
  }

  #abort(reason: unknown): void {
    this.#connection.end(
      new ConnectionError("connection-closed", "The client's signal was aborted", {
        cause: reason,
      }),
    );
  }

  #endedError(name: string, cause: RcspError): ConnectionError {
    return new ConnectionError(
      "connection-closed",
      `Cannot send command '${name}' as the connection has ended: ${cause.message}`,
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

/** A number that JSON or a double cannot hold may have become another device's on its way here. */
function checkDeviceId(deviceId: DeviceId): DeviceId {
  if ((deviceId ?? undefined) === undefined) {
    throw new TypeError(
      "Cannot address device as 'DeviceId' is missing: take it from listDevices()",
    );
  }
  if (typeof deviceId === "number" && Math.abs(deviceId) > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(
      `Cannot address device as its number ${deviceId} is too large to be exact`,
    );
  }
  return deviceId;
}
