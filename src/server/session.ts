/**
 * One client of a server.
 *
 * @module
 */

import type { Dialect } from "../dialect.ts";
import {
  CommandError,
  ConnectionError,
  LimitError,
  ProtocolError,
  TimeoutError,
} from "../errors.ts";
import { Fifo } from "../fifo.ts";
import type { Limits } from "../limits.ts";
import { type Command, decodeCommand } from "../message/command.ts";
import { type EventFilter, filterKey } from "../message/event.ts";
import { isObject, type JsonObject, parseBody } from "../message/json.ts";
import { encodeError, encodeResponse, RawResponse } from "../message/response.ts";
import { quote } from "../escape.ts";
import { receive, type Receiver, type Socket } from "../socket/socket.ts";
import { FrameDecoder } from "../wire/decoder.ts";
import { utf8LengthIfOver } from "../wire/encoder.ts";
import { payloadLimitError, PayloadType } from "../wire/header.ts";
import { ResponseQueue, type Slot } from "./response_queue.ts";
import { type ClientHandle, CommandContext, type HandlerContext } from "./command_context.ts";
import { FrameWriter } from "./frame_writer.ts";
import { type Clock, StallTimer } from "../timers.ts";

/** What a handler returns: the response's data, or nothing. */
export type HandlerResult = JsonObject | null | undefined | void;

/**
 * Executes a command. Its result becomes the response's `Response`; a `CommandError` that it throws
 * becomes the `Error`; anything else that it throws is answered as an internal error.
 */
export type Handler = (
  command: Command,
  context: HandlerContext,
) => HandlerResult | Promise<HandlerResult>;

/** Options of a session. */
export interface SessionOptions {
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly handlers: ReadonlyMap<string, Handler>;
  /** The handler of commands without one of their own, if there is one. */
  readonly unknown: { readonly handler?: Handler };
  /** Receives why a client was disconnected. */
  readonly onDisconnect: (error: unknown, client: ClientHandle) => void;
  /** Receives what a handler threw, or its timeout. */
  readonly onFailure: (error: unknown, client: ClientHandle, command: string) => void;
}

/** A client of the server: reads its commands, runs their handlers, and sends responses and events. */
export class Session implements ClientHandle, Receiver {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #writer: FrameWriter;
  readonly #responses: ResponseQueue;
  /** Commands of the current chunk for which the response queue had no room. */
  readonly #backlog = new Fifo<Uint8Array>();
  readonly #topics = new Set<string>();
  /** Commands whose handlers are running. */
  readonly #running = new Set<CommandContext>();
  readonly #decoder: FrameDecoder;
  #received = 0;
  /** Resumes the socket. */
  #resume: (() => void) | undefined;
  /** Whether the backlog is worked off; meanwhile one more chunk is accepted, then the socket is paused. */
  #workingOff = false;
  #ahead: Uint8Array | undefined;
  #inputEnded = false;
  readonly #sink = (type: PayloadType, payload: Uint8Array): void => this.#onFrame(type, payload);
  readonly #frameTimer: StallTimer;
  readonly #responseTimer: StallTimer;
  #changing: Promise<void> | undefined;
  #phase: "open" | "draining" | "closed" = "open";
  #clientEnded = false;
  /** Why nobody waits for responses any more. */
  #ending: { readonly reason: unknown } | undefined;

