/**
 * Tells when a connection that looks open is dead: the other side does not answer a heartbeat, or
 * began a frame and sends no more of it.
 *
 * Free of any runtime.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { CommandError, ConnectionError } from "../errors.ts";
import { DeadlineTimer } from "./alarm.ts";

/** What a watchdog looks at and what it does. */
export interface WatchdogOptions {
  readonly clock: Clock;
  /** Milliseconds without a frame after which a heartbeat is sent; `undefined` for none. */
  readonly heartbeat: number | undefined;
  /** Milliseconds in which a heartbeat must be answered. */
  readonly commandTimeout: number;
  /** Milliseconds. */
  readonly partialFrameTimeout: number;
  /** Bytes received so far. */
  readonly received: () => number;
  /** Whether a frame has begun and is not complete. */
  readonly partial: () => boolean;
  /** Commands whose response is waited for. */
  readonly pendingReplies: () => number;
  /** Commands so far whose response did not come in time. */
  readonly timedOut: () => number;
  /** Sends a harmless command, unless the signal takes it back; rejects without an answer in time. */
  readonly beat: (signal: AbortSignal) => Promise<unknown>;
  /** Called at most once. */
  readonly onDead: (cause: ConnectionError) => void;
}

/** See the module's own text. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #partial: DeadlineTimer;
  readonly #silence: DeadlineTimer;
  readonly #stop = new AbortController();
  /** What had been received when the partial frame was last looked at. */
  #partialAt = 0;
  /** What had been counted when the silence was last looked at. */
  #quiet = { received: 0, timedOut: 0 };
  /** Since when nothing has come although a response is waited for. */
  #busySince: number | undefined;

  /** Begins to watch. */
  constructor(options: WatchdogOptions) {
    this.#options = options;
    const { clock, received } = options;
    const how = { progress: received, background: true };
    this.#partial = new DeadlineTimer(clock, () => this.#checkPartial(), how);
    this.#silence = new DeadlineTimer(clock, (now) => this.#checkSilence(now), how);
    this.#awaitHeartbeat();
  }

  /** Call after each chunk: sees to it that a frame which has begun goes on. */
  look(): void {
    // One timer for a whole stretch, not for each chunk: it looks again when it rings.
    if (!this.#partial.isSet) this.#partial.set(this.#awaitRest());
  }

  /** Stops watching. */
  stop(): void {
    this.#stop.abort();
    this.#partial.clear();
    this.#silence.clear();
  }

  get #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** The time until which more must have come of a frame that has begun. */
  #awaitRest(): number {
    const { clock, partial, partialFrameTimeout, received } = this.#options;
    if (this.#stopped || !partial()) return Infinity;
    this.#partialAt = received();
    return clock.now() + partialFrameTimeout;
  }

  #checkPartial(): number {
    const { partial, partialFrameTimeout, received } = this.#options;
    if (partial() && received() === this.#partialAt) {
      this.#die(`a frame got no further for ${partialFrameTimeout} ms`);
    }
    return this.#awaitRest();
  }

  #awaitHeartbeat(): void {
    this.#busySince = undefined;
    this.#silence.set(this.#awaitSilence());
  }

  /** The time at which the next heartbeat is due if nothing comes. */
  #awaitSilence(): number {
    const { clock, heartbeat, received, timedOut } = this.#options;
    if (heartbeat === undefined || this.#stopped) return Infinity;
    this.#quiet = { received: received(), timedOut: timedOut() };
    return clock.now() + heartbeat;
  }

  #checkSilence(now: number): number {
    const { received } = this.#options;
    if (received() !== this.#quiet.received) this.#busySince = undefined;
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
    const { pendingReplies: awaited, timedOut } = this.#options;
    if (awaited() === 0 || timedOut() !== this.#quiet.timedOut) return false;
    this.#busySince ??= now;
    return now < this.#busyUntil;
  }

  get #busyUntil(): number {
    const { heartbeat, commandTimeout } = this.#options;
    return this.#busySince === undefined
      ? Infinity
      : this.#busySince + (heartbeat ?? 0) + commandTimeout;
  }

  #beat(): void {
    const before = this.#options.received();
    this.#options.beat(this.#stop.signal).then(() => this.#awaitHeartbeat(), (cause) => {
      // An answer that says no is an answer, and so is anything else that came.
      const alive = cause instanceof CommandError || this.#options.received() !== before;
      if (alive) this.#awaitHeartbeat();
      else this.#die("a heartbeat was not answered", cause);
    });
  }

  #die(reason: string, cause?: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#options.onDead(stalledError(reason, cause));
  }
}

/** The error of a connection that looks open and is dead. */
export function stalledError(reason: string, cause?: unknown): ConnectionError {
  const message = `The server has gone silent: ${reason}`;
  return new ConnectionError("connection-stalled", message, { cause });
}
