/**
 * Events on their way to one reader.
 *
 * @module
 */

import { ConnectionError, LimitError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { limit } from "../limits.ts";
import { callUserCallback } from "../user_callback.ts";

/** Options of a subscription. */
export interface SubscribeOptions {
  /** Most events that wait to be read. Default: 1024. */
  buffer?: number | undefined;
  /**
   * What happens when the buffer is full: `drop-oldest` drops the event that waits longest,
   * `keep-latest` all that wait, `fail` ends the subscription with a `LimitError`. Default:
   * `drop-oldest`.
   */
  overflow?: "drop-oldest" | "keep-latest" | "fail" | undefined;
  /**
   * Called when events begin to be dropped, with how many were dropped so far; called again only after
   * the reader has emptied the buffer in between. What it throws is an uncaught error.
   */
  onOverflow?: ((dropped: number) => void) | undefined;
  /** Ends the subscription: reading it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/**
 * The events of a subscription, as an async iterator.
 *
 * - Events are kept from the moment of subscribing, not from the first read.
 * - Leaving a `for await` loop, `return()`, or the end of an `await using` block unsubscribes.
 * - After a lost connection has been replaced, the client subscribes again; `gaps` counts it.
 * - `close()` of the client ends the subscription. If the server refuses it, if three connections in a
 *   row end before the server has answered it, or if the client closes because it cannot reconnect,
 *   reading rejects after the events that still wait.
 */
export interface Subscription<T> extends AsyncIterableIterator<T, undefined> {
  /**
   * Resolves when the server has accepted the subscription. Rejects if it refused, if it has not
   * accepted within `commandTimeout`, connected or not, or if the subscription ended before.
   */
  readonly ready: Promise<void>;
  /** Events dropped because the buffer was full. */
  readonly dropped: number;
  /** How many times the connection was lost: events of those times are missing. */
  readonly gaps: number;
  /** Events that wait to be read. */
  readonly waiting: number;
  /** Whether it has ended: no more events are added. */
  readonly ended: boolean;
  /** Resolves with the next event. */
  next(): Promise<IteratorResult<T, undefined>>;
  /**
   * Unsubscribes; events that still wait are dropped. Resolves when the command is queued, so that
   * leaving a loop does not wait for the server. Never rejects.
   */
  return(): Promise<IteratorReturnResult<undefined>>;
  /**
   * Unsubscribes, as `return()`, but resolves when the server has answered, or has not within
   * `commandTimeout`. Never rejects.
   */
  unsubscribe(): Promise<void>;
  /** Returns the subscription itself. */
  [Symbol.asyncIterator](): this;
  /** Unsubscribes, as `return()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Receives what happens, in the turn in which it does. Must not throw. */
export interface Sink<T, More extends unknown[] = []> {
  onEvent(event: T, ...more: More): void;
  /** The server has accepted. */
  onAccepted?(): void;
  /** The connection was lost. */
  onGap?(): void;
  /** No more events come; `error` is `undefined` if that was intended. */
  onEnd?(error?: unknown): void;
}

/** A sink that was added. */
export interface Membership {
  /** Takes the sink out; resolves when the server has answered, or nothing had to be sent. */
  leave(): Promise<void>;
}

/** Counts over all event queues of a client. */
export interface QueueTotals {
  waiting: number;
  dropped: number;
}

type Ending = { readonly error: unknown } | "done";

/** The queue behind a {@link Subscription}. */
export class EventQueue<T> implements Subscription<T>, Sink<T> {
  readonly #ready = Promise.withResolvers<void>();
  readonly ready: Promise<void> = this.#ready.promise;
  dropped = 0;
  gaps = 0;
  readonly #options: SubscribeOptions;
  readonly #buffer: number;
  readonly #totals: QueueTotals;
  readonly #unsubscribe: () => Promise<void>;
  readonly #events = new Fifo<T>();
  readonly #readers = new Fifo<PromiseWithResolvers<IteratorResult<T, undefined>>>();
  readonly #onAbort: () => void;
  #ending: Ending | undefined;
  #left: Promise<void> | undefined;
  #overflowing = false;

  /**
   * `unsubscribe` is called once, when the reader leaves; it resolves when the server has answered.
   *
   * @throws {TypeError | RangeError} If an option is invalid.
   */
  constructor(options: SubscribeOptions, totals: QueueTotals, unsubscribe: () => Promise<void>) {
    const { buffer, overflow = "drop-oldest", signal } = options;
    if (!["drop-oldest", "keep-latest", "fail"].includes(overflow)) {
      throw new TypeError(
        `Cannot subscribe: 'overflow' must be drop-oldest, keep-latest or fail: current value is ${overflow}`,
      );
    }
    this.#options = { ...options, overflow };
    this.#buffer = limit("buffer", buffer);
    this.#totals = totals;
    this.#unsubscribe = unsubscribe;
    this.ready.catch(() => {});
    this.#onAbort = (): void => {
      this.#clear();
      this.onEnd(signal!.reason);
      this.#leave();
    };
    if (signal?.aborted) {
      // Nothing has been subscribed to yet.
      this.#left = Promise.resolve();
      this.onEnd(signal.reason);
    } else {
      signal?.addEventListener("abort", this.#onAbort);
    }
  }

  get waiting(): number {
    return this.#events.length;
  }

  get ended(): boolean {
    return this.#ending !== undefined;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#events.length > 0) {
      const value = this.#events.shift() as T;
      this.#count(-1);
      if (this.#events.length === 0) this.#overflowing = false;
      return Promise.resolve({ done: false, value });
    }
    if (this.#ending !== undefined) return this.#end(this.#ending);
    const reader = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#readers.push(reader);
    return reader.promise;
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#clear();
    this.onEnd();
    this.#ending = "done";
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  async unsubscribe(): Promise<void> {
    await this.return();
    await this.#leave();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Adds an event. */
  onEvent(event: T): void {
    if (this.#ending !== undefined) return;
    // First, as `onOverflow` may read, and end the subscription.
    if (this.#events.length >= this.#buffer) this.#overflow();
    if (this.#ending !== undefined) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: event });
      return;
    }
    this.#events.push(event);
    this.#count(1);
  }

  onAccepted(): void {
    this.#ready.resolve();
  }

  onGap(): void {
    this.gaps++;
  }

  onEnd(error?: unknown): void {
    if (this.#ending !== undefined) return;
    this.#count(-this.#events.length);
    this.#ending = error === undefined ? "done" : { error };
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    // Without effect if the server has accepted.
    this.#ready.reject(error ?? endedError());
    for (const { resolve, reject } of this.#readers.takeAll()) {
      this.#end(this.#ending).then(resolve, reject);
    }
  }

  #overflow(): void {
    const { overflow, onOverflow } = this.#options;
    if (overflow === "fail") {
      const buffer = this.#buffer;
      this.onEnd(
        new LimitError(
          `Subscription ended as 'buffer' (${buffer}) events wait to be read: ` +
            "read faster, raise 'buffer', or choose another 'overflow'",
          "buffer",
          buffer,
        ),
      );
      this.#leave();
      return;
    }
    do {
      this.#events.shift();
      this.#count(-1);
      this.dropped++;
      this.#totals.dropped++;
    } while (overflow === "keep-latest" && this.waiting > 0);
    if (this.#overflowing) return;
    this.#overflowing = true;
    if (onOverflow) callUserCallback(() => onOverflow(this.dropped));
  }

  /** Nobody has to catch up with what has ended. */
  #count(more: number): void {
    if (this.#ending === undefined) this.#totals.waiting += more;
  }

  #clear(): void {
    this.#count(-this.#events.length);
    this.#events.clear();
  }

  /** Rejects once with the error; after that, reading is done. */
  #end(ending: Ending): Promise<IteratorReturnResult<undefined>> {
    this.#ending = "done";
    return ending === "done"
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(ending.error);
  }

  #leave(): Promise<void> {
    return this.#left ??= this.#unsubscribe();
  }
}

/** The error of `ready` if nothing went wrong. */
export function endedError(): ConnectionError {
  const message = "The subscription ended before the server accepted it";
  return new ConnectionError("connection-closed", message);
}
