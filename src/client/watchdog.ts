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
  /** When the silence began, and what had been counted then. */
  #quiet = { since: 0, received: 0, timedOut: 0 };

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
    this.#awaitSilence();
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

  #awaitSilence(): void {
    if (!this.#stopped) this.#silence.set(this.#beginSilence());
  }

  /** Returns the time at which a heartbeat is due if nothing comes. */
  #beginSilence(): number {
    const { calls, clock, options } = this.#client;
    const since = clock.now();
    this.#quiet = { since, received: this.#received, timedOut: calls.counts.timedOut };
    return since + options.heartbeat;
  }

  #checkSilence(now: number): number {
    const { calls, options: { heartbeat, commandTimeout } } = this.#client;
    const { since, received, timedOut } = this.#quiet;
    if (this.#received !== received) return this.#beginSilence();
    // A server may be busy with a long command, and a heartbeat would wait behind it. But a command
    // that is never answered must not hide a dead connection.
    const isBusy = calls.pendingReplies > 0 && calls.counts.timedOut === timedOut;
    const latest = since + 2 * heartbeat + commandTimeout;
    if (isBusy && now < latest) return Math.min(now + heartbeat, latest);
    this.#beat();
    return Infinity;
  }

  #beat(): void {
    const { dialect } = this.#client.options;
    const options = { urgent: true, signal: this.#stop.signal };
    const answer = this.#client.send(dialect.commands.heartbeat, undefined, options);
    answer.catch((cause) => {
      // A refusal is an answer, and so is anything else that came.
      const alive = cause instanceof CommandError || this.#received !== this.#quiet.received;
      if (!alive) this.#die("a heartbeat was not answered", cause);
    }).then(() => this.#awaitSilence());
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
