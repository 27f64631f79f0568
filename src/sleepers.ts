/**
 * Waits that an end may cut short. Free of any runtime.
 *
 * @module
 */

/** All who wait for a time to pass. */
export class Sleepers {
  readonly #wakes = new Set<() => void>();

  /** Resolves after so many milliseconds, or at `wakeAll()`. */
  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      this.#wakes.add(wake);
    });
  }

  /** Ends every wait, and leaves no timer. */
  wakeAll(): void {
    for (const wake of this.#wakes) wake();
  }
}
