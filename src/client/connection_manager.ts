/**
 * The connections of a client, one after the other, and the waits between them.
 *
 * @module
 */

import { type Clock, sleep } from "../timers.ts";
import { ConnectionError, RcspError } from "../errors.ts";
import type { Socket } from "../socket/socket.ts";
import { Connection, type ConnectionCounts, type ConnectionOwner } from "./connection.ts";
import { backoff, type ReconnectPolicy } from "./reconnect.ts";
import type { ClientStatus } from "./rcsp_client.ts";
import { stalledError, Watchdog } from "./watchdog.ts";

/** What the manager needs of its client. */
export interface ManagerOwner extends ConnectionOwner {
  readonly clock: Clock;
  /** Returns a number from 0 up to 1, for the jitter of waits. */
  readonly random: () => number;
  /** Opens a socket. Rejects with an `RcspError`, or with the signal's reason. */
  dial(signal: AbortSignal): Promise<Socket>;
  /** Sends a harmless command, unless the signal aborts. */
  beat(signal: AbortSignal): Promise<unknown>;
  onStatus(status: ClientStatus): void;
}

// A connection that lived this long resets the backoff, even if nothing came.
const STABLE_AFTER_MS = 1000;

/** Opens connections, replaces those that are lost, and knows the status of the client. */
export class ConnectionManager {
  /** Resolves when the last socket is closed: with the cause, or `undefined` if it was intended. */
  readonly closed: Promise<RcspError | undefined>;
  readonly #owner: ManagerOwner;
  readonly #closed = Promise.withResolvers<RcspError | undefined>();
  readonly #closing = new AbortController();
  readonly #totals: ConnectionCounts = { bytesSent: 0, bytesReceived: 0, framesReceived: 0 };
  #status: ClientStatus = { state: "connecting" };
  #connection: Connection | undefined;
  #attempt = 0;
  #reconnects = 0;
  #openedAt = 0;
  #lostAt: number | undefined;
  #end: { readonly cause: RcspError } | undefined;

  constructor(owner: ManagerOwner) {
    this.#owner = owner;
    this.closed = this.#closed.promise;
  }

  /** The current status. */
  get status(): ClientStatus {
    return this.#status;
  }

  /** How many times a lost connection was replaced. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Why there will be no further connection, once that is so. */
  get endCause(): RcspError | undefined {
    return this.#end?.cause;
  }

