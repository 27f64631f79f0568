/**
 * The connections of a client, one after the other, and the waits between them.
 *
 * @module
 */

import { sleep } from "../timers.ts";
import { asRcspError, RcspError } from "../errors.ts";
import type { Socket } from "../socket/socket.ts";
import type { Client } from "./client.ts";
import { Connection } from "./connection.ts";
import { openSocket } from "./open_socket.ts";
import { backoff, type ReconnectPolicy } from "./reconnect.ts";
import type { ClientStatus } from "./rcsp_client.ts";
import { stalledError } from "./watchdog.ts";

// A connection that lived this long resets the backoff, even if nothing came.
const STABLE_AFTER_MS = 1000;

/** Opens connections, replaces those that are lost, and knows the status of the client. */
export class ConnectionManager {
  readonly #closed = Promise.withResolvers<RcspError | undefined>();
  /** Resolves when the last socket is closed: with the cause, or `undefined` if it was intended. */
  readonly closed: Promise<RcspError | undefined> = this.#closed.promise;
  readonly #client: Client;
  readonly #closing = new AbortController();
  /** The current status. */
  status: ClientStatus = { state: "connecting" };
  /** How many times a lost connection was replaced. */
  reconnects = 0;
  #connection: Connection | undefined;
  #attempt = 0;
  #openedAt = 0;
  /** Frames received when it was opened. */
  #framesBefore = 0;
  #lostAt: number | undefined;
  /** Why there will be no further connection, once that is so. */
  endCause: RcspError | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Opens the first connection. Rejects if that fails and is not retried. */
  async start(): Promise<void> {
    const { reconnect } = this.#client.options;
    this.#setStatus({ state: "connecting" });
    try {
      await this.#open();
    } catch (error) {
      if (!(error instanceof RcspError) || !reconnect || !reconnect.firstConnect) {
        this.close(asRcspError(error));
        throw error;
      }
      await this.#redial(error);
      if (this.endCause !== undefined) throw this.endCause;
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

  /** Ends everything, once. The cause is reported, unless the end is intentional. */
  close(cause: RcspError, { intentional = false }: { intentional?: boolean } = {}): void {
    if (this.#ended) return;
    this.endCause = cause;
    const reported = intentional ? undefined : cause;
    const closed = (): void => this.#closed.resolve(reported);
    const connection = this.#connection;
    this.#connection = undefined;
    this.#closing.abort(cause);
    this.#setStatus({ state: "closed", cause: reported });
    if (connection === undefined) return closed();
    connection.end(cause);
    // A socket that does not close must not keep anyone waiting.
    const { clock, options } = this.#client;
    const timer = clock.set(closed, options.closeTimeout, true);
    connection.closed.then(() => {
      clock.clear(timer);
      closed();
    });
  }

  get #ended(): boolean {
    return this.endCause !== undefined;
  }

  async #open(): Promise<void> {
    const { connector, options, clock } = this.#client;
    const socket = await openSocket(connector, options, clock, this.#closing.signal);
    if (this.endCause !== undefined) {
      socket.close();
      throw this.endCause;
    }
    this.#adopt(socket);
  }

  #adopt(socket: Socket): void {
    const { counts, subscriptions, clock } = this.#client;
    this.#openedAt = clock.now();
    this.#framesBefore = counts.framesReceived;
    if (this.#lostAt !== undefined) this.reconnects++;
    const connection = this.#connection = new Connection(
      socket,
      this.#client,
      (cause) => this.#onConnectionEnd(cause),
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
    const gap = this.#lostAt === undefined
      ? 0
      : Math.round(this.#client.clock.now() - this.#lostAt);
    this.#setStatus({ state: "ready", reconnects: this.reconnects, gap });
  }

  #onConnectionEnd(cause: RcspError): void {
    if (this.#ended) return;
    const { options: { reconnect }, clock, counts, subscriptions } = this.#client;
    if (reconnect === false) return this.close(cause);
    this.#connection = undefined;
    const now = clock.now();
    // A server that accepts and hangs up has not come back.
    const hasSpoken = counts.framesReceived > this.#framesBefore;
    const wasStable = now - this.#openedAt >= Math.max(reconnect.maxDelay, STABLE_AFTER_MS);
    if (hasSpoken || wasStable) this.#attempt = 0;
    if (this.status.state === "ready") this.#lostAt = now;
    subscriptions.offline(cause);
    this.#redial(cause);
  }

  /** Dials until a connection is open or the policy refuses. */
  async #redial(cause: RcspError): Promise<void> {
    const policy = this.#client.options.reconnect as ReconnectPolicy;
    while (!this.#ended) {
      const attempt = ++this.#attempt;
      try {
        const mayTry = attempt <= policy.maxAttempts && policy.decide(attempt, cause);
        if (!mayTry) this.close(cause);
      } catch (error) {
        this.close(asRcspError(error));
      }
      // decide() and listeners may close the client.
      if (this.#ended) return;
      const delay = backoff(policy, attempt, this.#client.random);
      this.#setStatus({ state: "reconnecting", attempt, delay, cause });
      await sleep(this.#client.clock, delay, this.#closing.signal);
      if (this.#ended) return;
      try {
        return await this.#open();
      } catch (error) {
        cause = asRcspError(error);
      }
    }
  }

  #setStatus(status: ClientStatus): void {
    this.status = status;
    this.#client.onStatus(status);
  }
}
