/**
 * Colors that come faster than a device takes them.
 *
 * @module
 */

import type { ColorLed } from "@rcsp/rcsp";

/** Sets one color at a time for each key; of those that come meanwhile, the newest. */
export class LedSetter {
  readonly #signal: AbortSignal;
  readonly #send: (key: string, color: ColorLed) => Promise<unknown> | undefined;
  readonly #onError: (key: string, error: Error) => void;
  /** The keys that are busy, each with the color that is next. */
  readonly #next = new Map<string, ColorLed | undefined>();

  /** `send` returns nothing if the device is gone. */
  constructor(
    signal: AbortSignal,
    send: (key: string, color: ColorLed) => Promise<unknown> | undefined,
    onError: (key: string, error: Error) => void,
  ) {
    this.#signal = signal;
    this.#send = send;
    this.#onError = onError;
  }

  /** Sets a color, now or when the one before is set. */
  set(key: string, color: ColorLed): void {
    const isBusy = this.#next.has(key);
    this.#next.set(key, color);
    if (!isBusy) void this.#run(key);
  }

  async #run(key: string): Promise<void> {
    for (let color = this.#next.get(key); color !== undefined; color = this.#next.get(key)) {
      this.#next.set(key, undefined);
      try {
        await this.#send(key, color);
      } catch (error) {
        if (!this.#signal.aborted) this.#onError(key, error as Error);
      }
    }
    this.#next.delete(key);
  }
}
