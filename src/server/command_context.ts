/**
 * Handlers of commands, and what they receive besides the command.
 *
 * @module
 */

import type { Command } from "../message/command.ts";
import type { JsonObject } from "../message/json.ts";

/** What a handler returns: the response's data, or nothing. */
export type HandlerResult = JsonObject | null | undefined | void;

/**
 * Executes a command. Its result becomes the response's `Response`; a `CommandError` that it throws
 * becomes the `Error`; anything else that it throws is answered as an internal error.
 */
export type Handler = (
  command: Command,
  context: HandlerContext,
) => HandlerResult | Promise<HandlerResult>;

/** A connected client. */
export interface ClientHandle {
  /** Its address: `127.0.0.1:50000`. */
  readonly remote: string;
  /** Resolves when it is disconnected: after its commands are answered, so a handler must not await it. */
  readonly closed: Promise<void>;
  /** Closes its connection immediately. */
  close(): void;
}

/** The second argument of a handler. */
export interface HandlerContext {
  /** Who sent the command. */
  readonly client: ClientHandle;
  /**
   * Aborts when the client ends its connection, or its half of it, which looks the same; after
   * `handlerTimeout`; and when the server closes. A later result is still sent if possible, except after
   * `handlerTimeout`. Rejecting with the signal's reason or an `AbortError` is then not reported.
   */
  readonly signal: AbortSignal;
}

/** The context of one command. */
export class CommandContext implements HandlerContext {
  /** Who sent the command. */
  readonly client: ClientHandle;
  /** The command as received; valid until the handler returns. */
  readonly payload: Uint8Array;
  /** Fires at `handlerTimeout`. */
  timer: unknown;
  #controller: AbortController | undefined;
  #aborted: { readonly reason: unknown } | undefined;

  constructor(client: ClientHandle, payload: Uint8Array) {
    this.client = client;
    this.payload = payload;
  }

  /** Created on first use: most handlers need none. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted.reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal; later calls have no effect. */
  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    this.#controller?.abort(reason);
  }

  /** Whether an error is only the consequence of the abort. */
  explains(error: unknown): boolean {
    if (this.#aborted === undefined) return false;
    return error === this.#aborted.reason || error instanceof Error && error.name === "AbortError";
  }
}
