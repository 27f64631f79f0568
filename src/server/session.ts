/**
 * One client of a server.
 *
 * @module
 */

import { ConnectionError, LimitError, ProtocolError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { type EventFilter, filterKey } from "../message/event.ts";
import { receive, type Receiver, type Socket } from "../socket/socket.ts";
import { StallTimer } from "../timers.ts";
import { FrameDecoder } from "../wire/decoder.ts";
import { PayloadType } from "../wire/header.ts";
import type { ClientHandle, HandlerContext } from "./command_context.ts";
import { CommandRunner, type RunnerOptions } from "./command_runner.ts";
import { FrameWriter } from "./frame_writer.ts";
import { refusal } from "./refusal.ts";
import { ResponseQueue } from "./response_queue.ts";

/** Options of a session. */
export interface SessionOptions extends RunnerOptions {
  /** Receives why a client was disconnected. */
  readonly onDisconnect: (error: unknown, client: ClientHandle) => void;
}

/** A client of the server: reads its commands, runs their handlers, and sends responses and events. */
export class Session implements ClientHandle, Receiver {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #writer: FrameWriter;
  readonly #responses: ResponseQueue;
  readonly #runner: CommandRunner;
  /** Commands of the current chunk for which the response queue had no room. */
  readonly #backlog = new Fifo<Uint8Array>();
  readonly #topics = new Set<string>();
  readonly #decoder: FrameDecoder;
  #received = 0;
  /** Resumes the socket. */
  #resume: (() => void) | undefined;
  /** Whether the backlog is worked off; meanwhile one more chunk is accepted, then the socket is paused. */
  #workingOff = false;
  #ahead: Uint8Array | undefined;
  #inputEnded = false;
  readonly #frameTimer: StallTimer;
  readonly #responseTimer: StallTimer;
  #changing: Promise<void> | undefined;
  #phase: "open" | "draining" | "closed" = "open";
  #clientEnded = false;

  /** Takes ownership of a socket and starts to read. */
  constructor(socket: Socket, options: SessionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#writer = new FrameWriter(socket, {
      onWritten: () => this.#responses.onWritten(),
      onError: (error) => this.disconnect(error),
    });
    this.#responses = new ResponseQueue(this.#writer, options.limits);
    this.#runner = new CommandRunner(this, this.#responses, options);
    const { clock, limits: { maxPayload, partialFrameTimeout, closeTimeout } } = options;
    this.#decoder = new FrameDecoder({ maxPayload });
    this.#frameTimer = new StallTimer({
      clock,
      timeout: partialFrameTimeout,
      progress: () =>
        this.#phase === "open" && !this.#workingOff && this.#decoder.partial
          ? this.#received
          : undefined,
      onStall: () => {
        const message = `Client ${this.remote} was disconnected: its frame was incomplete for ` +
          `${partialFrameTimeout} ms`;
        this.disconnect(new ConnectionError("connection-stalled", message));
      },
    });
    this.#responseTimer = new StallTimer({
      clock,
      timeout: closeTimeout,
      progress: () => this.#responses.sent,
      onStall: () => this.close(),
    });
    // A reset may come while the socket is paused; why is reported when it is read or written.
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
    this.#runner.abort(`Client ${this.remote} is disconnected`);
    this.#runner.close();
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
      this.#runner.abort("The server is closing");
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
    const { limits: { maxTopicLength, maxTopics }, dialect } = this.#options;
    const key = filterKey(topic);
    if (key.length > maxTopicLength) {
      const message =
        `A topic of ${key.length} characters is longer than 'maxTopicLength' (${maxTopicLength})`;
      throw refusal(dialect, "badArguments", message);
    }
    if (this.#topics.size >= maxTopics && !this.#topics.has(key)) {
      const message = `There are 'maxTopics' (${maxTopics}) subscriptions already`;
      throw refusal(dialect, "tooManyTopics", message);
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
    if (this.#phase !== "open") return false;
    const { maxUnsent } = this.#options.limits;
    if (this.#writer.unsent <= maxUnsent) {
      this.#writer.addBytes(frame);
      return true;
    }
    const message =
      `Client ${this.remote} was disconnected: more than 'maxUnsent' (${maxUnsent}) bytes are unread`;
    this.disconnect(new LimitError(message, "maxUnsent", maxUnsent));
    return false;
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
      if (this.#phase === "open") this.#decoder.push(chunk, this.#onFrame);
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
    this.#runner.abort(`Client ${this.remote} has ended the connection`);
    if (this.#phase === "draining") this.#closeFlushed();
    else this.#responseTimer.watch();
  }

  /** Closes the connection after what is ready is sent. */
  async #closeFlushed(): Promise<void> {
    await this.#writer.flushed();
    this.close();
  }

  readonly #onFrame = (type: PayloadType, payload: Uint8Array): void => {
    if (this.#phase !== "open") return;
    if (type !== PayloadType.Command) {
      throw new ProtocolError("unexpected-type", "Unexpected frame", {
        expected: "a command from the client",
        received: `type ${type}`,
        bytes: payload,
      });
    }
    if (this.#backlog.length > 0 || this.#responses.full) this.#backlog.push(payload.slice());
    else this.#runner.execute(payload);
  };

  /** A chunk may contain thousands of commands: each waits for room in the response queue. */
  async #workOffBacklog(): Promise<void> {
    this.#workingOff = true;
    for (;;) {
      while (this.#responses.full) await this.#responses.drained();
      const payload = this.#backlog.shift();
      if (payload === undefined) break;
      if (this.#phase === "open") this.#runner.execute(payload);
    }
    this.#workingOff = false;
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead !== undefined && this.onChunk(ahead)) this.#resume?.();
    if (this.#inputEnded && !this.#workingOff) await this.#finish();
    else if (this.#decoder.partial) this.#frameTimer.watch();
  }
}

/** The keys of the subscriptions that match an event: for its device, and for all devices. */
export function topicKeys({ publisher, topic, deviceId }: EventFilter): string[] {
  const all = filterKey({ publisher, topic });
  return deviceId === undefined ? [all] : [filterKey({ publisher, topic, deviceId }), all];
}
