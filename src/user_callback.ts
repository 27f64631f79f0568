/**
 * Errors of user callbacks.
 *
 * @module
 */

import { escapeUnprintable } from "./escape.ts";

/**
 * Calls a user's callback. An error that it throws becomes an uncaught error, as that of an event listener,
 * and does not affect the caller.
 */
export function callUserCallback(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/**
 * Logs an error with `console.error`: for failures without an `onError` that must not end the process, since
 * clients can cause them.
 */
export function show(what: string, error: unknown, hint: string): void {
  // deno-lint-ignore no-console -- the alternatives are silence and the end of the process
  console.error(escapeUnprintable(`${what}: ${describe(error)}\n${hint}`, { layout: true }));
}

function describe(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const { stack = "" } = error;
    // Not every runtime's stack begins with the message.
    return stack.includes(error.message) ? stack : `${error}\n${stack}`;
  } catch {
    return "a value that cannot be shown";
  }
}
