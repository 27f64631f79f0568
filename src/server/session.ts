/**
 * One client of a server. Free of any runtime.
 *
 * @module
 */

import type { Dialect } from "../dialect.ts";
import { CommandError, LimitError, ProtocolError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import type { Limits } from "../limits.ts";
import { type Command, decodeCommand } from "../message/command.ts";
import { type Topic, topicKey } from "../message/event.ts";
import { isObject, type JsonObject, parseBody } from "../message/json.ts";
import { encodeError, encodeResponse } from "../message/response.ts";
import { quote } from "../printable.ts";
import type { Socket } from "../socket.ts";
import { FrameDecoder } from "../wire/decoder.ts";
import { oversize } from "../wire/encoder.ts";
import { payloadLimitError, PayloadType } from "../wire/header.ts";
import { AnswerLine, type Place } from "./answer_line.ts";
import { Outbox } from "./outbox.ts";

/** What a handler may give: the data of a response ok, or nothing. */
export type HandlerResult = JsonObject | null | undefined | void;

/**
 * Carries out a command. What it gives is the answer's `Response`; a `CommandError` that it throws is
 * the answer's `Error`; anything else that it throws is answered as an internal error.
 */
export type Handler = (
  command: Command,
  client: ClientHandle,
) => HandlerResult | Promise<HandlerResult>;

/** A client, as a handler sees it. */
export interface ClientHandle {
  /** Its address in words. */
  readonly remote: string;
  /** Resolves when it has gone, which is not before its commands are answered: do not await it there. */
  readonly closed: Promise<void>;
  /** Ends its connection at once. */
  close(): void;
}

/** What a session needs of its server. */
export interface SessionOptions {
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly handlers: ReadonlyMap<string, Handler>;
  /** Told why a client was cut, and what a handler threw. */
  readonly onError: (error: unknown, client: ClientHandle) => void;
}

/** See the module's own text. */
export class Session implements ClientHandle {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #outbox: Outbox;
  readonly #answers: AnswerLine;
  /** Commands that came in one chunk with others, and found no room. */
  readonly #backlog = new Fifo<Uint8Array>();
  readonly #topics = new Set<string>();
  #changing: Promise<void> | undefined;
  #phase: "open" | "draining" | "closed" = "open";

  /** Takes over a socket and starts to read. */
  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#outbox = new Outbox(socket, (error) => this.#cut(error));
    this.#answers = new AnswerLine(this.#outbox, options.limits);
    this.#serve();
  }

  /** Its address in words. */
  get remote(): string {
    return this.#socket.remote;
  }

  /** Resolves when it has gone. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Ends its connection at once. */
  close(): void {
    this.#phase = "closed";
    this.#answers.close();
    this.#socket.close();
  }

  /** Takes no more commands, lets the answers out, and closes when the client has. */
  async drain(): Promise<void> {
    if (this.#phase !== "open") return await this.closed;
    this.#phase = "draining";
    await this.#answers.empty();
    await this.#socket.closeWrite();
    await this.closed;
  }

  /** Runs a change of the subscriptions once all those before it are through. */
  inOrder(change: () => void | Promise<void>): void | Promise<void> {
    const changing = this.#changing === undefined ? change() : this.#changing.then(change);
    if (changing === undefined) return;
    const through = (): void => {
      if (this.#changing === settled) this.#changing = undefined;
    };
    const settled = changing.then(through, through);
    this.#changing = settled;
    return changing;
  }

  /**
   * Remembers a subscription.
   *
   * @throws {CommandError} If there are `maxTopics` already, or it is longer than `maxTopicLength`.
   */
  subscribe(topic: Topic): void {
    const { limits, dialect } = this.#options;
    const key = topicKey(topic);
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
  unsubscribe(topic: Topic): void {
    this.#topics.delete(topicKey(topic));
  }

  /** Whether it has subscribed under one of these keys. */
  wants(keys: readonly string[]): boolean {
    return this.#phase === "open" && keys.some((key) => this.#topics.has(key));
  }

  /** Sends a frame that was made once for many; `false` where the client is cut instead. */
  send(frame: Uint8Array): boolean {
    if (!this.#makeRoom()) return false;
    this.#outbox.addBytes(frame);
    return true;
  }

  async #serve(): Promise<void> {
    const decoder = new FrameDecoder({ maxPayload: this.#options.limits.maxPayload });
    try {
      for (;;) {
        const chunk = await this.#socket.read();
        if (chunk === null) break;
        if (this.#phase === "open") {
          decoder.push(chunk, (type, payload) => this.#take(type, payload));
        }
        await this.#workOff();
      }
      if (this.#phase === "open") decoder.end();
      await this.#answers.empty();
      this.close();
    } catch (error) {
      this.#cut(error);
    }
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
    if (this.#backlog.length > 0 || this.#answers.full) this.#backlog.push(payload.slice());
    else this.#carryOut(payload);
  }

  /** A chunk may hold thousands of commands: each waits until there is room for its answer. */
  async #workOff(): Promise<void> {
    for (;;) {
      while (this.#answers.full) await this.#answers.room();
      const payload = this.#backlog.shift();
      if (payload === undefined) return;
      if (this.#phase === "open") this.#carryOut(payload);
    }
  }

  #carryOut(payload: Uint8Array): void {
    const place = this.#answers.join(payload.length);
    let trackId: string | undefined;
    try {
      const body = this.#read(payload, (body) => parseBody(body, this.#options.limits.maxDepth));
      if (typeof body["TrackId"] === "string") trackId = body["TrackId"];
      const command = this.#read(body, decodeCommand);
      const handler = this.#options.handlers.get(command.Command);
      if (handler === undefined) throw this.#unknownCommand(command);
      const result = handler(command, this);
      if (!(result instanceof Promise)) {
        this.#succeed(place, command, result);
        return;
      }
      result.then((data) => this.#succeed(place, command, data))
        .catch((error) => this.#refuse(place, trackId, error));
    } catch (error) {
      this.#refuse(place, trackId, error);
    }
  }

  /** What cannot be read is answered, as its frame was sound. */
  #read<T, R>(input: T, read: (input: T) => R): R {
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

  #succeed(place: Place, command: Command, result: HandlerResult): void {
    if ((result ?? undefined) !== undefined && !isObject(result)) {
      throw new TypeError(`Handler of ${quote(command.Command)} must give an object or nothing`);
    }
    const json = encodeResponse(command.TrackId, result ?? undefined, this.#options.dialect);
    this.#checkSize(json, `Cannot answer ${quote(command.Command)}`);
    this.#answers.fill(place, PayloadType.ResponseOk, json);
  }

  #refuse(place: Place, trackId: string | undefined, error: unknown): void {
    this.#answers.fill(place, PayloadType.ResponseError, this.#encodeRefusal(trackId, error));
  }

  #encodeRefusal(trackId: string | undefined, error: unknown): string {
    const { dialect, onError } = this.#options;
    let failure = error;
    if (error instanceof CommandError) {
      try {
        const body = { Code: error.errorCode, Message: error.errorMessage };
        const json = encodeError(trackId, body, dialect);
        this.#checkSize(json, "Cannot answer with an error");
        return json;
      } catch (cause) {
        // A handler's code may be anything, also what JSON cannot say.
        failure = cause;
      }
    }
    onError(failure, this);
    const body = {
      Code: dialect.errorCodes.internal,
      Message: "The server failed to carry this out",
    };
    return encodeError(trackId, body, dialect);
  }

  #checkSize(json: string, action: string): void {
    const { maxPayload } = this.#options.limits;
    const size = oversize(json, maxPayload);
    if (size !== undefined) throw payloadLimitError(action, size, maxPayload);
  }

  /** Whether more may be sent; a client that takes nothing is cut. */
  #makeRoom(): boolean {
    if (this.#phase === "closed") return false;
    const { maxUnsent } = this.#options.limits;
    if (this.#outbox.unsent <= maxUnsent) return true;
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
    this.#options.onError(error, this);
  }
}

/** The keys under which those subscribed who want an event: of its device, and of all devices. */
export function topicKeys({ publisher, topic, deviceId }: Topic): string[] {
  const all = topicKey({ publisher, topic });
  return deviceId === undefined ? [all] : [topicKey({ publisher, topic, deviceId }), all];
}
