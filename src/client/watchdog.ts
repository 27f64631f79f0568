/**
 * Detection of dead connections.
 *
 * @module
 */

import { DeadlineTimer, StallTimer } from "../timers.ts";
import { CommandError, ConnectionError } from "../errors.ts";
import type { Client } from "./client.ts";
import type { Connection } from "./connection.ts";

/**
 * Ends a connection that looks open and is dead: the other side does not answer a heartbeat, or has
 * begun a frame and sends no more of it.
 */
export class Watchdog {
  readonly #connection: Connection;
  readonly #client: Client;
  readonly #partial: StallTimer;
  readonly #silence: DeadlineTimer;
  readonly #stop = new AbortController();
  /** What had been counted when the silence was last looked at. */
  #quiet = { received: 0, timedOut: 0 };
  /** Since when nothing has come although a response is waited for. */
  #busySince: number | undefined;

  constructor(connection: Connection, client: Client) {
    this.#connection = connection;
    this.#client = client;
    const { clock, options: { partialFrameTimeout: timeout } } = client;
    this.#partial = new StallTimer({
      clock,
      timeout,
      progress: () => connection.partial ? this.#received : undefined,
      onStall: () => this.#die(`a frame got no further for ${timeout} ms`),
      background: true,
    });
    this.#silence = new DeadlineTimer(clock, (now) => this.#checkSilence(now), {
      progress: () => this.#received,
      background: true,
    });
    this.#awaitHeartbeat();
  }

  /** A chunk has arrived: a frame that it has begun must go on. */
  onChunk(): void {
    this.#partial.watch();
  }

  /** Stops watching. */
  stop(): void {
    this.#stop.abort();
    this.#partial.stop();
    this.#silence.clear();
  }

  get #received(): number {
    return this.#client.counts.bytesReceived;
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #awaitHeartbeat(): void {
    this.#busySince = undefined;
    this.#silence.set(this.#awaitSilence());
  }

  /** The time at which the next heartbeat is due if nothing comes. */
  #awaitSilence(): number {
    if (this.#stopped) return Infinity;
    this.#quiet = { received: this.#received, timedOut: this.#client.calls.counts.timedOut };
    return this.#client.clock.now() + this.#client.options.heartbeat;
  }

  #checkSilence(now: number): number {
    if (this.#received !== this.#quiet.received) this.#busySince = undefined;
    else if (!this.#isBusy(now)) {
      this.#beat();
      return Infinity;
    }
    return Math.min(this.#awaitSilence(), this.#busyUntil);
  }

  /**
   * A server may be busy with a long command, and a heartbeat would wait behind it. But a command that
   * is never answered must not hide a dead connection.
   */
  #isBusy(now: number): boolean {
    const { pendingReplies, counts } = this.#client.calls;
    if (pendingReplies === 0 || counts.timedOut !== this.#quiet.timedOut) return false;
    this.#busySince ??= now;
    return now < this.#busyUntil;
  }

  get #busyUntil(): number {
    const { heartbeat, commandTimeout } = this.#client.options;
    return this.#busySince === undefined ? Infinity : this.#busySince + heartbeat + commandTimeout;
  }

  #beat(): void {
    const before = this.#received;
    const { dialect } = this.#client.options;
    const options = { urgent: true, signal: this.#stop.signal };
    const answer = this.#client.send(dialect.commands.heartbeat, undefined, options);
    answer.then(() => this.#awaitHeartbeat(), (cause) => {
      // A refusal is an answer, and so is anything else that came.
      const alive = cause instanceof CommandError || this.#received !== before;
      if (alive) this.#awaitHeartbeat();
      else this.#die("a heartbeat was not answered", cause);
    });
  }

  #die(reason: string, cause?: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#connection.end(stalledError(reason, cause));
  }
}

/** The error of a connection that looks open and is dead. */
export function stalledError(reason: string, cause?: unknown): ConnectionError {
  const message = `The server has gone silent: ${reason}`;
  return new ConnectionError("connection-stalled", message, { cause });
}