  /** The counts of all connections. */
  get counts(): ConnectionCounts {
    const totals = { ...this.#totals };
    if (this.#connection) addCounts(totals, this.#connection.counts);
    return totals;
  }

  /** Opens the first connection. Rejects if that fails and is not retried. */
  async start(): Promise<void> {
    const { reconnect } = this.#owner.options;
    this.#setStatus({ state: "connecting" });
    try {
      await this.#open();
    } catch (error) {
      if (!(error instanceof RcspError) || !reconnect || !reconnect.firstConnect) {
        this.#finish(asRcspError(error));
        throw error;
      }
      await this.#redial(error);
      if (this.#end !== undefined) throw this.#end.cause;
    }
  }

  /** Sends what is queued, if there is a connection. */
  flush(): void {
    this.#connection?.flush();
  }

  /** Ends the current connection; it is replaced as after any loss. */
  replace(cause: RcspError): void {
    this.#connection?.end(cause);
  }

  /** Ends everything. The cause is reported, unless the end is intentional. */
  close(cause: RcspError, options: { intentional: boolean }): void {
    const connection = this.#connection;
    this.#finish(cause, options);
    connection?.end(cause);
  }

  get #ended(): boolean {
    return this.#end !== undefined;
  }

  async #open(): Promise<void> {
    const socket = await this.#owner.dial(this.#closing.signal);
    if (this.#end !== undefined) {
      socket.close();
      throw this.#end.cause;
    }
    this.#adopt(socket);
  }

  #adopt(socket: Socket): void {
    const { options, calls, subscriptions, clock } = this.#owner;
    this.#openedAt = clock.now();
    if (this.#lostAt !== undefined) this.#reconnects++;
    const connection = this.#connection = new Connection(
      socket,
      this.#owner,
      (watched) =>
        new Watchdog(watched, options, clock, calls, (signal) => this.#owner.beat(signal)),
      (ended, cause) => this.#onConnectionEnd(ended, cause),
    );
    connection.start();
    if (this.#connection !== connection) return;
    const answered = subscriptions.online();
    if (answered === undefined) this.#becomeReady(connection);
    else {
      answered.then(() => {
        if (this.#connection === connection) this.#becomeReady(connection);
      }, (cause) => connection.end(stalledError("a subscription was not answered", cause)));
    }
  }

  #becomeReady(connection: Connection): void {
    connection.open();
    const gap = this.#lostAt === undefined ? 0 : Math.round(this.#owner.clock.now() - this.#lostAt);
    this.#setStatus({ state: "ready", reconnects: this.#reconnects, gap });
  }

  #onConnectionEnd(connection: Connection, cause: RcspError): void {
    addCounts(this.#totals, connection.counts);
    this.#connection = undefined;
    if (this.#end !== undefined) return;
    const { options, clock, subscriptions } = this.#owner;
    const { reconnect } = options;
    if (reconnect === false) {
      this.#finish(cause, {}, connection);
      return;
    }
    const now = clock.now();
    // A server that accepts and hangs up has not come back.
    const { framesReceived } = connection.counts;
    const wasStable = now - this.#openedAt >= Math.max(reconnect.maxDelay, STABLE_AFTER_MS);
    if (framesReceived > 0 || wasStable) this.#attempt = 0;
    if (this.#status.state === "ready") this.#lostAt = now;
    subscriptions.offline(cause);
    this.#redial(cause);
  }

  /** Dials until a connection is open or the policy refuses. */
  async #redial(cause: RcspError): Promise<void> {
    const policy = this.#owner.options.reconnect as ReconnectPolicy;
    while (!this.#ended) {
      const attempt = ++this.#attempt;
      // decide() and status listeners may close the client.
      if (!this.#mayTry(policy, attempt, cause) || this.#ended) return;
      const delay = backoff(policy, attempt, this.#owner.random);
      this.#setStatus({ state: "reconnecting", attempt, delay, cause });
      if (!this.#ended) await sleep(this.#owner.clock, delay, this.#closing.signal);
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
    this.#finish(cause);
    return false;
  }

  #finish(
    cause: RcspError,
    { intentional = false }: { intentional?: boolean } = {},
    connection: Connection | undefined = this.#connection,
  ): void {
    if (this.#end !== undefined) return;
    this.#end = { cause };
    const reported = intentional ? undefined : cause;
    this.#closing.abort(cause);
    this.#setStatus({ state: "closed", cause: reported });
    if (connection === undefined) {
      this.#closed.resolve(reported);
      return;
    }
    // A socket that does not close must not keep anyone waiting.
    const { clock, options } = this.#owner;
    const timer = clock.set(() => this.#closed.resolve(reported), options.closeTimeout, true);
    connection.closed.then(() => {
      clock.clear(timer);
      this.#closed.resolve(reported);
    });
  }

  #setStatus(status: ClientStatus): void {
    this.#status = status;
    this.#owner.onStatus(status);
  }
}

function addCounts(totals: ConnectionCounts, counts: ConnectionCounts): void {
  totals.bytesSent += counts.bytesSent;
  totals.bytesReceived += counts.bytesReceived;
  totals.framesReceived += counts.framesReceived;
}

/** The error itself, or a `ConnectionError` with it as the cause. */
export function asRcspError(error: unknown): RcspError {
  if (error instanceof RcspError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectionError("connection-failed", message, { cause: error });
}
