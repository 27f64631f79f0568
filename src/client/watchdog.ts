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

/** What a watchdog looks at and what it does. */
export interface WatchdogOptions {
  readonly clock: Clock;
  /** Milliseconds without a frame after which a heartbeat is sent; `undefined` for none. */
  readonly heartbeat: number | undefined;
  /** Milliseconds. */
  readonly partialFrameTimeout: number;
  /** Bytes received so far. */
  readonly received: () => number;
  /** Whether a frame has begun and is not complete. */
  readonly partial: () => boolean;
  /** Commands whose response is waited for. */
  readonly awaited: () => number;
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
  #partialTimer: unknown;
  #heartbeatTimer: unknown;
  readonly #stop = new AbortController();

  /** Begins to watch. */
  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#awaitHeartbeat();
  }

  /** Call after each chunk: sees to it that a frame which has begun goes on. */
  look(): void {
    if (this.#partialTimer !== undefined || this.#stop.signal.aborted || !this.#options.partial()) {
      return;
    }
    const { clock, partialFrameTimeout, received } = this.#options;
    const before = received();
    // One timer for a whole stretch, not for each chunk: it looks again when it fires.
    this.#partialTimer = clock.set(
      () => {
        this.#partialTimer = undefined;
        if (received() !== before) this.look();
        else if (this.#options.partial()) {
          this.#die(`a frame got no further for ${partialFrameTimeout} ms`);
        }
      },
      partialFrameTimeout,
      true,
    );
  }

  /** Stops watching. */
  stop(): void {
    this.#stop.abort();
    this.#options.clock.clear(this.#partialTimer);
    this.#options.clock.clear(this.#heartbeatTimer);
  }

  #awaitHeartbeat(): void {
    const { clock, heartbeat, received, awaited, timedOut } = this.#options;
    if (heartbeat === undefined || this.#stop.signal.aborted) return;
    const before = { received: received(), timedOut: timedOut() };
    this.#heartbeatTimer = clock.set(
      () => {
        // A server may be busy with a long command: the heartbeat would wait behind it.
        const busy = awaited() > 0 && timedOut() === before.timedOut;
        if (busy || received() !== before.received) this.#awaitHeartbeat();
        else this.#beat();
      },
      heartbeat,
      true,
    );
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
    if (this.#stop.signal.aborted) return;
    this.stop();
    this.#options.onDead(stalledError(reason, cause));
  }
}

/** The error of a connection that looks open and is dead. */
export function stalledError(reason: string, cause?: unknown): ConnectionError {
  const message = `The server has gone silent: ${reason}`;
  return new ConnectionError("connection-stalled", message, { cause });
}
