/**
 * All subscriptions of a client. They are counted: two readers of one topic make one command, and the
 * last to leave takes it back.
 *
 * Free of any runtime.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { type Dialect, writePath } from "../dialect.ts";
import { ConnectionError, type RcspError, TimeoutError } from "../errors.ts";
import type { Arguments } from "../message/command.ts";
import {
  decodeEvent,
  type EventFilter,
  filterKey,
  matches,
  type RcspEvent,
} from "../message/event.ts";
import { type JsonObject, parseBody } from "../message/json.ts";
import { limit } from "../limits.ts";
import { quote } from "../escape.ts";
import { callUserCallback } from "../user_callback.ts";
import { DeadlineTimer } from "./alarm.ts";
import { type Overflow, type SubscribeOptions, Subscription } from "./subscription.ts";

/** Sends one of the four commands of the dialect; see `CallRequest` for the options. */
export type SendCommand = (
  name: string,
  args: Arguments,
  options: { signal: AbortSignal; urgent?: boolean; unlimited?: boolean },
) => Promise<unknown>;

/** What the subscriptions need to know. */
export interface SubscriptionsOptions {
  readonly dialect: Dialect;
  /** Milliseconds in which a subscription must be accepted. */
  readonly commandTimeout: number;
  readonly maxDepth: number;
  readonly clock: Clock;
  /** Bytes received so far. */
  readonly received: () => number;
  readonly onBadEvent: ((error: RcspError) => void) | undefined;
}

/** What the subscriptions have counted: see `ClientStats`. */
export interface EventCounts {
  events: number;
  unmatched: number;
  unreadable: number;
}

// A server may crash on a subscription, or not know its form: it must not be asked without end.
const MAX_HANG_UPS = 3;

interface Group {
  readonly topic: EventFilter;
  readonly readers: Set<Reader>;
  /** Whether the command was given to the present connection. */
  asked: boolean;
  accepted: boolean;
  /** Connections in a row that ended before the server had answered. */
  hangUps: number;
}

interface Reader {
  /** When it must have been accepted; `Infinity` once it is. */
  deadline: number;
  /** `undefined` for everything that arrives. */
  readonly topic: EventFilter | undefined;
  readonly subscription: Subscription<unknown>;
  readonly select: (event: RcspEvent) => unknown;
}

/** See the module's own text. */
export class Subscriptions {
  readonly counts: EventCounts = { events: 0, unmatched: 0, unreadable: 0 };
  readonly #options: SubscriptionsOptions;
  readonly #send: SendCommand;
  readonly #alarm: DeadlineTimer;
  readonly #groups = new Map<string, Group>();
  readonly #readers = new Set<Reader>();
  /** Aborted at the end of each connection: its subscriptions end with it (assumed). */
  #connection: AbortController | undefined;
  /** The connection whose end was counted last. */
  #counted: AbortSignal | undefined;
  /** What readers that have left had dropped. */
  #dropped = 0;

