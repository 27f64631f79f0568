/**
 * The way to the server over the whole life of a client: one connection after the other, and the
 * waits between them. All that concerns time and order of connections is decided here.
 *
 * Free of any runtime.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { ConnectionError, RcspError } from "../errors.ts";
import type { Socket } from "../socket/socket.ts";
import type { CallQueue } from "./call_queue.ts";
import { Connection, type ConnectionCounts, type TracedFrame } from "./connection.ts";
import { backoff, type ReconnectPolicy } from "./reconnect.ts";
import type { ClientStatus } from "./status.ts";
import { stalledError, Watchdog } from "./watchdog.ts";

/** What a link needs. */
export interface ConnectionManagerOptions {
  /** Opens a socket; heeds its signal. Rejects with an `RcspError`, or with the signal's reason. */
  readonly dial: (signal: AbortSignal) => Promise<Socket>;
  readonly reconnect: ReconnectPolicy | false;
  readonly calls: CallQueue;
  readonly maxPayload: number;
  readonly maxDepth: number;
  readonly heartbeat: number | undefined;
  readonly commandTimeout: number;
  readonly partialFrameTimeout: number;
  /** Milliseconds that a socket may take to be gone. */
  readonly closeTimeout: number;
  readonly onFrame?: ((frame: TracedFrame) => void) | undefined;
  readonly onEvent: (payload: Uint8Array) => void;
  /** How many events wait to be read. */
  readonly backlog: () => number;
  /** Sends a harmless command, unless the signal takes it back. */
  readonly beat: (signal: AbortSignal) => Promise<unknown>;
  /**
   * A connection stands: sends the commands that go before all others. The result resolves when they
   * are answered, or is `undefined` where there are none; calls wait for it.
   */
  readonly onOnline: () => Promise<unknown> | undefined;
  /** A connection has ended, and another may come. */
  readonly onOffline: (cause: RcspError) => void;
  readonly onStatus: (status: ClientStatus) => void;
  readonly clock: Clock;
  /** Gives a number from 0 up to 1, for the jitter of waits. */
  readonly random: () => number;
}

// A connection that stood for so many milliseconds was one, even if nothing came.
const STABLE_AFTER_MS = 1000;

/** See the module's own text. */
export class ConnectionManager {
  /** Resolves when the last socket is gone, with why, or with `undefined` after a wished-for end. */
  readonly closed: Promise<RcspError | undefined>;
  readonly #options: ConnectionManagerOptions;
  readonly #gone = Promise.withResolvers<RcspError | undefined>();
  readonly #giveUp = new AbortController();
  readonly #totals: ConnectionCounts = { bytesSent: 0, bytesReceived: 0, framesReceived: 0 };
  #status: ClientStatus = { state: "connecting" };
  #connection: Connection | undefined;
  #attempt = 0;
  #reconnects = 0;
  #openedAt = 0;
  #lostAt: number | undefined;
  #wake: (() => void) | undefined;
  #end: { readonly cause: RcspError } | undefined;

  /** Makes a link that `start()` sets going. */
  constructor(options: ConnectionManagerOptions) {
    this.#options = options;
    this.closed = this.#gone.promise;
  }

  /** What the client is about. */
  get status(): ClientStatus {
    return this.#status;
  }

  /** How many times a lost connection was replaced. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Why there will be no connection any more, once that is so. */
  get endCause(): RcspError | undefined {
    return this.#end?.cause;
  }

