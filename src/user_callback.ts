/**
 * What becomes of an error that a user's own callback throws.
 *
 * @module
 */

import { escapeUnprintable } from "./escape.ts";

/**
 * Calls a user's callback. What it throws takes nothing else down: it is reported as the error of an
 * event listener is, uncaught.
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
 * Shows an error on the console. For a failure that nobody listens to and that must not end the process,
 * as it is others who bring it about.
 */
export function show(what: string, error: unknown, hint: string): void {
  // deno-lint-ignore no-console -- the only other traces would be none, or the end of the process
  console.error(escapeUnprintable(`${what}: ${describe(error)}\n${hint}`, { layout: true }));
}

function describe(error: unknown): string {
  try {
    if (!(error instanceof Error)) return String(error);
    const { stack = "" } = error;
    // Not every runtime begins the stack with the message.
    return stack.includes(error.message) ? stack : `${error}\n${stack}`;
  } catch {
    return "a value that cannot be shown";
  }
}
