/** Typed events for the parts of the page. */

/** Calls the listeners of named events. */
export class Emitter<E extends { readonly [K in keyof E]: (...args: never[]) => void }> {
  readonly #listeners = new Map<keyof E, Set<(...args: never[]) => void>>();

  /** Calls `listener` at each event of a name. */
  on<K extends keyof E>(name: K, listener: E[K]): void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
  }

  protected emit<K extends keyof E>(name: K, ...args: Parameters<E[K]>): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      (listener as (...args: Parameters<E[K]>) => void)(...args);
    }
  }
}