  /** What all connections have counted. */
  get counts(): ConnectionCounts {
    const totals = { ...this.#totals };
    if (this.#connection) addCounts(totals, this.#connection.counts);
    return totals;
  }

  /** Opens the first connection; rejects if that fails and is not to be tried again. */
  async start(): Promise<void> {
    const { reconnect } = this.#options;
    this.#setStatus({ state: "connecting" });
    try {
      await this.#open();
    } catch (error) {
      if (!(error instanceof RcspError) || !reconnect || !reconnect.firstConnect) {
        this.#finish(asRcspError(error), false);
        throw error;
      }
      await this.#redial(error);
      if (this.#end !== undefined) throw this.#end.cause;
    }
  }

  /** Sends what waits, if there is a connection. */
  flush(): void {
    this.#connection?.flush();
  }

  /** Gives up the connection that stands; another takes its place where that is wished for. */
  replace(cause: RcspError): void {
    this.#connection?.end(cause);
  }

  /** Ends everything for good; `wished` tells that no error is to be reported. */
  close(cause: RcspError, intentional: boolean): void {
    const connection = this.#connection;
    this.#finish(cause, intentional);
    connection?.end(cause);
  }

  get #ended(): boolean {
    return this.#end !== undefined;
  }

  async #open(): Promise<void> {
    const socket = await this.#options.dial(this.#giveUp.signal);
    if (this.#end !== undefined) {
      socket.close();
      throw this.#end.cause;
    }
    this.#adopt(socket);
  }

  #adopt(socket: Socket): void {
    const { calls, maxPayload, maxDepth, onFrame, onEvent, backlog, clock } = this.#options;
    this.#openedAt = clock.now();
    if (this.#lostAt !== undefined) this.#reconnects++;
    const connection: Connection = new Connection(socket, {
      calls,
      maxPayload,
      maxDepth,
      onFrame,
      onEvent,
      backlog,
      onChunk: () => watchdog.look(),
      onEnd: (cause) => this.#onConnectionEnd(connection, watchdog, cause),
    });
    const watchdog: Watchdog = this.#watch(connection);
    this.#connection = connection;
    connection.start();
    if (this.#connection !== connection) return;
    const answered = this.#options.onOnline();
    if (answered === undefined) this.#becomeReady(connection);
    else {
      answered.then(() => {
        if (this.#connection === connection) this.#becomeReady(connection);
      }, (cause) => connection.end(stalledError("a subscription was not answered", cause)));
    }
  }

  #watch(connection: Connection): Watchdog {
    const { calls, clock, heartbeat, commandTimeout, partialFrameTimeout, beat } = this.#options;
    return new Watchdog({
      clock,
      heartbeat,
      commandTimeout,
      partialFrameTimeout,
      beat,
      received: () => connection.counts.bytesReceived,
      partial: () => connection.partial,
      pendingReplies: () => calls.pendingReplies,
      timedOut: () => calls.counts.timedOut,
      onDead: (cause) => connection.end(cause),
    });
  }

  #becomeReady(connection: Connection): void {
    const { clock } = this.#options;
    connection.open();
    const gap = this.#lostAt === undefined ? 0 : clock.now() - this.#lostAt;
    this.#setStatus({ state: "ready", reconnects: this.#reconnects, gap });
  }

  #onConnectionEnd(connection: Connection, watchdog: Watchdog, cause: RcspError): void {
    watchdog.stop();
    addCounts(this.#totals, connection.counts);
    this.#connection = undefined;
    if (this.#end !== undefined) return;
    const { reconnect, clock, onOffline } = this.#options;
    if (reconnect === false) {
      this.#finish(cause, false, connection);
      return;
    }
    const now = clock.now();
    // A server that opens and ends connections in turn has not come back.
    const { framesReceived } = connection.counts;
    const stood = now - this.#openedAt >= Math.max(reconnect.maxDelay, STABLE_AFTER_MS);
    if (framesReceived > 0 || stood) this.#attempt = 0;
    if (this.#status.state === "ready") this.#lostAt = now;
    onOffline(cause);
    this.#redial(cause);
  }

  /** Dials until a connection stands or the policy says no. */
  async #redial(cause: RcspError): Promise<void> {
    const policy = this.#options.reconnect as ReconnectPolicy;
    while (!this.#ended) {
      const attempt = ++this.#attempt;
      // decide() and those who watch the status may close the client.
      if (!this.#mayTry(policy, attempt, cause) || this.#ended) return;
      const delay = backoff(policy, attempt, this.#options.random);
      this.#setStatus({ state: "reconnecting", attempt, delay, cause });
      if (!this.#ended) await this.#sleep(delay);
      if (this.#ended) return;
      try {
        await this.#open();
        return;
      } catch (error) {
        cause = asRcspError(error);
      }
    }
  }

  #mayTry(policy: ReconnectPolicy, attempt: number, cause: RcspError): boolean {
    try {
      if (attempt <= policy.maxAttempts && policy.decide(attempt, cause)) return true;
    } catch (error) {
      cause = asRcspError(error);
    }
    this.#finish(cause, false);
    return false;
  }

  #sleep(delay: number): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.set(resolve, delay);
    this.#wake = (): void => {
      clock.clear(timer);
      resolve();
    };
    return promise;
  }

  #finish(cause: RcspError, intentional: boolean, connection = this.#connection): void {
    if (this.#end !== undefined) return;
    this.#end = { cause };
    const reported = intentional ? undefined : cause;
    this.#giveUp.abort(cause);
    this.#wake?.();
    this.#setStatus({ state: "closed", cause: reported });
    if (connection === undefined) {
      this.#gone.resolve(reported);
      return;
    }
    // A socket that does not go must not keep anyone waiting.
    const { clock, closeTimeout } = this.#options;
    const timer = clock.set(() => this.#gone.resolve(reported), closeTimeout, true);
    connection.closed.then(() => {
      clock.clear(timer);
      this.#gone.resolve(reported);
    });
  }

  #setStatus(status: ClientStatus): void {
    this.#status = status;
    this.#options.onStatus(status);
  }
}

function addCounts(totals: ConnectionCounts, counts: ConnectionCounts): void {
  totals.bytesSent += counts.bytesSent;
  totals.bytesReceived += counts.bytesReceived;
  totals.framesReceived += counts.framesReceived;
}

function asRcspError(error: unknown): RcspError {
  if (error instanceof RcspError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectionError("connection-failed", message, { cause: error });
}
