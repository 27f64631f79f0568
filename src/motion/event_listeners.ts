/**
 * The listeners of a motion client.
 *
 * @module
 */

import type { StopListening } from "../client/rcsp_client.ts";
import { callUserCallback } from "../user_callback.ts";
import type { MotionEvents } from "./motion_client.ts";

type AnyListener = (...args: unknown[]) => void;

/** Calls the listeners of each event, in the order in which they were added. */
export class EventListeners {
  readonly #byType = new Map<keyof MotionEvents, Set<AnyListener>>();

  add<E extends keyof MotionEvents>(type: E, listener: MotionEvents[E]): StopListening {
    if (typeof listener !== "function") {
      throw new TypeError(
        `Cannot listen as the listener must be a function, not ${typeof listener}`,
      );
    }
    // One of its own, so that the same function can listen twice.
    const own: AnyListener = (...args) =>
      callUserCallback(() => (listener as AnyListener)(...args));
    const listeners = this.#byType.get(type) ?? new Set();
    this.#byType.set(type, listeners);
    listeners.add(own);
    const stop = (): void => void listeners.delete(own);
    return Object.assign(stop, { ready: Promise.resolve(), [Symbol.dispose]: stop });
  }

  emit<E extends keyof MotionEvents>(type: E, ...args: Parameters<MotionEvents[E]>): void {
    const listeners = this.#byType.get(type);
    if (listeners === undefined) return;
    // One that a listener adds now is for the next event; a loop over them might never end.
    let left = listeners.size;
    for (const listener of listeners) {
      if (left-- === 0) break;
      listener(...args);
    }
  }
}
