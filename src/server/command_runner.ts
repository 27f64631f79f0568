/**
 * Runs the handlers of one client's commands, and answers them.
 *
 * @module
 */

import type { Dialect } from "../dialect.ts";
import { CommandError, ConnectionError, TimeoutError } from "../errors.ts";
import { quote } from "../escape.ts";
import type { Limits } from "../limits.ts";
import { type Command, decodeCommand } from "../message/command.ts";
import { isObject, parseBody } from "../message/json.ts";
import { encodeError, encodeResponse, RawResponse } from "../message/response.ts";
import type { Clock } from "../timers.ts";
import { utf8LengthIfOver } from "../wire/encoder.ts";
import { payloadLimitError, PayloadType } from "../wire/header.ts";
import {
  type ClientHandle,
  CommandContext,
  type Handler,
  type HandlerResult,
} from "./command_context.ts";
import { refusal } from "./refusal.ts";
import type { ResponseQueue, Slot } from "./response_queue.ts";

/** What a runner needs of its server. */
export interface RunnerOptions {
  readonly dialect: Dialect;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly handlers: ReadonlyMap<string, Handler>;
  /** The handler of commands without one of their own. */
  readonly unknown: Handler | undefined;
  /** Receives what a handler threw, or its timeout. */
  readonly onFailure: (error: unknown, client: ClientHandle, command: string) => void;
}

/** Invalid content of a valid frame is answered, and does not end the connection. */
export class CommandRunner {
  readonly #client: ClientHandle;
  readonly #responses: ResponseQueue;
  readonly #options: RunnerOptions;
  /** Commands whose handlers are running. */
  readonly #running = new Set<CommandContext>();
  /** Why nobody waits for responses any more. */
  #ending: { readonly reason: unknown } | undefined;
  #closed = false;

  constructor(client: ClientHandle, responses: ResponseQueue, options: RunnerOptions) {
    this.#client = client;
    this.#responses = responses;
    this.#options = options;
  }

  /** Executes a command; its response goes to the queue, now or later. Never throws. */
  execute(payload: Uint8Array): void {
    const slot = this.#responses.reserve(payload.length);
    const context = new CommandContext(this.#client, payload);
    try {
      const command = this.#decode(payload, slot);
      const { dialect, handlers, unknown } = this.#options;
      const handler = handlers.get(command.Command) ?? unknown;
      if (handler === undefined) {
        throw refusal(dialect, "unknownCommand", `Unknown command ${quote(command.Command)}`);
      }
      slot.command = command.Command;
      const result = handler(command, context);
      if (result instanceof Promise) this.#awaitResult(result, slot, context);
      else this.#succeed(slot, result);
    } catch (error) {
      this.#refuse(slot, context, error);
    }
  }

  /** Aborts the signals of all handlers, and of those that start later. */
  abort(why: string): void {
    if (this.#ending !== undefined) return;
    this.#ending = { reason: new ConnectionError("connection-closed", why) };
    for (const context of this.#running) context.abort(this.#ending.reason);
  }

  /** Handlers may still run, but nothing times out any more. */
  close(): void {
    this.#closed = true;
    for (const { timer } of this.#running) this.#options.clock.clear(timer);
    this.#running.clear();
  }

  #decode(payload: Uint8Array, slot: Slot): Command {
    const { dialect, limits } = this.#options;
    try {
      const body = parseBody(payload, limits.maxDepth);
      if (typeof body["TrackId"] === "string") slot.trackId = body["TrackId"];
      return decodeCommand(body);
    } catch (error) {
      throw refusal(dialect, "badCommand", (error as Error).message);
    }
  }

  async #awaitResult(
    result: Promise<HandlerResult>,
    slot: Slot,
    context: CommandContext,
  ): Promise<void> {
    const { clock, limits: { handlerTimeout } } = this.#options;
    if (this.#ending !== undefined) context.abort(this.#ending.reason);
    if (!this.#closed) {
      this.#running.add(context);
      if (handlerTimeout !== Infinity) {
        context.timer = clock.set(() => this.#timeOut(slot, context), handlerTimeout);
      }
    }
    try {
      const data = await result;
      if (slot.json === undefined) this.#succeed(slot, data);
    } catch (error) {
      if (slot.json === undefined) this.#refuse(slot, context, error);
      else if (!context.explains(error)) this.#fail(slot, error);
    } finally {
      clock.clear(context.timer);
      this.#running.delete(context);
    }
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
    const message = `${name} timed out after ${handlerTimeout} ms`;
    this.#refuse(slot, context, refusal(dialect, "timeout", message));
    this.#fail(slot, error);
  }

  #fail(slot: Slot, error: unknown): void {
    this.#options.onFailure(error, this.#client, slot.command ?? "");
  }

  #succeed(slot: Slot, result: HandlerResult | RawResponse): void {
    const name = quote(slot.command!);
    const { type, json } = result instanceof RawResponse ? result : this.#encode(slot, result);
    this.#checkSize(json, `Cannot answer ${name}`);
    this.#responses.complete(slot, type, json);
  }

  #encode({ trackId, command }: Slot, result: HandlerResult): RawResponse {
    const data = result ?? undefined;
    if (data !== undefined && !isObject(data)) {
      throw new TypeError(`Handler of ${quote(command!)} must return an object or nothing`);
    }
    const json = encodeResponse(trackId, data, this.#options.dialect);
    return new RawResponse(PayloadType.ResponseOk, json);
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
        const { errorCode: Code, errorMessage: Message } = error;
        const json = encodeError(slot.trackId, { Code, Message }, dialect);
        this.#checkSize(json, "Cannot answer with an error");
        return json;
      } catch (cause) {
        // A handler's code may be anything, and may have no JSON.
        failure = cause;
      }
    }
    if (!context.explains(failure)) this.#fail(slot, failure);
    const { internal: Code } = dialect.errorCodes;
    return encodeError(slot.trackId, { Code, Message: "Internal server error" }, dialect);
  }

  #checkSize(json: string, action: string): void {
    const { maxPayload } = this.#options.limits;
    const size = utf8LengthIfOver(json, maxPayload);
    if (size !== undefined) throw payloadLimitError(action, size, maxPayload);
  }
}
