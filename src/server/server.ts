/**
 * The server.
 *
 * @module
 */

import { type Dialect, dialect, type DialectOptions } from "../dialect.ts";
import { checkLimits } from "../limits.ts";
import { encodeEvent, type EventFilter, type OutgoingEvent } from "../message/event.ts";
import { quote } from "../escape.ts";
import { callUserCallback, show } from "../user_callback.ts";
import type { Address, Listen, ListenOptions, Socket } from "../socket/socket.ts";
import { encodeFrame } from "../wire/encoder.ts";
import { HEADER_SIZE, payloadLimitError, PayloadType } from "../wire/header.ts";
import { CLOCK, type Clock } from "../timers.ts";
import type { ClientHandle, Handler, HandlerContext } from "./command_context.ts";
import { Listeners } from "./listeners.ts";
import { Session, type SessionOptions, topicKeys } from "./session.ts";
import { handleSubscriptions } from "./subscription_commands.ts";

/** Options of a server. */
export interface ServerOptions {
  /** Maximum number of clients; further ones are closed immediately. Default: 1024. */
  maxClients?: number | undefined;
  /** Maximum size of a body in bytes, in both directions. Default: 16 MiB. */
  maxPayload?: number | undefined;
  /** Maximum nesting of a received body. Default: 64. */
  maxDepth?: number | undefined;
  /** Unanswered commands of one client at which the server stops reading from it. Default: 1024. */
  maxQueued?: number | undefined;
  /** Maximum subscriptions of one client; further ones are answered with an error. Default: 1024. */
  maxTopics?: number | undefined;
  /** Maximum characters of a subscription's publisher, topic and device id together. Default: 1024. */
  maxTopicLength?: number | undefined;
  /**
   * Maximum unsent bytes of one client. Above it, its commands and responses wait, and an event
   * disconnects it. Events of one event loop turn count together. Default: 4 MiB.
   */
  maxUnsent?: number | undefined;
  /** Milliseconds without a byte inside a frame until its client is disconnected. Default: 10000. */
  partialFrameTimeout?: number | undefined;
  /**
   * Milliseconds until a handler times out: the command is answered with an error, the handler's signal
   * aborts, and a later result is dropped. Default: none.
   */
  handlerTimeout?: number | undefined;
  /**
   * Milliseconds for the last responses: in `close()`, and for a client that has ended its half, which is
   * closed when no response was ready for so long. Default: 5000.
   */
  closeTimeout?: number | undefined;
  /** Names that differ from the assumed ones: see `DIALECT`. */
  dialect?: DialectOptions | undefined;
  /**
   * Called before a subscription is accepted; throws a `CommandError`, or rejects with one, to refuse it.
   * Until it has settled, the client's later subscription commands wait.
   */
  onSubscribe?: ((topic: EventFilter, context: HandlerContext) => void | Promise<void>) | undefined;
  /**
   * Receives why a client was disconnected, what a handler threw, handler timeouts, and errors of a
   * listening socket. An error that it throws is uncaught. Default: logs the first error of each handler
   * with `console.error`.
   */
  onError?: ((error: unknown, client?: ClientHandle) => void) | undefined;
}

/** Further options, for tests only. */
export interface ServerTestHooks {
  readonly clock?: Clock;
}

/** A server is an async disposable: `await using` closes it. */
// Some .d.ts generators omit members whose names are symbols.
export interface RcspServer extends AsyncDisposable {}

/**
 * An RCSP server. It implements the four subscription commands; add others with `handle()`.
 *
 * - Each command gets one response, in the order of the commands; handlers run concurrently.
 * - Invalid frames end that client's connection only.
 */
export class RcspServer {
  /** The names that it uses on the wire. */
  readonly dialect: Dialect;
  readonly #handlers = new Map<string, Handler>();
  /** The same for all clients. */
  readonly #sessionOptions: SessionOptions & { unknown: Handler | undefined };
  readonly #sessions = new Set<Session>();
  readonly #listeners = new Listeners();
  /** Handlers of which an error was logged. */
  readonly #shown = new Set<Handler | undefined>();
  readonly #options: ServerOptions;

