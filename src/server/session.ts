/**
 * One client of a server. Free of any runtime.
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
import { encodeError, encodeResponse } from "../message/response.ts";
import { quote } from "../escape.ts";
import { receive, type Receiver, type Socket } from "../socket/socket.ts";
import { FrameDecoder } from "../wire/decoder.ts";
import { utf8LengthIfOver } from "../wire/encoder.ts";
import { payloadLimitError, PayloadType } from "../wire/header.ts";
import { ResponseQueue, type Slot } from "./response_queue.ts";
import { type ClientHandle, CommandContext, type HandlerContext } from "./command_context.ts";
import { FrameWriter } from "./frame_writer.ts";
import { type Clock, StallTimer } from "../timers.ts";

/** What a handler may give: the data of a response ok, or nothing. */
export type HandlerResult = JsonObject | null | undefined | void;

/**
 * Carries out a command. What it gives is the answer's `Response`; a `CommandError` that it throws is
 * the answer's `Error`; anything else that it throws is answered as an internal error.
 */
export type Handler = (
  command: Command,
  context: HandlerContext,
) => HandlerResult | Promise<HandlerResult>;

/** What a session needs of its server. */
export interface SessionOptions {
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Told why a client was cut. */
  readonly onCut: (error: unknown, client: ClientHandle) => void;
  /** Told what the handler of a command threw, and that it took too long. */
  readonly onFailure: (error: unknown, client: ClientHandle, command: string) => void;
}

/** See the module's own text. */
export class Session implements ClientHandle, Receiver {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #writer: FrameWriter;
  readonly #responses: ResponseQueue;
  /** Commands that came in one chunk with others, and found no room. */
  readonly #backlog = new Fifo<Uint8Array>();
  readonly #topics = new Set<string>();
  /** The contexts of the commands whose handlers are not through. */
  readonly #running = new Set<CommandContext>();
  readonly #decoder: FrameDecoder;
  #received = 0;
  /** Resumes the socket. */
  #resume: (() => void) | undefined;
  /** Whether commands wait for room; then one chunk may come ahead, and after it the socket is paused. */
  #working = false;
  #ahead: Uint8Array | undefined;
  #inputEnded = false;
  readonly #sink = (type: PayloadType, payload: Uint8Array): void => this.#take(type, payload);
  readonly #frameTimer: StallTimer;
  readonly #answerTimer: StallTimer;
  #changing: Promise<void> | undefined;
  #phase: "open" | "draining" | "closed" = "open";
  #left = false;
  /** Why no answer is waited for any more. */
  #ending: { readonly reason: unknown } | undefined;

