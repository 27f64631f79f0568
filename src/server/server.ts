/**
 * The server side: sessions over any sockets. Free of any runtime.
 *
 * @module
 */

import { type Dialect, dialect, type DialectOptions, readPath } from "../dialect.ts";
import { CommandError } from "../errors.ts";
import { limit, LIMITS, type Limits } from "../limits.ts";
import type { Command, DeviceId } from "../message/command.ts";
import { encodeEvent, type EventFilter, type OutgoingEvent } from "../message/event.ts";
import { quote } from "../escape.ts";
import { callUserCallback, show } from "../user_callback.ts";
import type { Address, Listen, Listener, ListenOptions, Socket } from "../socket/socket.ts";
import { encodeFrame } from "../wire/encoder.ts";
import { HEADER_SIZE, payloadLimitError, PayloadType } from "../wire/header.ts";
import type { ClientHandle, HandlerContext } from "./command_context.ts";
import { CLOCK, type Clock } from "../timers.ts";
import { type Handler, Session, topicKeys } from "./session.ts";

/** Options of a server. */
export interface ServerOptions {
  /** Most clients at once; one more is closed as soon as it comes. Default: 1024. */
  maxClients?: number | undefined;
  /** Longest body in bytes, both ways. Default: 16 MiB. */
  maxPayload?: number | undefined;
  /** Deepest nesting of a received body. Default: 64. */
  maxDepth?: number | undefined;
  /** Most unanswered commands of one client before it is not read any further. Default: 1024. */
  maxQueued?: number | undefined;
  /** Most subscriptions of one client; one more is answered with an error. Default: 1024. */
  maxTopics?: number | undefined;
  /** Longest publisher, topic and device id of a subscription together, in characters. Default: 1024. */
  maxTopicLength?: number | undefined;
  /**
   * Most bytes that wait for one client. Beyond, its commands and their answers wait; an event that
   * comes then has it cut. Events of one turn of the event loop count together. Default: 4 MiB.
   */
  maxUnsent?: number | undefined;
  /** Milliseconds that a frame of a client may stop half-way before the client is cut. Default: 10000. */
  partialFrameTimeout?: number | undefined;
  /**
   * Milliseconds that a handler may take; then the command is answered with an error, the handler's
   * signal aborts, and what it gives later is dropped. Default: none.
   */
  handlerTimeout?: number | undefined;
  /**
   * Milliseconds for the last answers to get out: in `close()`, and of a client that has ended its half,
   * which is closed when none has come for so long. Default: 5000.
   */
  closeTimeout?: number | undefined;
  /** What differs from the assumed names: see `DIALECT`. */
  dialect?: DialectOptions | undefined;
  /**
   * Looks at a subscription before it is accepted; throws a `CommandError`, or rejects with one, to
   * refuse it. Until it is through, the client's later subscription commands wait.
   */
  onSubscribe?: ((topic: EventFilter, context: HandlerContext) => void | Promise<void>) | undefined;
  /**
   * Told why a client was cut, what a handler threw, that it took too long, and what went wrong with a
   * listener. What it throws is an uncaught error. Default: the first error of each handler is shown on
   * the console.
   */
  onError?: ((error: unknown, client?: ClientHandle) => void) | undefined;
}

/** Further options, for tests only. */
export interface ServerTestHooks {
  readonly clock?: Clock;
}

/** What a server can be used as. */
// Declared here too, as some makers of `.d.ts` files leave out members that a symbol names.
export interface RcspServer extends AsyncDisposable {}

/**
 * An RCSP server without any commands of its own but the four of subscriptions.
 *
 * - Each command gets one answer, in the order of the commands; handlers run side by side.
 * - What is no command, or no RCSP, ends that connection; the others live.
 */
export class RcspServer {
  /** The names it goes by. */
  readonly dialect: Dialect;
  readonly #limits: Limits;
  readonly #handlers = new Map<string, Handler>();
  readonly #sessions = new Set<Session>();
  readonly #listeners = new Set<Listener>();
  /** Commands whose handlers have failed without an `onError`. */
  readonly #shown = new Set<string>();
  readonly #options: ServerOptions;
  readonly #clock: Clock;
  #closed: Promise<void> | undefined;

