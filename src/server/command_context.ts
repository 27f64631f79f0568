/**
 * What a handler knows besides its command. Free of any runtime.
 *
 * @module
 */

/** A client, as a handler sees it. */
export interface ClientHandle {
  /** Its address in words. */
  readonly remote: string;
  /** Resolves when it has gone, which is not before its commands are answered: do not await it there. */
  readonly closed: Promise<void>;
  /** Ends its connection at once. */
  close(): void;
}

/** What a handler is given besides the command. */
export interface HandlerContext {
  /** Who sent the command. */
  readonly client: ClientHandle;
  /**
   * Aborts when the answer is waited for no more: the client has ended its connection, or its half of
   * it, as that looks the same; `handlerTimeout` is over; or the server closes. What the handler gives
   * afterwards is still sent where that can be, unless `handlerTimeout` is over. That it rejects with
   * the signal's reason, or an `AbortError`, is then no error of the server.
   */
  readonly signal: AbortSignal;
}

/** The context of one command. */
export class CommandContext implements HandlerContext {
  /** Who sent the command. */
  readonly client: ClientHandle;
  /** Fires at `handlerTimeout`. */
  timer: unknown;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(client: ClientHandle) {
    this.client = client;
  }

  /** Made when it is first asked for, as most handlers need none. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal. Only the first reason counts. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }

  /** Whether an error says no more than that the signal has aborted. */
  explains(error: unknown): boolean {
    if (this.#aborted === undefined) return false;
    return error === this.#aborted.reason || error instanceof Error && error.name === "AbortError";
  }
}
