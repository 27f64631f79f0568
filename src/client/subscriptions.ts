/**
 * All subscriptions of a client. They are counted: two readers of one topic make one command, and the
 * last to leave takes it back.
 *
 * Free of any runtime.
 *
 * @module
 */

import type { Dialect } from "../dialect.ts";
import { writePath } from "../dialect.ts";
import type { Arguments } from "../message/command.ts";
import { decodeEvent, matches, type RcspEvent, type Topic } from "../message/event.ts";
import type { JsonObject } from "../message/json.ts";
import { limit } from "../limits.ts";
import { type Overflow, type SubscribeOptions, Subscription } from "./subscription.ts";

/** Sends one of the four commands of the dialect. */
export type SendCommand = (name: string, args: Arguments) => Promise<unknown>;

interface Group {
  readonly topic: Topic;
  readonly readers: Set<Reader>;
  accepted: boolean;
}

interface Reader {
  readonly topic: Topic | undefined;
  readonly push: (event: RcspEvent) => void;
  readonly accept: () => void;
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
}

/** See the module's own text. */
export class Subscriptions {
  readonly #dialect: Dialect;
  readonly #send: SendCommand;
  readonly #groups = new Map<string, Group>();
  readonly #readers = new Set<Reader>();

  /** Makes an empty collection. */
  constructor(dialect: Dialect, send: SendCommand) {
    this.#dialect = dialect;
    this.#send = send;
  }

  /** How many readers there are. */
  get size(): number {
    return this.#readers.size;
  }

  /**
   * Adds a reader of a topic, or of everything that arrives where there is none. `select` makes of each
   * event what the reader gets, or `undefined` to pass it over.
   *
   * @throws {TypeError | RangeError} If the topic or an option is wrong.
   */
  add<T>(
    topic: Topic | undefined,
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
    const reader: Reader = {
      topic,
      push: (event) => {
        const selected = select(event);
        if (selected !== undefined) subscription.push(selected);
      },
      accept: () => subscription.accept(),
      finish: () => subscription.finish(),
      fail: (error) => subscription.fail(error),
    };
    // A signal that was aborted already has ended it: nothing is sent.
    if (subscription.ended) return subscription;
    this.#readers.add(reader);
    if (topic === undefined) subscription.accept();
    else this.#join(topic, reader);
    return subscription;
  }

  /** Hands an event to all who asked for it. */
  dispatch(body: JsonObject): void {
    const event = decodeEvent(body, this.#dialect);
    for (const reader of this.#readers) {
      if (reader.topic === undefined || matches(event, reader.topic)) reader.push(event);
    }
  }

  /** Ends all, in good order or with an error. */
  end(error: unknown): void {
    const readers = [...this.#readers];
    this.#readers.clear();
    this.#groups.clear();
    for (const reader of readers) {
      if (error === undefined) reader.finish();
      else reader.fail(error);
    }
  }

  #join(topic: Topic, reader: Reader): void {
    const key = keyOf(topic);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { topic, readers: new Set(), accepted: false };
      this.#groups.set(key, group);
      this.#subscribe(group);
    }
    group.readers.add(reader);
    if (group.accepted) reader.accept();
  }

  #subscribe(group: Group): void {
    const { subscribe, deviceSubscribe } = this.#dialect.commands;
    const name = group.topic.deviceId === undefined ? subscribe : deviceSubscribe;
    this.#send(name, this.#arguments(group.topic)).then(
      () => {
        group.accepted = true;
        for (const reader of group.readers) reader.accept();
      },
      (error) => {
        const key = keyOf(group.topic);
        if (this.#groups.get(key) === group) this.#groups.delete(key);
        for (const reader of group.readers) {
          this.#readers.delete(reader);
          reader.fail(error);
        }
        group.readers.clear();
      },
    );
  }

  async #leave(reader: Reader): Promise<void> {
    if (!this.#readers.delete(reader) || reader.topic === undefined) return;
    const { topic } = reader;
    const key = keyOf(topic);
    const group = this.#groups.get(key);
    if (!group?.readers.delete(reader) || group.readers.size > 0) return;
    this.#groups.delete(key);
    const { unsubscribe, deviceUnsubscribe } = this.#dialect.commands;
    const name = topic.deviceId === undefined ? unsubscribe : deviceUnsubscribe;
    // Whatever the server says, the reader has left, and what still comes is dropped.
    await this.#send(name, this.#arguments(topic)).catch(() => {});
  }

  #arguments(topic: Topic): JsonObject {
    const args: JsonObject = {};
    const { publisher, topic: topicKey, deviceId } = this.#dialect.subscription;
    if (topic.deviceId !== undefined) writePath(args, deviceId, topic.deviceId);
    writePath(args, publisher, topic.publisher);
    writePath(args, topicKey, topic.topic);
    return args;
  }
}

function keyOf(topic: Topic): string {
  return JSON.stringify([topic.publisher, topic.topic, topic.deviceId]);
}

function checkTopic({ publisher, topic }: Topic): void {
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
