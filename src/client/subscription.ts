/**
 * Events on their way to one reader. Free of any runtime.
 *
 * @module
 */

import { ConnectionError, LimitError } from "../errors.ts";
import { Fifo } from "../fifo.ts";
import { callUserCallback } from "../user_callback.ts";

/** See `SubscribeOptions.overflow`. */
export type Overflow = "drop-oldest" | "keep-latest" | "fail";

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
   * Called when events begin to be dropped, with how many were dropped so far; once, and again only
   * after the reader has emptied the buffer in between. What it throws is an uncaught error.
   */
  onOverflow?: ((dropped: number) => void) | undefined;
  /** Ends the subscription: reading it rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** What a subscription needs of the client that made it. */
export interface SubscriptionOrigin {
  readonly buffer: number;
  readonly overflow: Overflow;
  readonly onOverflow?: ((dropped: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called once when the reader leaves; resolves when the server has answered. */
  readonly leave: () => Promise<void>;
}

type Ending = { readonly error: unknown } | "done";

interface Reader<T> {
  // Methods, so that a subscription to something is one to anything.
  resolve(result: IteratorResult<T, undefined>): void;
  reject(reason: unknown): void;
}

/** What a subscription can be used as. */
// Declared here too, as some makers of `.d.ts` files leave out members that a symbol names.
export interface Subscription<T> extends AsyncIterableIterator<T, undefined>, AsyncDisposable {}

/**
 * The events of a subscription, as an async iterator.
 *
 * - Events are kept from the moment of subscribing, not from the first read.
 * - Leaving a `for await` loop, `return()`, or the end of an `await using` block unsubscribes without
 *   waiting for the server; `unsubscribe()` waits for its answer.
 * - A connection that is lost and replaced is counted in `gaps`; the subscription is made again.
 * - `close()` of the client ends it; a refusal by the server, three connections in a row that ended
 *   before the server had answered, or a client that closes for want of a connection make reading
 *   reject, after the events that still waited.
 */
export class Subscription<T> implements AsyncIterableIterator<T, undefined> {
  readonly #origin: SubscriptionOrigin;
  readonly #events = new Fifo<T>();
  readonly #readers = new Fifo<Reader<T>>();
  readonly #onAbort: () => void;
  readonly #ready = Promise.withResolvers<void>();
  #ending: Ending | undefined;
  #left: Promise<void> | undefined;
  #overflowing = false;
  #dropped = 0;
  #gaps = 0;

  /**
   * Subscriptions are made by a client.
   *
   * @ignore
   */
  constructor(origin: SubscriptionOrigin) {
    this.#origin = origin;
    this.#ready.promise.catch(() => {});
    this.#onAbort = (): void => {
      this.#events.clear();
      this.fail(origin.signal!.reason);
      this.#leave();
    };
    if (origin.signal?.aborted) {
      // Nobody has joined anything yet, so there is nothing to leave.
      this.#left = Promise.resolve();
      this.fail(origin.signal.reason);
    } else {
      origin.signal?.addEventListener("abort", this.#onAbort);
    }
  }

  /**
   * Resolves when the server has accepted the subscription. Rejects if it refused, if it has not
   * accepted within `commandTimeout`, connected or not, or if the subscription ended before.
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** How many events were let go unread. */
  get dropped(): number {
    return this.#dropped;
  }

  /** How many times the connection was lost: events of those times are missing. */
  get gaps(): number {
    return this.#gaps;
  }

  /** How many events wait to be read. */
  get waiting(): number {
    return this.#events.length;
  }

  /** Whether it takes no more events. */
  get ended(): boolean {
    return this.#ending !== undefined;
  }

  /** The next event. */
  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#events.length > 0) {
      const value = this.#events.shift() as T;
      if (this.#events.length === 0) this.#overflowing = false;
      return Promise.resolve({ done: false, value });
    }
    if (this.#ending !== undefined) return this.#end(this.#ending);
    const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#readers.push({ resolve, reject });
    return promise;
  }

  /**
   * Unsubscribes; events that still wait are dropped. Resolves when the command is queued, so that
   * leaving a loop does not wait for the server. Never rejects.
   */
  return(): Promise<IteratorReturnResult<undefined>> {
    this.#events.clear();
    this.finish();
    this.#ending = "done";
    this.#leave();
    return Promise.resolve({ done: true, value: undefined });
  }

  /**
   * Unsubscribes, as `return()`, but resolves when the server has answered, or has not within
   * `commandTimeout`. Never rejects.
   */
  async unsubscribe(): Promise<void> {
    await this.return();
    await this.#leave();
  }

  /** The subscription itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Unsubscribes, as `return()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** For the client: an event has come. */
  push(event: T): void {
    if (this.#ending !== undefined) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value: event });
      return;
    }
    if (this.#events.length >= this.#origin.buffer) this.#overflow();
    if (this.#ending === undefined) this.#events.push(event);
  }

  /** For the client: the server has accepted. */
  accept(): void {
    this.#ready.resolve();
  }

  /** For the client: the connection was lost. */
  addGap(): void {
    this.#gaps++;
  }

  /** For the client: it ends in good order. */
  finish(): void {
    this.#close("done");
  }

  /** For the client: it ends with an error. */
  fail(error: unknown): void {
    this.#close({ error });
  }

  #overflow(): void {
    const { buffer, overflow, onOverflow } = this.#origin;
    if (overflow === "fail") {
      this.fail(
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
    if (overflow === "keep-latest") {
      this.#dropped += this.#events.length;
      this.#events.clear();
    } else {
      this.#dropped++;
      this.#events.shift();
    }
    if (this.#overflowing) return;
    this.#overflowing = true;
    if (onOverflow) callUserCallback(() => onOverflow(this.#dropped));
  }

  #close(ending: Ending): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#origin.signal?.removeEventListener("abort", this.#onAbort);
    // Neither counts where the server has accepted.
    this.#ready.reject(ending === "done" ? endedError() : ending.error);
    for (const { resolve, reject } of this.#readers.takeAll()) {
      this.#end(this.#ending).then(resolve, reject);
    }
  }

  /** The error is told once; after it, reading is done. */
  #end(ending: Ending): Promise<IteratorReturnResult<undefined>> {
    this.#ending = "done";
    return ending === "done"
      ? Promise.resolve({ done: true, value: undefined })
      : Promise.reject(ending.error);
  }

  #leave(): Promise<void> {
    return this.#left ??= this.#origin.leave();
  }
}

function endedError(): ConnectionError {
  const message = "The subscription ended before the server accepted it";
  return new ConnectionError("connection-closed", message);
}