  /**
   * Creates a server that does not listen yet: see `serve()`.
   *
   * @throws {TypeError | RangeError} If an option is invalid.
   */
  constructor(options: ServerOptions = {}) {
    this.#options = options;
    const { clock = CLOCK } = options as ServerTestHooks;
    this.dialect = dialect(options.dialect);
    this.#sessionOptions = {
      dialect: this.dialect,
      limits: checkLimits(options),
      clock,
      handlers: this.#handlers,
      unknown: undefined,
      onDisconnect: (error, client) => this.#report(error, client),
      onFailure: (error, client, command) => this.#reportFailure(error, client, command),
    };
    handleSubscriptions(
      this,
      (...args) => this.#subscribe(...args),
      (session, topic, context) => session.inOrder(context, () => session.unsubscribe(topic)),
    );
  }

  /** Number of connected clients. */
  get clients(): number {
    return this.#sessions.size;
  }

  /** The addresses that it listens on. */
  get addresses(): Address[] {
    return this.#listeners.addresses;
  }

  /** Sets the handler of a command. Returns the server. */
  handle(command: string, handler: Handler): this {
    this.#handlers.set(command, handler);
    return this;
  }

  /** Sets the handler of all commands without one of their own. Returns the server. */
  handleUnknown(handler: Handler): this {
    this.#sessionOptions.unknown = handler;
    return this;
  }

  /**
   * Listens, and accepts every client until `close()`. Returns the address with the actual port.
   *
   * Rejects with a `ConnectionError` if the port is taken, or with a `TypeError` or `RangeError` if the
   * address is invalid or the server is closed.
   */
  serve(listen: Listen, options: ListenOptions = {}): Promise<Address> {
    return this.#listeners.serve(listen, options, this, (error) => this.#report(error));
  }

  /** Adds a client with a socket of your own. */
  accept(socket: Socket): void {
    if (this.#listeners.closed || !this.#hasRoom()) {
      socket.close();
      return;
    }
    const session = new Session(socket, this.#sessionOptions);
    this.#sessions.add(session);
    socket.closed.then(() => this.#sessions.delete(session));
  }

  /**
   * Sends an event to its subscribers. Returns their number.
   *
   * @throws {LimitError} If its body is longer than `maxPayload` and it has subscribers.
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
   * Stops listening, accepts no more commands, sends the pending responses, and waits until the clients
   * have disconnected; after `closeTimeout` it disconnects them. May be called more than once.
   */
  close(): Promise<void> {
    const { clock, limits } = this.#sessionOptions;
    return this.#listeners.close(this.#sessions, clock, limits.closeTimeout);
  }

  /** Closes the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #encodeEvent(event: OutgoingEvent): Uint8Array {
    const frame = encodeFrame(PayloadType.Event, encodeEvent(event, this.dialect));
    const size = frame.length - HEADER_SIZE;
    const { maxPayload } = this.#sessionOptions.limits;
    if (size > maxPayload) throw payloadLimitError("Cannot publish event", size, maxPayload);
    return frame;
  }

  /** Whether one more client fits; if needed, disconnects one that has ended its half. */
  #hasRoom(): boolean {
    const { maxClients } = this.#sessionOptions.limits;
    if (this.#sessions.size < maxClients) return true;
    const ending = [...this.#sessions].filter(({ clientEnded }) => clientEnded);
    if (this.#sessions.size - ending.length >= maxClients) return false;
    ending.find(({ ended }) => !ended)?.close();
    return true;
  }

  #reportFailure(error: unknown, client: ClientHandle, command: string): void {
    if (this.#options.onError) return this.#report(error, client);
    const handler = this.#handlers.get(command) ?? this.#sessionOptions.unknown;
    if (this.#shown.has(handler)) return;
    // Only the first: clients cause these errors, and must not be able to fill a log.
    this.#shown.add(handler);
    const hint = "Further errors of this handler are not logged: set 'onError' to receive them";
    show(`RCSP server: handler of ${quote(command)} failed`, error, hint);
  }

  #report(error: unknown, client?: ClientHandle): void {
    const { onError } = this.#options;
    if (onError) callUserCallback(() => onError(error, client));
  }

  #subscribe(session: Session, topic: EventFilter, context: HandlerContext): void | Promise<void> {
    return session.inOrder(context, () => {
      const checking = this.#options.onSubscribe?.(topic, context);
      if (checking === undefined) return session.subscribe(topic);
      return Promise.resolve(checking).then(() => {
        context.signal.throwIfAborted();
        session.subscribe(topic);
      });
    });
  }
}
