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
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #onFrame: ConnectOptions["onFrame"];
  readonly #waiting: ((body: JsonObject | undefined, ok: boolean) => void)[] = [];
  readonly #done: Promise<void>;
  #failure: unknown;
  #trackId: number;

  /** Takes over a socket. */
  constructor(
    socket: Socket,
    options: RawOptions & { timeout: number },
  ) {
    this.#socket = socket;
    this.#clock = options.clock;
    this.#timeout = options.timeout;
    this.#trackId = options.trackId;
    this.#onFrame = options.onFrame;
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
    const trackId = `${this.#trackId++}`;
    const rest = args === undefined ? {} : { Arguments: args };
    const json = JSON.stringify({ Command: name, TrackId: trackId, Version: 1, ...rest });
    const { promise, resolve, reject } = Promise.withResolvers<RawAnswer>();
    const timer = this.#clock.set(() => {
      const message = `${name} was not answered within ${this.#timeout} ms`;
      reject(new TimeoutError(message, this.#timeout));
    }, this.#timeout);
    this.#waiting.push((body, ok) => {
      if (body === undefined) reject(this.#failure);
      else resolve({ ok, body, trackId });
    });
    try {
      const payload = new TextEncoder().encode(json);
      this.#onFrame?.({ direction: "out", type: PayloadType.Command, payload });
      await this.#socket.write(encodeFrame(PayloadType.Command, payload));
      return await promise;
    } finally {
      promise.catch(() => {});
      this.#clock.clear(timer);
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
      for (const settle of this.#waiting.splice(0)) settle(undefined, false);
    }
  }

  #take(type: PayloadType, payload: Uint8Array): void {
    this.#onFrame?.({ direction: "in", type, payload });
    const body = parseBody(payload, LIMITS.maxDepth);
    if (type === PayloadType.Event) {
      if (this.events.length < KEPT_EVENTS) this.events.push(body);
      this.onEvent(body);
    } else {
      this.#waiting.shift()?.(body, type === PayloadType.ResponseOk);
    }
  }
}

/** Opens a session; rejects as a connector does, or with a `TimeoutError`. */
export async function openRawSession(
  server: Driver,
  options: RawOptions,
): Promise<RawSession> {
  const timeout = server.commandTimeout ?? LIMITS.commandTimeout;
  return new RawSession(await dial(server, options), { ...options, timeout });
}