  /** Takes ownership of a socket and starts to read. */
  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#writer = new FrameWriter(socket, (error) => this.disconnect(error));
    this.#responses = new ResponseQueue(this.#writer, options.limits);
    const { clock, limits: { maxPayload, partialFrameTimeout, closeTimeout } } = options;
    this.#decoder = new FrameDecoder({ maxPayload });
    this.#frameTimer = new StallTimer({
      clock,
      timeout: partialFrameTimeout,
      progress: () =>
        this.#phase === "open" && !this.#workingOff && this.#decoder.partial
          ? this.#received
          : undefined,
      onStall: () => this.disconnect(this.#stalled()),
    });
    this.#responseTimer = new StallTimer({
      clock,
      timeout: closeTimeout,
      progress: () => this.#responses.progress,
      onStall: () => this.close(),
    });
    // A reset may come while the socket is paused.
    socket.closed.then(() => this.#onLeft());
    this.#resume = receive(socket, this);
  }

  /** Its address: `127.0.0.1:50000`. */
  get remote(): string {
    return this.#socket.remote;
  }

  /** Resolves when it is disconnected. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Whether the client has ended its connection, or its half of it, which looks the same. */
  get clientEnded(): boolean {
    return this.#clientEnded;
  }

  /** Whether `close()` was called; the socket may close later. */
  get ended(): boolean {
    return this.#phase === "closed";
  }

  /** Closes its connection immediately. */
  close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#clientEnded = true;
    this.#frameTimer.stop();
    this.#responseTimer.stop();
    this.#abortHandlers(`Client ${this.remote} is disconnected`);
    for (const { timer } of this.#running) this.#options.clock.clear(timer);
    this.#running.clear();
    this.#responses.close();
    this.#socket.close();
  }

  /** Closes its connection immediately, and reports why. */
  disconnect(error: unknown): void {
    if (this.#phase === "closed") return;
    this.close();
    this.#options.onDisconnect(error, this);
  }

  /**
   * Accepts no more commands, sends the pending responses, and closes after the client has. A client
   * that has ended its half receives only what is ready.
   */
  async drain(): Promise<void> {
    if (this.#phase === "open") {
      this.#phase = "draining";
      this.#abortHandlers("The server is closing");
      if (this.#clientEnded) await this.#closeFlushed();
      else {
        await this.#responses.empty();
        await this.#socket.closeWrite();
      }
    }
    await this.closed;
  }

  /** Runs a change of the subscriptions after all earlier ones have settled or were aborted. */
  inOrder(
    { signal }: HandlerContext,
    change: () => void | Promise<void>,
  ): void | Promise<void> {
    const changing = this.#changing === undefined ? change() : this.#changing.then(() => {
      signal.throwIfAborted();
      return change();
    });
    if (changing === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    changing.then(resolve, resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    const settled = promise.then(() => {
      if (this.#changing === settled) this.#changing = undefined;
    });
    this.#changing = settled;
    return changing;
  }

  /**
   * Adds a subscription.
   *
   * @throws {CommandError} If there are `maxTopics` already, or it is longer than `maxTopicLength`.
   */
  subscribe(topic: EventFilter): void {
    const { limits, dialect } = this.#options;
    const key = filterKey(topic);
    if (key.length > limits.maxTopicLength) {
      throw new CommandError({
        Code: dialect.errorCodes.badArguments,
        Message:
          `A topic of ${key.length} characters is longer than 'maxTopicLength' (${limits.maxTopicLength})`,
      });
    }
    if (this.#topics.size >= limits.maxTopics && !this.#topics.has(key)) {
      throw new CommandError({
        Code: dialect.errorCodes.tooManyTopics,
        Message: `There are 'maxTopics' (${limits.maxTopics}) subscriptions already`,
      });
    }
    this.#topics.add(key);
  }

  /** Removes a subscription. */
  unsubscribe(topic: EventFilter): void {
    this.#topics.delete(filterKey(topic));
  }

  /** Whether it has a subscription with one of these keys. */
  wants(keys: readonly string[]): boolean {
    return this.#phase === "open" && keys.some((key) => this.#topics.has(key));
  }

  /** Sends an encoded frame; returns `false` if it disconnects the client instead. */
  send(frame: Uint8Array): boolean {
    if (!this.#canSend()) return false;
    this.#writer.addBytes(frame);
    return true;
  }

  /** Called by the socket: decodes a chunk and runs its commands. */
  onChunk(chunk: Uint8Array): boolean {
    if (this.#phase === "closed") return false;
    if (this.#workingOff) {
      // With one chunk read ahead, the end of the connection is noticed while commands wait for room.
      this.#ahead = chunk.slice();
      return false;
    }
    try {
      this.#received += chunk.length;
      if (this.#phase === "open") this.#decoder.push(chunk, this.#sink);
    } catch (error) {
      this.disconnect(error);
      return false;
    }
    if (this.#backlog.length > 0 || this.#responses.full) this.#workOffBacklog();
    else if (this.#decoder.partial) this.#frameTimer.watch();
    return true;
  }

  /** Called by the socket: the client has ended its half. */
  onEnd(): void {
    this.#inputEnded = true;
    if (this.#workingOff) this.#onLeft();
    else this.#finish();
  }

  /** Called by the socket: the connection broke. */
  onError(error: unknown): void {
    this.disconnect(error);
  }

  async #finish(): Promise<void> {
    try {
      if (this.#phase === "open") this.#decoder.end();
      this.#onLeft();
      if (this.#phase === "open") await this.#responses.empty();
      await this.#closeFlushed();
    } catch (error) {
      this.disconnect(error);
    }
  }

  /** The client is gone, or has ended its half and waits for responses: both look the same. */
  #onLeft(): void {
    if (this.#clientEnded) return;
    this.#clientEnded = true;
    this.#abortHandlers(`Client ${this.remote} has ended the connection`);
    if (this.#phase === "draining") this.#closeFlushed();
    else this.#responseTimer.watch();
  }

  #abortHandlers(why: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = { reason: new ConnectionError("connection-closed", why) };
    for (const context of this.#running) context.abort(this.#ending.reason);
  }

  /** Closes the connection after what is ready is sent. */
  async #closeFlushed(): Promise<void> {
    await this.#writer.flushed();
    this.close();
  }

  #onFrame(type: PayloadType, payload: Uint8Array): void {
    if (this.#phase !== "open") return;
    if (type !== PayloadType.Command) {
      throw new ProtocolError("unexpected-type", "Unexpected frame", {
        expected: "a command from the client",
        received: `type ${type}`,
        bytes: payload,
      });
    }
    if (this.#backlog.length > 0 || this.#responses.full) this.#backlog.push(payload.slice());
    else this.#execute(payload);
  }

  /** A chunk may contain thousands of commands: each waits for room in the response queue. */
  async #workOffBacklog(): Promise<void> {
    this.#workingOff = true;
    for (;;) {
      while (this.#responses.full) await this.#responses.drained();
      const payload = this.#backlog.shift();
      if (payload === undefined) break;
      if (this.#phase === "open") this.#execute(payload);
    }
    this.#workingOff = false;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined && this.onChunk(ahead)) this.#resume?.();
    if (this.#inputEnded && !this.#workingOff) await this.#finish();
    else if (this.#decoder.partial) this.#frameTimer.watch();
  }

  #execute(payload: Uint8Array): void {
    const slot = this.#responses.reserve(payload.length);
    const context = new CommandContext(this, payload);
    try {
      const body = this.#answerIfInvalid(
        payload,
        (body) => parseBody(body, this.#options.limits.maxDepth),
      );
      if (typeof body["TrackId"] === "string") slot.trackId = body["TrackId"];
      const command = this.#answerIfInvalid(body, decodeCommand);
      const { handlers, unknown } = this.#options;
      const handler = handlers.get(command.Command) ?? unknown.handler;
      if (handler === undefined) throw this.#unknownCommand(command);
      slot.command = command.Command;
      const result = handler(command, context);
      if (result instanceof Promise) this.#awaitResult(result, slot, context);
      else this.#succeed(slot, result);
    } catch (error) {
      this.#refuse(slot, context, error);
    }
  }

  #awaitResult(result: Promise<HandlerResult>, slot: Slot, context: CommandContext): void {
    const { clock, limits: { handlerTimeout } } = this.#options;
    const finished = (): void => {
      clock.clear(context.timer);
      this.#running.delete(context);
    };
    if (this.#ending !== undefined) context.abort(this.#ending.reason);
    if (this.#phase !== "closed") {
      this.#running.add(context);
      if (handlerTimeout !== Infinity) {
        context.timer = clock.set(() => this.#timeOut(slot, context), handlerTimeout);
      }
    }
    result.then((data) => {
      finished();
      if (slot.json === undefined) this.#succeed(slot, data);
    }).catch((error) => {
      finished();
      if (slot.json === undefined) this.#refuse(slot, context, error);
      else if (!context.explains(error)) this.#fail(slot, error);
    });
  }

  /** Answers a command whose handler takes too long, so that later responses need not wait. */
  #timeOut(slot: Slot, context: CommandContext): void {
    this.#running.delete(context);
    const { limits: { handlerTimeout }, dialect } = this.#options;
    const name = quote(slot.command!);
    const error = new TimeoutError(
      `Handler of ${name} took longer than 'handlerTimeout' (${handlerTimeout} ms)`,
      handlerTimeout,
    );
    context.abort(error);
    const Message = `${name} timed out after ${handlerTimeout} ms`;
    this.#refuse(slot, context, new CommandError({ Code: dialect.errorCodes.timeout, Message }));
    this.#fail(slot, error);
  }

  #fail(slot: Slot, error: unknown): void {
    this.#options.onFailure(error, this, slot.command ?? "");
  }

  /** Invalid content of a valid frame is answered, and does not end the connection. */
  #answerIfInvalid<T, R>(input: T, read: (input: T) => R): R {
    try {
      return read(input);
    } catch (error) {
      const Code = this.#options.dialect.errorCodes.badCommand;
      throw new CommandError({ Code, Message: (error as Error).message });
    }
  }

  #unknownCommand(command: Command): CommandError {
    return new CommandError({
      Code: this.#options.dialect.errorCodes.unknownCommand,
      Message: `Unknown command ${quote(command.Command)}`,
    });
  }

  #succeed(slot: Slot, result: HandlerResult | RawResponse): void {
    const name = quote(slot.command!);
    if (result instanceof RawResponse) {
      this.#checkSize(result.json, `Cannot answer ${name}`);
      this.#responses.complete(slot, result.type, result.json);
      return;
    }
    if ((result ?? undefined) !== undefined && !isObject(result)) {
      throw new TypeError(`Handler of ${name} must return an object or nothing`);
    }
    const json = encodeResponse(slot.trackId, result ?? undefined, this.#options.dialect);
    this.#checkSize(json, `Cannot answer ${name}`);
    this.#responses.complete(slot, PayloadType.ResponseOk, json);
  }

  #refuse(slot: Slot, context: CommandContext, error: unknown): void {
    const json = this.#encodeRefusal(slot, context, error);
    this.#responses.complete(slot, PayloadType.ResponseError, json);
  }

  #encodeRefusal(slot: Slot, context: CommandContext, error: unknown): string {
    const { dialect } = this.#options;
    let failure = error;
    if (error instanceof CommandError) {
      try {
        const body = { Code: error.errorCode, Message: error.errorMessage };
        const json = encodeError(slot.trackId, body, dialect);
        this.#checkSize(json, "Cannot answer with an error");
        return json;
      } catch (cause) {
        // A handler's code may be anything, and may have no JSON.
        failure = cause;
      }
    }
    if (!context.explains(failure)) this.#fail(slot, failure);
    const body = {
      Code: dialect.errorCodes.internal,
      Message: "Internal server error",
    };
    return encodeError(slot.trackId, body, dialect);
  }

  #checkSize(json: string, action: string): void {
    const { maxPayload } = this.#options.limits;
    const size = utf8LengthIfOver(json, maxPayload);
    if (size !== undefined) throw payloadLimitError(action, size, maxPayload);
  }

  /** Returns whether more may be sent; disconnects a client that does not read. */
  #canSend(): boolean {
    if (this.#phase !== "open") return false;
    const { maxUnsent } = this.#options.limits;
    if (this.#writer.unsent <= maxUnsent) return true;
    this.disconnect(
      new LimitError(
        `Client ${this.remote} was disconnected: more than 'maxUnsent' (${maxUnsent}) bytes are unread`,
        "maxUnsent",
        maxUnsent,
      ),
    );
    return false;
  }

  #stalled(): ConnectionError {
    const { partialFrameTimeout } = this.#options.limits;
    return new ConnectionError(
      "connection-stalled",
      `Client ${this.remote} was disconnected: its frame was incomplete for ${partialFrameTimeout} ms`,
    );
  }
}

/** The keys of the subscriptions that match an event: for its device, and for all devices. */
export function topicKeys({ publisher, topic, deviceId }: EventFilter): string[] {
  const all = filterKey({ publisher, topic });
  return deviceId === undefined ? [all] : [filterKey({ publisher, topic, deviceId }), all];
}
