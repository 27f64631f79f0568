/**
 * The client as its users see it.
 *
 * @module
 */

import type { RcspError } from "../errors.ts";
import type { Arguments, DeviceId } from "../message/command.ts";
import type { EventFilter, RcspEvent } from "../message/event.ts";
import type { JsonObject } from "../message/json.ts";
import type { ButtonPress, ColorLed, Device } from "./device.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";

/**
 * A client of an RCSP server, made by `connect()`.
 *
 * - Calls may overlap, up to `maxPending`. They are sent in the order of the calls.
 * - When a connection ends, every command without a response rejects: with a `ConnectionError`, or with
 *   the `ProtocolError` or `LimitError` that ended it; `sent` is `true` if the server may have received
 *   the command. Nothing is sent twice.
 * - Unless `reconnect` is `false`, the client then connects again, subscribes again, and sends the calls
 *   that were made meanwhile and have not timed out.
 */
export interface RcspClient {
  /** Resolves when the client has closed: with the cause, or `undefined` after `close()` or `drain()`. */
  readonly closed: Promise<RcspError | undefined>;
  /** The current status: connecting, ready, reconnecting or closed. */
  readonly status: ClientStatus;

  /**
   * Sends a command and resolves with the `Response` object of the answer, an empty one if it has none.
   * `T` is the type that you expect; it is not checked.
   *
   * - A call that timed out or was aborted after it was sent may still be carried out by the server.
   * - While there is no connection, the call waits for the next one, unsent.
   *
   * Rejects with a `CommandError` (the server refused), a `TimeoutError`, a `ConnectionError`, a
   * `ProtocolError`, a `LimitError` (`maxPending`, `maxPayload`), the signal's reason, or a `TypeError`
   * or `RangeError` if an argument is invalid.
   *
   * @param name The command, case-sensitive.
   * @param args Its `Arguments`, if it has any; device commands need `DeviceId`. Options come third.
   * @param options Timeout, signal and version.
   */
  call<T extends JsonObject = JsonObject>(
    name: string,
    args?: Arguments | null,
    options?: CallOptions,
  ): Promise<T>;
  /** Lists the connected devices; an empty list if there are none. */
  listDevices(options?: CallOptions): Promise<Device[]>;
  /** Resolves with what the driver knows about a device. The fields are not in any public text. */
  getDeviceInfo(device: DeviceId | Device, options?: CallOptions): Promise<JsonObject>;
  /**
   * Sets the color of a device's LED: `"red"`, `"#ff8000"`, or the channels. `LedId` defaults to
   * `RingLed`, the only name that is confirmed.
   *
   * Rejects with a `TypeError` or `RangeError`, and sends nothing, if the color is invalid.
   */
  setColorLed(
    device: DeviceId | Device,
    color: string | ColorLed,
    options?: CallOptions,
  ): Promise<JsonObject>;

  /**
   * Subscribes to a topic, of one device or of the driver. The command is sent immediately; await
   * `ready` to know that the server has accepted. If it refuses, reading rejects.
   *
   * The arguments of these commands and the fields of events are assumptions: see `DIALECT`.
   *
   * @throws {TypeError | RangeError} If the filter or an option is invalid.
   * @throws {ConnectionError} If the client is closed.
   */
  subscribe(filter: EventFilter, options?: SubscribeOptions): Subscription<RcspEvent>;
  /** Subscribes to the button of one device. Throws as `subscribe()`. */
  buttonPresses(device: DeviceId | Device, options?: SubscribeOptions): Subscription<ButtonPress>;
  /**
   * Subscribes to the button of every device. Devices that appear later are included: `ListDevices` is
   * sent every `pollInterval` milliseconds (default: 2000) and after a reconnect, as no public event
   * announces them. A device that refuses is left out; if all refuse, reading rejects.
   */
  presses(
    options?: SubscribeOptions & { pollInterval?: number | undefined },
  ): Subscription<ButtonPress>;
  /** Every event that arrives. Sends no command: subscribe separately. */
  events(options?: SubscribeOptions): Subscription<RcspEvent>;
  /** The statuses of the client, the current one first; ends after the client has closed. */
  statuses(): Subscription<ClientStatus>;
  /**
   * Calls `listener` for each button press of any device (as `presses()`), each event that arrives (as
   * `events()`), or each change of status, in the turn in which it happens. What the listener throws is
   * an uncaught error.
   *
   * Returns a function that stops. Its `ready` resolves when the server has accepted, and rejects if it
   * has not.
   */
  on(type: "press", listener: (press: ButtonPress) => void): StopListening;
  /** Calls `listener` for each event that arrives. */
  on(type: "event", listener: (event: RcspEvent) => void): StopListening;
  /** Calls `listener` at each change of status. */
  on(type: "status", listener: (status: ClientStatus) => void): StopListening;

