/**
 * The broker as the rest sees it: it reconnects by itself, and publishes.
 *
 * @module
 */

import type { Buffer } from "node:buffer";
import type { IClientPublishOptions, ISubscriptionMap } from "mqtt";
import { formatDuration } from "../command_line/duration.ts";
import type { Clock } from "../process/io.ts";
import { logOnce } from "../terminal/refusal_log.ts";
import { quote } from "../text/values.ts";
import {
  type BrokerConnection,
  type ConnectionOptions,
  type MqttVersion,
  openConnection,
  VersionRefused,
} from "./broker_connection.ts";
import { brokerReason, formatBroker } from "./broker_url.ts";
import { type Press, PressQueue } from "./press_queue.ts";

/** Milliseconds between attempts to connect: a press must not grow too old while we wait. */
const RETRY = { first: 250, longest: 2_000 };
/** A connection that lived for so many milliseconds makes the next attempt the first one. */
const STABLE_AFTER = 5_000;
/** A press older than this is not sent as new, in milliseconds. */
export const PRESS_LIFETIME = 10_000;
/** Most presses that wait for the broker. */
const MOST_PRESSES = 1_000;
/** Most responses that wait for the broker. */
const MOST_RESPONSES = 256;
/** Milliseconds to send what waits, at the end. */
const FLUSH = 500;

/** What a broker needs. */
export interface BrokerOptions extends Omit<ConnectionOptions, "signal"> {
  readonly clock: Clock;
  /** What to subscribe to. */
  readonly filters: ISubscriptionMap;
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
  log(text: string): Promise<void>;
}

type Message = [topic: string, payload: string, options: IClientPublishOptions, press?: Press];

/**
 * A broker that comes and goes. Nothing here waits for it:
 *
 * - `retain()` keeps the newest payload of a topic, and publishes it on each new connection.
 * - `press()` queues: see {@link PressQueue}.
 * - `latest()` is for streams: only the newest payload is sent, or none.
 */
export class Broker {
  readonly #options: BrokerOptions;
  readonly #name: string;
  readonly #end = new AbortController();
  readonly #retained = new Map<string, string>();
  /** Topics whose retained payload this connection has not seen yet. */
  #unsent = new Set<string>();
  readonly presses: PressQueue;
  #responses: Message[] = [];
  #latest = new Map<string, string>();
  #isStreaming = false;
  /** Where messages go. */
  #connection: BrokerConnection | undefined;
  /** The same, from before it has subscribed. */
  #opened: BrokerConnection | undefined;
  #inFlight = 0;
  #version: MqttVersion | undefined;
  #idle: (() => void) | undefined;
  readonly #complain: (text: string) => void;

  constructor(options: BrokerOptions) {
    this.#options = options;
    this.#name = formatBroker(options.address);
    this.#complain = logOnce((text) => void options.log(text));
    this.presses = new PressQueue({
      limit: MOST_PRESSES,
      maxAge: PRESS_LIFETIME,
      now: () => options.clock.now(),
    });
  }

  /** Whether it is connected. */
  get isConnected(): boolean {
    return this.#connection !== undefined;
  }