  /** Takes over a socket and starts to read. */
  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#writer = new FrameWriter(socket, (error) => this.#cut(error));
    this.#responses = new ResponseQueue(this.#writer, options.limits);
    const { clock, limits: { maxPayload, partialFrameTimeout, closeTimeout } } = options;
    this.#decoder = new FrameDecoder({ maxPayload });
    this.#frameTimer = new StallTimer({
      clock,
      timeout: partialFrameTimeout,
      progress: () =>
        this.#phase === "open" && !this.#working && this.#decoder.partial
          ? this.#received
          : undefined,
      onStall: () => this.#cut(this.#stalled()),
    });
    this.#answerTimer = new StallTimer({
      clock,
      timeout: closeTimeout,
      progress: () => this.#responses.progress,
      onStall: () => this.close(),
    });
    // Such as by a reset, while it is not read.
    socket.closed.then(() => this.#onLeft());
    this.#resume = receive(socket, this);
  }

  /** Its address in words. */
  get remote(): string {
    return this.#socket.remote;
  }

  /** Resolves when it has gone. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Whether the client has ended its connection or its half of it, which looks the same. */
  get left(): boolean {
    return this.#left;
  }

  /** Whether `close()` was called; the socket may take a while to be gone. */
  get ended(): boolean {
    return this.#phase === "closed";
  }

  /** Ends its connection at once. */
  close(): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#left = true;
    this.#frameTimer.stop();
    this.#answerTimer.stop();
    this.#abortHandlers(`Client ${this.remote} is gone`);
    for (const { timer } of this.#running) this.#options.clock.clear(timer);
    this.#running.clear();
    this.#responses.close();
    this.#socket.close();
  }

  /**
   * Takes no more commands, lets the answers out, and closes when the client has. One that has left
   * gets what is ready.
   */
  async drain(): Promise<void> {
    if (this.#phase === "open") {
      this.#phase = "draining";
      this.#abortHandlers("The server is closing");
      if (this.#left) await this.#closeFlushed();
      else {
        await this.#responses.empty();
        await this.#socket.closeWrite();
      }
    }
    await this.closed;
  }

  /** Runs a command's change of the subscriptions once all those before it are through or given up. */
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
    const through = promise.then(() => {
      if (this.#changing === through) this.#changing = undefined;
    });
    this.#changing = through;
    return changing;
  }

  /**
   * Remembers a subscription.
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

  /** Forgets a subscription. */
  unsubscribe(topic: EventFilter): void {
    this.#topics.delete(filterKey(topic));
  }

  /** Whether it has subscribed under one of these keys. */
  wants(keys: readonly string[]): boolean {
    return this.#phase === "open" && keys.some((key) => this.#topics.has(key));
  }

  /** Sends a frame that was made once for many; `false` where the client is cut instead. */
  send(frame: Uint8Array): boolean {
    if (!this.#makeRoom()) return false;
    this.#writer.addBytes(frame);
    return true;
  }

  /** For the socket: decodes a chunk and runs its commands. */
  onChunk(chunk: Uint8Array): boolean {
    if (this.#phase === "closed") return false;
    if (this.#working) {
      // One chunk ahead, so that it is noticed when the client leaves while its commands wait for room.
      this.#ahead = chunk.slice();
      return false;
    }
    try {
      this.#received += chunk.length;
      if (this.#phase === "open") this.#decoder.push(chunk, this.#sink);
    } catch (error) {
      this.#cut(error);
      return false;
    }
    if (this.#backlog.length > 0 || this.#responses.full) this.#workOff();
    else if (this.#decoder.partial) this.#frameTimer.watch();
    return true;
  }

  /** For the socket: the client has ended its half. */
  onEnd(): void {
    this.#inputEnded = true;
    if (this.#working) this.#onLeft();
    else this.#finish();
  }

  /** For the socket: the connection broke. */
  onError(error: unknown): void {
    this.#cut(error);
  }

  async #finish(): Promise<void> {
    try {
      if (this.#phase === "open") this.#decoder.end();
      this.#onLeft();
      if (this.#phase === "open") await this.#responses.empty();
      await this.#closeFlushed();
    } catch (error) {
      this.#cut(error);
    }
  }

  /** The client is gone, or has ended its half and waits for answers: nobody can tell which. */
  #onLeft(): void {
    if (this.#left) return;
    this.#left = true;
    this.#abortHandlers(`Client ${this.remote} has ended the connection`);
    if (this.#phase === "draining") this.#closeFlushed();
    else this.#answerTimer.watch();
  }

  #abortHandlers(why: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = { reason: new ConnectionError("connection-closed", why) };
    for (const context of this.#running) context.abort(this.#ending.reason);
  }

  /** Ends the connection once what is ready has gone out. */
  async #closeFlushed(): Promise<void> {
    await this.#writer.flushed();
    this.close();
  }

  #take(type: PayloadType, payload: Uint8Array): void {
    if (this.#phase !== "open") return;
    if (type !== PayloadType.Command) {
      throw new ProtocolError("unexpected-type", "Cannot take frame", {
        expected: "a command from the client",
        received: `type ${type}`,
        bytes: payload,
      });
    }
    if (this.#backlog.length > 0 || this.#responses.full) this.#backlog.push(payload.slice());
    else this.#carryOut(payload);
  }

  /** A chunk may hold thousands of commands: each waits until there is room for its answer. */
  async #workOff(): Promise<void> {
    this.#working = true;
    for (;;) {
      while (this.#responses.full) await this.#responses.drained();
      const payload = this.#backlog.shift();
      if (payload === undefined) break;
      if (this.#phase === "open") this.#carryOut(payload);
    }
    this.#working = false;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined && this.onChunk(ahead)) this.#resume?.();
    if (this.#inputEnded && !this.#working) await this.#finish();
    else if (this.#decoder.partial) this.#frameTimer.watch();
  }

  #carryOut(payload: Uint8Array): void {
    const place = this.#responses.reserve(payload.length);
    const context = new CommandContext(this);
    try {
      const body = this.#readable(
        payload,
        (body) => parseBody(body, this.#options.limits.maxDepth),
      );
      if (typeof body["TrackId"] === "string") place.trackId = body["TrackId"];
      const command = this.#readable(body, decodeCommand);
      const handler = this.#options.handlers.get(command.Command);
      if (handler === undefined) throw this.#unknownCommand(command);
      place.command = command.Command;
      const result = handler(command, context);
      if (result instanceof Promise) this.#waitFor(result, place, context);
      else this.#succeed(place, result);
    } catch (error) {
      this.#refuse(place, context, error);
    }
  }

  #waitFor(result: Promise<HandlerResult>, place: Slot, context: CommandContext): void {
    const { clock, limits: { handlerTimeout } } = this.#options;
    const through = (): void => {
      clock.clear(context.timer);
      this.#running.delete(context);
    };
    if (this.#ending !== undefined) context.abort(this.#ending.reason);
    if (this.#phase !== "closed") {
      this.#running.add(context);
      if (handlerTimeout !== Infinity) {
        context.timer = clock.set(() => this.#giveUp(place, context), handlerTimeout);
      }
    }
    result.then((data) => {
      through();
      if (place.json === undefined) this.#succeed(place, data);
    }).catch((error) => {
      through();
      if (place.json === undefined) this.#refuse(place, context, error);
      else if (!context.explains(error)) this.#fail(place, error);
    });
  }

  /** The handler has had its time: the answers behind its own wait no longer. */
  #giveUp(place: Slot, context: CommandContext): void {
    this.#running.delete(context);
    const { limits: { handlerTimeout }, dialect } = this.#options;
    const name = quote(place.command!);
    const error = new TimeoutError(
      `Handler of ${name} took longer than 'handlerTimeout' (${handlerTimeout} ms)`,
      handlerTimeout,
    );
    context.abort(error);
    const Message = `${name} was not carried out within ${handlerTimeout} ms`;
    this.#refuse(place, context, new CommandError({ Code: dialect.errorCodes.timeout, Message }));
    this.#fail(place, error);
  }

  #fail(place: Slot, error: unknown): void {
    this.#options.onFailure(error, this, place.command ?? "");
  }

  /** What cannot be read is answered, as its frame was sound. */
  #readable<T, R>(input: T, read: (input: T) => R): R {
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
      Message: `There is no command ${quote(command.Command)}`,
    });
  }

  #succeed(place: Slot, result: HandlerResult): void {
    const name = quote(place.command!);
    if ((result ?? undefined) !== undefined && !isObject(result)) {
      throw new TypeError(`Handler of ${name} must give an object or nothing`);
    }
    const json = encodeResponse(place.trackId, result ?? undefined, this.#options.dialect);
    this.#checkSize(json, `Cannot answer ${name}`);
    this.#responses.complete(place, PayloadType.ResponseOk, json);
  }

  #refuse(place: Slot, context: CommandContext, error: unknown): void {
    const json = this.#encodeRefusal(place, context, error);
    this.#responses.complete(place, PayloadType.ResponseError, json);
  }

  #encodeRefusal(place: Slot, context: CommandContext, error: unknown): string {
    const { dialect } = this.#options;
    let failure = error;
    if (error instanceof CommandError) {
      try {
        const body = { Code: error.errorCode, Message: error.errorMessage };
        const json = encodeError(place.trackId, body, dialect);
        this.#checkSize(json, "Cannot answer with an error");
        return json;
      } catch (cause) {
        // A handler's code may be anything, also what JSON cannot say.
        failure = cause;
      }
    }
    if (!context.explains(failure)) this.#fail(place, failure);
    const body = {
      Code: dialect.errorCodes.internal,
      Message: "The server failed to carry this out",
    };
    return encodeError(place.trackId, body, dialect);
  }

  #checkSize(json: string, action: string): void {
    const { maxPayload } = this.#options.limits;
    const size = utf8LengthIfOver(json, maxPayload);
    if (size !== undefined) throw payloadLimitError(action, size, maxPayload);
  }

  /** Whether more may be sent; a client that takes nothing is cut. */
  #makeRoom(): boolean {
    if (this.#phase === "closed") return false;
    const { maxUnsent } = this.#options.limits;
    if (this.#writer.unsent <= maxUnsent) return true;
    this.#cut(
      new LimitError(
        `Client ${this.remote} was cut as it left 'maxUnsent' (${maxUnsent}) bytes unread`,
        "maxUnsent",
        maxUnsent,
      ),
    );
    return false;
  }

  #cut(error: unknown): void {
    if (this.#phase === "closed") return;
    this.close();
    this.#options.onCut(error, this);
  }

  #stalled(): ConnectionError {
    const { partialFrameTimeout } = this.#options.limits;
    return new ConnectionError(
      "connection-stalled",
      `Client ${this.remote} was cut as its frame got no further for ${partialFrameTimeout} ms`,
    );
  }
}

/** The keys under which those subscribed who want an event: of its device, and of all devices. */
export function topicKeys({ publisher, topic, deviceId }: EventFilter): string[] {
  const all = filterKey({ publisher, topic });
  return deviceId === undefined ? [all] : [filterKey({ publisher, topic, deviceId }), all];
}