  /** What was counted so far, and what is pending now. */
  stats(): ClientStats;
  /**
   * Closes the client gracefully: takes no more calls, waits for pending responses, unsubscribes, and
   * closes; closes anyway after `timeout` milliseconds (default: 5000). Never rejects.
   */
  drain(options?: { timeout?: number | undefined }): Promise<void>;
  /**
   * Closes the client: calls reject, subscriptions end. Resolves when the socket is closed. May be called
   * more than once. Never rejects.
   */
  close(): Promise<void>;
  /** Closes the client. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Options of a call. */
export interface CallOptions {
  /** Milliseconds until the call times out, its wait to be sent included. Default: `commandTimeout`. */
  timeout?: number | undefined;
  /** Aborts the call: it rejects with the signal's reason. The server may still carry it out. */
  signal?: AbortSignal | undefined;
  /** The command's `Version`. Default: 1. */
  version?: number | undefined;
}

/** Stops a listener. */
export interface StopListening {
  (): void;
  /** Resolves when the server has accepted; rejects if it refused or did not answer in time. */
  readonly ready: Promise<void>;
  /** Stops, at the end of a `using` block. */
  [Symbol.dispose](): void;
}

/** The status of a client. */
export type ClientStatus =
  | {
    /** The first connection is being opened. */
    readonly state: "connecting";
  }
  | {
    /** Connected, and the server has answered every subscription. */
    readonly state: "ready";
    /** How many times a lost connection was replaced. */
    readonly reconnects: number;
    /** Milliseconds since the previous connection was lost: events may be missing. 0 at first. */
    readonly gap: number;
  }
  | {
    /** The connection was lost or could not be opened. */
    readonly state: "reconnecting";
    /** The next attempt; the first is 1. */
    readonly attempt: number;
    /** Milliseconds until that attempt. */
    readonly delay: number;
    /** Why. */
    readonly cause: RcspError;
  }
  | {
    /** There will be no further connection. */
    readonly state: "closed";
    /** Why; `undefined` after `close()` or `drain()`. */
    readonly cause: RcspError | undefined;
  };

/** What a client has counted since it was created, and what is pending now. */
export interface ClientStats {
  /** Commands handed to a socket. */
  readonly sent: number;
  /** Ok responses that reached their caller. */
  readonly answered: number;
  /** Error responses that reached their caller. */
  readonly failed: number;
  /** Calls that timed out. */
  readonly timedOut: number;
  /** Responses dropped because their call had timed out or was aborted. */
  readonly late: number;
  /** Events received. */
  readonly events: number;
  /** Events dropped undecoded because nothing listened. */
  readonly unmatched: number;
  /** Events dropped because their body could not be read; see `onBadEvent`. */
  readonly unreadable: number;
  /** Events dropped by full buffers of subscriptions. */
  readonly dropped: number;
  /** Bytes written to sockets. */
  readonly bytesSent: number;
  /** Bytes read from sockets. */
  readonly bytesReceived: number;
  /** How many times a lost connection was replaced. */
  readonly reconnects: number;
  /** Smoothed time from call to response in milliseconds; `undefined` before the first response. */
  readonly roundTrip: number | undefined;
  /** Calls that wait to be sent. */
  readonly queued: number;
  /** Commands sent without a response so far, abandoned ones included. */
  readonly inFlight: number;
}