  /** Sets a retained payload; an empty one removes the topic from the broker. */
  retain(topic: string, payload: string): void {
    if (this.#retained.get(topic) === payload) return;
    this.#retained.set(topic, payload);
    this.#unsent.add(topic);
    this.#pump();
  }

  /** Queues a press. */
  press(topic: string, payload: string): void {
    this.presses.add(topic, payload);
    this.#pump();
  }

  /** Publishes if the one before is written, with QoS 0; otherwise the newest payload waits. */
  latest(topic: string, payload: string): void {
    if (this.#connection === undefined) return;
    this.#latest.set(topic, payload);
    this.#stream();
  }

  /** Responds to a request; not if the broker is away, as nobody waits that long. */
  respond(topic: string, payload: string, correlationData: Buffer | undefined): void {
    if (this.#connection === undefined) return;
    if (this.#responses.length >= MOST_RESPONSES) this.#responses.shift();
    const properties = correlationData && { correlationData };
    this.#responses.push([topic, payload, { qos: 1, ...(properties && { properties }) }]);
    this.#pump();
  }

  /** Connects, and connects again, until `close()`. Never rejects. */
  async run(): Promise<void> {
    const { pause, log } = this.#options;
    const { signal } = this.#end;
    let delay = RETRY.first;
    let lastLogged: string | undefined;
    let lostAt: number | undefined;
    while (!signal.aborted) {
      const startedAt = this.#options.clock.now();
      let reason: unknown;
      try {
        const connection = this.#opened = await this.#open();
        const away = lostAt === undefined
          ? ""
          : ` again after ${formatDuration(this.#options.clock.now() - lostAt)}`;
        const without5 = this.#version === 5 ? "" : " (MQTT 3.1.1, so calls get no response)";
        if (signal.aborted) await connection.close();
        await log(`Connected to broker ${this.#name}${away}${without5}`);
        lastLogged = undefined;
        reason = await this.#serve(connection);
      } catch (error) {
        reason = error;
      }
      if (signal.aborted) break;
      lostAt ??= this.#options.clock.now();
      if (this.#options.clock.now() - startedAt > STABLE_AFTER) {
        delay = RETRY.first;
        lostAt = this.#options.clock.now();
      }
      const sentence = `Broker ${this.#name}: ${brokerReason(reason)}`;
      const stop = sentence.endsWith("?") ? "" : ".";
      if (sentence !== lastLogged) await log(`${sentence}${stop} Trying again until Ctrl-C`);
      lastLogged = sentence;
      await pause(delay * (0.5 + Math.random() / 2), signal);
      delay = Math.min(delay * 2, RETRY.longest);
    }
  }

  /** Sends what waits, if it can be sent soon, and closes the connection. */
  async close(): Promise<void> {
    const connection = this.#connection;
    if (connection !== undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#idle = resolve;
      const timer = this.#options.clock.set(resolve, FLUSH);
      this.#pump();
      await Promise.race([promise, connection.closed]);
      this.#options.clock.clear(timer);
    }
    this.#connection = undefined;
    this.#end.abort(new Error("The command ends"));
    await this.#opened?.close();
  }

  async #open(): Promise<BrokerConnection> {
    const options = { ...this.#options, signal: this.#end.signal };
    let version = this.#version ?? 5;
    const connection = await openConnection(options, version).catch((error) => {
      if (!(error instanceof VersionRefused)) throw error;
      return openConnection(options, version = 4);
    });
    this.#version = version;
    return connection;
  }

  /** Resolves with the reason when the connection has ended. */
  async #serve(connection: BrokerConnection): Promise<unknown> {
    const { filters, log } = this.#options;
    const refused = await Promise.race([
      connection.subscribe(filters).catch(() => Object.keys(filters)),
      connection.closed.then(() => [] as string[]),
    ]);
    for (const filter of refused) await log(`The broker does not allow subscribing to ${filter}`);
    this.#unsent = new Set(this.#retained.keys());
    if (!this.#end.signal.aborted) this.#connection = connection;
    const [late, before] = [this.presses.size, this.presses.expired];
    this.#pump();
    const expired = this.presses.expired - before;
    if (late - expired > 0) await log(`Presses sent late: ${late - expired}`);
    if (expired > 0) {
      const lifetime = formatDuration(PRESS_LIFETIME);
      await log(`Presses dropped as they were older than ${lifetime}: ${expired}`);
    }
    const reason = await connection.closed;
    this.#connection = undefined;
    this.#opened = undefined;
    this.#inFlight = 0;
    this.#responses = [];
    this.#latest = new Map();
    this.#isStreaming = false;
    this.presses.requeue();
    return reason;
  }

  /** Publishes as much as may be in flight. */
  #pump(): void {
    const connection = this.#connection;
    while (connection !== undefined && this.#inFlight < connection.window) {
      const message = this.#next();
      if (message === undefined) break;
      void this.#send(connection, ...message);
    }
    if (this.#inFlight === 0) this.#idle?.();
  }

  /** Retained payloads first, then responses, then presses. */
  #next(): Message | undefined {
    const [topic] = this.#unsent;
    if (topic !== undefined) {
      this.#unsent.delete(topic);
      return [topic, this.#retained.get(topic) ?? "", { qos: 1, retain: true }];
    }
    const response = this.#responses.shift();
    if (response !== undefined) return response;
    const next = this.presses.next();
    if (next === undefined) return undefined;
    const { press, left } = next;
    const properties = { messageExpiryInterval: Math.ceil(left / 1_000) };
    return [press.topic, press.payload, { qos: 1, properties }, press];
  }

  async #send(
    connection: BrokerConnection,
    ...[topic, payload, options, press]: Message
  ): Promise<void> {
    this.#inFlight++;
    const error = await connection.publish(topic, payload, options)
      .then(() => undefined, (error) => error as { readonly code?: unknown });
    if (connection !== this.#connection) return;
    this.#inFlight--;
    if (error === undefined) {
      if (press !== undefined) this.presses.acknowledge(press);
      // Nothing is to be kept of a topic that was removed.
      else if (options.retain && this.#retained.get(topic) === "") this.#retained.delete(topic);
      // Without a reason code the connection is lost, which is not the end of the message.
    } else if (typeof error.code === "number") {
      if (press !== undefined) this.presses.refuse(press);
      this.#complain(`The broker refuses ${quote(topic)}: ${brokerReason(error)}`);
    }
    this.#pump();
  }

  #stream(): void {
    const connection = this.#connection;
    const [next] = this.#latest;
    if (connection === undefined || next === undefined || this.#isStreaming) return;
    const [topic, payload] = next;
    this.#latest.delete(topic);
    this.#isStreaming = true;
    const done = (): void => {
      if (connection !== this.#connection) return;
      this.#isStreaming = false;
      this.#stream();
    };
    connection.publish(topic, payload, { qos: 0 }).then(done, done);
  }
}