  /** Makes an empty collection. */
  constructor(options: SubscriptionsOptions, send: SendCommand) {
    this.#options = options;
    this.#send = send;
    this.#alarm = new DeadlineTimer(options.clock, (now) => this.#expire(now), {
      progress: options.received,
    });
  }

  /** Events that wait to be read. */
  get waiting(): number {
    let waiting = 0;
    for (const reader of this.#readers) waiting += reader.subscription.waiting;
    return waiting;
  }

  /** Events let go by full buffers. */
  get dropped(): number {
    let dropped = this.#dropped;
    for (const reader of this.#readers) dropped += reader.subscription.dropped;
    return dropped;
  }

  /**
   * Adds a reader of a topic, or of everything that arrives where there is none. `select` makes of each
   * event what the reader gets, or `undefined` to pass it over.
   *
   * @throws {TypeError | RangeError} If the topic or an option is wrong.
   */
  add<T>(
    topic: EventFilter | undefined,
    options: SubscribeOptions,
    select: (event: RcspEvent) => T | undefined,
  ): Subscription<T> {
    if (topic !== undefined) checkTopic(topic);
    const subscription: Subscription<T> = new Subscription<T>({
      buffer: limit("buffer", options.buffer),
      overflow: checkOverflow(options.overflow),
      onOverflow: options.onOverflow,
      signal: options.signal,
      leave: () => this.#leave(reader),
    });
    const reader: Reader = { topic, subscription, select, deadline: Infinity };
    // A signal that was aborted already has ended it: nothing is sent.
    if (subscription.ended) return subscription;
    this.#readers.add(reader);
    if (topic === undefined) subscription.accept();
    else this.#join(topic, reader);
    return subscription;
  }

  /** Hands an event to all who asked for it; one that nobody did is not read. */
  receive(payload: Uint8Array): void {
    this.counts.events++;
    if (this.#readers.size === 0) this.counts.unmatched++;
    else this.#dispatch(payload);
  }

  #dispatch(payload: Uint8Array): void {
    let event: RcspEvent;
    try {
      event = decodeEvent(parseBody(payload, this.#options.maxDepth), this.#options.dialect);
    } catch (error) {
      // Its frame is sound, and nobody waits for it: the connection need not end with it.
      this.counts.unreadable++;
      const { onBadEvent } = this.#options;
      if (onBadEvent) callUserCallback(() => onBadEvent(error as RcspError));
      return;
    }
    for (const reader of this.#readers) {
      if (reader.topic !== undefined && !matches(event, reader.topic)) continue;
      const selected = reader.select(event);
      if (selected !== undefined) reader.subscription.push(selected);
    }
  }

  /**
   * A connection stands: makes all subscriptions on it. What it gives resolves when the server has
   * answered each; it rejects with a `TimeoutError` if the server leaves one unanswered.
   */
  online(): Promise<unknown> | undefined {
    this.#connection = new AbortController();
    const { signal } = this.#connection;
    if (this.#groups.size === 0) return undefined;
    const groups = [...this.#groups.values()];
    // One at a time shows on which of them the server hangs up.
    if (groups.some(({ hangUps }) => hangUps > 0)) return this.#subscribeInTurn(groups, signal);
    return Promise.all(groups.map((group) => this.#subscribe(group, signal, true)));
  }

  /** The connection has ended, and another may come. */
  offline(cause: RcspError): void {
    this.#connection?.abort(cause);
    this.#connection = undefined;
    for (const reader of this.#readers) reader.subscription.addGap();
    for (const group of this.#groups.values()) group.asked = group.accepted = false;
  }

  /** Takes all subscriptions back, and ends them in good order. */
  async leaveAll(): Promise<void> {
    const readers = [...this.#readers];
    await Promise.all(readers.map((reader) => {
      reader.subscription.finish();
      return this.#leave(reader);
    }));
  }

  /** Ends all, in good order or with an error. */
  end(error: unknown): void {
    this.#connection?.abort(error);
    this.#connection = undefined;
    this.#alarm.clear();
    const readers = [...this.#readers];
    this.#groups.clear();
    for (const reader of readers) {
      this.#remove(reader);
      if (error === undefined) reader.subscription.finish();
      else reader.subscription.fail(error);
    }
  }

  #join(topic: EventFilter, reader: Reader): void {
    const key = filterKey(topic);
    let group = this.#groups.get(key);
    const { clock, commandTimeout } = this.#options;
    if (group?.accepted) reader.subscription.accept();
    else this.#alarm.set(reader.deadline = clock.now() + commandTimeout);
    if (group !== undefined) {
      group.readers.add(reader);
      return;
    }
    group = { topic, readers: new Set([reader]), asked: false, accepted: false, hangUps: 0 };
    this.#groups.set(key, group);
    if (this.#connection) this.#subscribe(group, this.#connection.signal, false);
  }

  async #subscribeInTurn(groups: Group[], signal: AbortSignal): Promise<void> {
    for (const group of groups) {
      if (signal.aborted) return;
      if (this.#isCurrent(group)) await this.#subscribe(group, signal, true);
    }
  }

  /** Resolves when the server has answered, or the connection has ended. */
  async #subscribe(group: Group, signal: AbortSignal, returning: boolean): Promise<void> {
    group.asked = true;
    try {
      const args = this.#arguments(group.topic);
      await this.#send(this.#command(group.topic), args, { signal, urgent: returning });
      group.hangUps = 0;
      group.accepted = !signal.aborted;
      for (const reader of group.readers) {
        reader.deadline = Infinity;
        reader.subscription.accept();
      }
    } catch (error) {
      // Whoever left it has unsubscribed, and it may have been subscribed to anew since.
      if (!this.#isCurrent(group)) return;
      const unanswered = returning && error instanceof TimeoutError;
      if (signal.aborted || unanswered) {
        // It will be made again on the next connection.
        this.#countHangUp(group, signal, error);
        if (unanswered) throw error;
        return;
      }
      this.#drop(group, error);
      // The server may accept it yet: this stands behind it in the line.
      if (error instanceof TimeoutError && error.sent) this.#unsubscribe(group.topic);
    }
  }

  /** Of all that a connection left unanswered, the first one is what the server ended it on. */
  #countHangUp(group: Group, signal: AbortSignal, cause: unknown): void {
    if (this.#counted === signal) return;
    this.#counted = signal;
    if (++group.hangUps < MAX_HANG_UPS) return;
    const message =
      `Cannot subscribe to ${topicName(group.topic)} as ${MAX_HANG_UPS} connections ` +
      `in a row ended before the server answered ${quote(this.#command(group.topic))}: ` +
      "if it expects other names, set them with the option 'dialect'";
    this.#drop(group, new ConnectionError("connection-closed", message, { cause, sent: true }));
  }

  /** Fails the readers that were not accepted in time; gives the next deadline. */
  #expire(now: number): number {
    let next = Infinity;
    for (const reader of this.#readers) {
      if (reader.deadline > now) next = Math.min(next, reader.deadline);
      else this.#failLate(reader, reader.topic!);
    }
    return next;
  }

  #failLate(reader: Reader, topic: EventFilter): void {
    const { commandTimeout } = this.#options;
    const sent = this.#groups.get(filterKey(topic))?.asked ?? false;
    const reason = sent
      ? `the server did not answer ${quote(this.#command(topic))}`
      : "there was no connection";
    const message = `Cannot subscribe to ${
      topicName(topic)
    }: ${reason} within ${commandTimeout} ms`;
    reader.subscription.fail(new TimeoutError(message, commandTimeout, sent));
    this.#leave(reader);
  }

  #isCurrent(group: Group): boolean {
    return this.#groups.get(filterKey(group.topic)) === group;
  }

  #remove(reader: Reader): boolean {
    if (!this.#readers.delete(reader)) return false;
    this.#dropped += reader.subscription.dropped;
    return true;
  }

  #drop(group: Group, error: unknown): void {
    this.#groups.delete(filterKey(group.topic));
    for (const reader of group.readers) {
      this.#remove(reader);
      reader.subscription.fail(error);
    }
    group.readers.clear();
  }

  async #leave(reader: Reader): Promise<void> {
    const { topic } = reader;
    if (!this.#remove(reader) || topic === undefined) return;
    const key = filterKey(topic);
    const group = this.#groups.get(key);
    if (!group?.readers.delete(reader) || group.readers.size > 0) return;
    this.#groups.delete(key);
    if (group.asked) await this.#unsubscribe(topic);
  }

  /** Takes a subscription back. Whatever the server says, nobody reads it any more. */
  async #unsubscribe(topic: EventFilter): Promise<void> {
    if (this.#connection === undefined) return;
    const { signal } = this.#connection;
    const { unsubscribe, deviceUnsubscribe } = this.#options.dialect.commands;
    const name = topic.deviceId === undefined ? unsubscribe : deviceUnsubscribe;
    const options = { signal, unlimited: true };
    await this.#send(name, this.#arguments(topic), options).catch(() => {});
  }

  /** What subscribes to a topic. */
  #command(topic: EventFilter): string {
    const { subscribe, deviceSubscribe } = this.#options.dialect.commands;
    return topic.deviceId === undefined ? subscribe : deviceSubscribe;
  }

  #arguments(topic: EventFilter): JsonObject {
    const args: JsonObject = {};
    const { publisher, topic: topicKey, deviceId } = this.#options.dialect.subscription;
    if (topic.deviceId !== undefined) writePath(args, deviceId, topic.deviceId);
    writePath(args, publisher, topic.publisher);
    writePath(args, topicKey, topic.topic);
    return args;
  }
}

/** A topic in words. */
function topicName({ publisher, topic, deviceId }: EventFilter): string {
  const device = deviceId === undefined ? "" : ` of device ${quote(JSON.stringify(deviceId))}`;
  return `${quote(`${publisher}/${topic}`)}${device}`;
}

function checkTopic({ publisher, topic }: EventFilter): void {
  for (const [name, value] of Object.entries({ publisher, topic })) {
    if (typeof value !== "string") {
      throw new TypeError(`Cannot subscribe as '${name}' must be a string, not ${typeof value}`);
    }
  }
}

function checkOverflow(overflow: Overflow = "drop-oldest"): Overflow {
  if (["drop-oldest", "keep-latest", "fail"].includes(overflow)) return overflow;
  throw new TypeError(
    `Cannot subscribe as 'overflow' must be drop-oldest, keep-latest or fail: current value is ${overflow}`,
  );
}
