/**
 * A connection that takes nothing for granted but the header: what the driver says is kept as it came,
 * as a client would stumble over names that differ.
 *
 * @module
 */

import {
  ConnectionError,
  type ConnectOptions,
  type JsonObject,
  LIMITS,
  type Socket,
  TimeoutError,
} from "@rcsp/rcsp";
import { parseBody } from "@rcsp/rcsp/server";
import { encodeFrame, FrameDecoder, PayloadType } from "@rcsp/rcsp/wire";
import type { Driver } from "../command_line/command.ts";
import { dial } from "../driver/dial.ts";
import type { Clock } from "../process/io.ts";

/** Most events that are kept; the later ones add nothing new. */
const KEPT_EVENTS = 1_000;

/** An answer as it came. */
export interface RawAnswer {
  readonly ok: boolean;
  readonly body: JsonObject;
  /** The `TrackId` that was sent. */
  readonly trackId: string;
}

/** What a session needs besides its socket. */
export interface RawOptions {
  readonly clock: Clock;
  /** Of the first command; the next ones count on. */
  readonly trackId: number;
  readonly signal: AbortSignal;
  readonly onFrame: ConnectOptions["onFrame"];
}

export class RawSession {
  /** The events so far. */
  readonly events: JsonObject[] = [];
  /** Called for each event. */
  onEvent: (event: JsonObject) => void = () => {};
  readonly #socket: Socket;
  readonly #options: RawOptions;
  readonly #timeout: number;
  readonly #waiting: PromiseWithResolvers<Pick<RawAnswer, "ok" | "body">>[] = [];
  readonly #done: Promise<void>;
  #failure: unknown;
  #trackId: number;

  /** Takes over a socket. */
  constructor(socket: Socket, timeout: number, options: RawOptions) {
    this.#socket = socket;
    this.#timeout = timeout;
    this.#options = options;
    this.#trackId = options.trackId;
    const leave = (): void => socket.close();
    options.signal.addEventListener("abort", leave);
    this.#done = this.#read().finally(() => options.signal.removeEventListener("abort", leave));
  }

  /**
   * Sends a command and returns its answer.
   *
   * Rejects with a `TimeoutError`, a `ConnectionError`, or the `ProtocolError` or `LimitError` that
   * ended the connection.
   */
  async ask(name: string, args?: JsonObject): Promise<RawAnswer> {
    if (this.#failure !== undefined) throw this.#failure;
    const { clock, onFrame } = this.#options;
    const trackId = `${this.#trackId++}`;
    const rest = args === undefined ? {} : { Arguments: args };
    const json = JSON.stringify({ Command: name, TrackId: trackId, Version: 1, ...rest });
    const payload = new TextEncoder().encode(json);
    const answer = Promise.withResolvers<Pick<RawAnswer, "ok" | "body">>();
    answer.promise.catch(() => {});
    this.#waiting.push(answer);
    const late = `${name} was not answered within ${this.#timeout} ms`;
    const timer = clock.set(
      () => answer.reject(new TimeoutError(late, this.#timeout)),
      this.#timeout,
    );
    try {
      onFrame?.({ direction: "out", type: PayloadType.Command, payload });
      await this.#socket.write(encodeFrame(PayloadType.Command, payload));
      return { ...await answer.promise, trackId };
    } finally {
      clock.clear(timer);
    }
  }

  /** Ends the connection. */
  async close(): Promise<void> {
    this.#socket.close();
    await this.#done;
  }

  async #read(): Promise<void> {
    const decoder = new FrameDecoder();
    try {
      for (let chunk = await this.#socket.read(); chunk; chunk = await this.#socket.read()) {
        decoder.push(chunk, (type, payload) => this.#take(type, payload));
      }
      decoder.end();
      throw new ConnectionError("connection-closed", "The driver ended the connection");
    } catch (error) {
      this.#failure = error;
      this.#socket.close();
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    }
  }

  #take(type: PayloadType, payload: Uint8Array): void {
    this.#options.onFrame?.({ direction: "in", type, payload });
    const body = parseBody(payload, LIMITS.maxDepth);
    if (type === PayloadType.Event) {
      if (this.events.length < KEPT_EVENTS) this.events.push(body);
      this.onEvent(body);
    } else {
      this.#waiting.shift()?.resolve({ ok: type === PayloadType.ResponseOk, body });
    }
  }
}

/** Opens a session; rejects as a connector does, or with a `TimeoutError`. */
export async function openRawSession(server: Driver, options: RawOptions): Promise<RawSession> {
  const timeout = server.commandTimeout ?? LIMITS.commandTimeout;
  return new RawSession(await dial(server, options), timeout, options);
}