  /**
   * Makes a server.
   *
   * @throws {TypeError | RangeError} If an option is wrong.
   */
  constructor(options: ServerOptions = {}) {
    this.#options = options;
    const { clock = CLOCK } = options as ServerTestHooks;
    this.#clock = clock;
    this.dialect = dialect(options.dialect);
    this.#limits = {
      ...LIMITS,
      maxClients: limit("maxClients", options.maxClients),
      maxPayload: limit("maxPayload", options.maxPayload),
      maxDepth: limit("maxDepth", options.maxDepth),
      maxQueued: limit("maxQueued", options.maxQueued),
      maxTopics: limit("maxTopics", options.maxTopics),
      maxTopicLength: limit("maxTopicLength", options.maxTopicLength),
      maxUnsent: limit("maxUnsent", options.maxUnsent),
      partialFrameTimeout: limit("partialFrameTimeout", options.partialFrameTimeout),
      handlerTimeout: limit("handlerTimeout", options.handlerTimeout),
      closeTimeout: limit("closeTimeout", options.closeTimeout),
    };
    this.#handleSubscriptions();
  }

  /** How many clients are connected. */
  get clients(): number {
    return this.#sessions.size;
  }

  /** Where it listens. */
  get addresses(): Address[] {
    return Array.from(this.#listeners, (listener) => listener.address);
  }

  /** Carries out a command with `handler`, in place of any handler before. Gives the server back. */
  handle(command: string, handler: Handler): this {
    this.#handlers.set(command, handler);
    return this;
  }

  /**
   * Listens, and accepts every client until `close()`. Returns the address with the actual port.
   *
   * Rejects with a `ConnectionError` if the port is taken, or with a `TypeError` or `RangeError` if the
   * address is invalid or the server is closed.
   */
  async serve(listen: Listen, options: ListenOptions = {}): Promise<Address> {
    if (this.#closed !== undefined) throw new TypeError("Cannot serve as the server is closed");
    const listener = await listen(
      options,
      (socket) => this.accept(socket),
      (error) => this.#tell(error),
    );
    if (this.#closed === undefined) this.#listeners.add(listener);
    else await listener.close();
    return listener.address;
  }

  /** Takes one client. */
  accept(socket: Socket): void {
    if (this.#closed !== undefined || !this.#findSeat()) {
      socket.close();
      return;
    }
    const session = new Session(socket, {
      dialect: this.dialect,
      limits: this.#limits,
      clock: this.#clock,
      handlers: this.#handlers,
      onCut: (error, client) => this.#tell(error, client),
      onFailure: (error, client, command) => this.#tellFailure(error, client, command),
    });
    this.#sessions.add(session);
    socket.closed.then(() => this.#sessions.delete(session));
  }

  /**
   * Sends an event to the clients that have subscribed to it; gives how many those are.
   *
   * @throws {LimitError} If its body is longer than `maxPayload`, and somebody has.
   */
  publish(event: OutgoingEvent): number {
    const keys = topicKeys(event);
    let frame: Uint8Array | undefined;
    let reached = 0;
    for (const session of this.#sessions) {
      if (!session.wants(keys)) continue;
      frame ??= this.#encodeEvent(event);
      if (session.send(frame)) reached++;
    }
    return reached;
  }

  /**
   * Stops listening, takes no more commands, lets the answers out, and ends all connections, after
   * `closeTimeout` also those whose clients do not leave. May be called any number of times.
   */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Closes the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #encodeEvent(event: OutgoingEvent): Uint8Array {
    const frame = encodeFrame(PayloadType.Event, encodeEvent(event, this.dialect));
    const size = frame.length - HEADER_SIZE;
    const { maxPayload } = this.#limits;
    if (size > maxPayload) throw payloadLimitError("Cannot publish event", size, maxPayload);
    return frame;
  }

  /** Whether there is a seat for one more client; one that has left and waits for answers gives its up. */
  #findSeat(): boolean {
    const { maxClients } = this.#limits;
    if (this.#sessions.size < maxClients) return true;
    const leaving = [...this.#sessions].filter(({ left }) => left);
    if (this.#sessions.size - leaving.length >= maxClients) return false;
    leaving.find(({ ended }) => !ended)?.close();
    return true;
  }

  #tellFailure(error: unknown, client: ClientHandle, command: string): void {
    if (this.#options.onError) this.#tell(error, client);
    else if (!this.#shown.has(command)) {
      // Only the first, as clients bring them about: a log must not grow with what they send.
      this.#shown.add(command);
      const hint = "Set 'onError' to be told of further failures of it";
      show(`RCSP server: handler of ${quote(command)} failed`, error, hint);
    }
  }

  #tell(error: unknown, client?: ClientHandle): void {
    const { onError } = this.#options;
    if (onError) callUserCallback(() => onError(error, client));
  }

  async #close(): Promise<void> {
    const listeners = Array.from(this.#listeners, (listener) => listener.close());
    const sessions = [...this.#sessions];
    const timer = this.#clock.set(() => {
      for (const session of sessions) session.close();
    }, this.#limits.closeTimeout);
    await Promise.all([...listeners, ...sessions.map((session) => session.drain())]);
    this.#listeners.clear();
    this.#clock.clear(timer);
  }

  #handleSubscriptions(): void {
    const { commands } = this.dialect;
    const subscribe = (device: boolean): Handler => (command, context) => {
      const session = context.client as Session;
      const topic = this.#topicOf(command, device);
      return session.inOrder(context, () => {
        const looking = this.#options.onSubscribe?.(topic, context);
        if (looking === undefined) return session.subscribe(topic);
        return Promise.resolve(looking).then(() => {
          context.signal.throwIfAborted();
          session.subscribe(topic);
        });
      });
    };
    const unsubscribe = (device: boolean): Handler => (command, context) => {
      const session = context.client as Session;
      const topic = this.#topicOf(command, device);
      return session.inOrder(context, () => session.unsubscribe(topic));
    };
    this.handle(commands.subscribe, subscribe(false));
    this.handle(commands.unsubscribe, unsubscribe(false));
    this.handle(commands.deviceSubscribe, subscribe(true));
    this.handle(commands.deviceUnsubscribe, unsubscribe(true));
  }

  #topicOf({ Command, Arguments }: Command, device: boolean): EventFilter {
    const { subscription, errorCodes } = this.dialect;
    const missing = (key: string, what: string): CommandError =>
      new CommandError({
        Code: errorCodes.badArguments,
        Message: `${Command} needs ${what} in 'Arguments.${key}'`,
      });
    const text = (key: string): string => {
      const value = readPath(Arguments, key);
      if (typeof value === "string") return value;
      throw missing(key, "a string");
    };
    const publisher = text(subscription.publisher);
    const topic = text(subscription.topic);
    if (!device) return { publisher, topic };
    const deviceId = (readPath(Arguments, subscription.deviceId) ?? undefined) as
      | DeviceId
      | undefined;
    if (deviceId === undefined) throw missing(subscription.deviceId, "a device id");
    return { publisher, topic, deviceId };
  }
}
