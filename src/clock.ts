/**
 * The time, as a value, so that a test can put its own in its place. Free of any runtime.
 *
 * @module
 */

/** What waits and measures. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /**
   * Calls `action` after `delay` milliseconds, once. A timer in the background does not keep a process
   * alive, where the runtime knows how.
   */
  set(action: () => void, delay: number, background?: boolean): unknown;
  /** Takes back a `set`. */
  clear(timer: unknown): void;
}

/** The runtime's own clock. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  set: (action, delay, background): unknown => {
    const timer: unknown = setTimeout(action, delay);
    if (background) (timer as { unref?: () => void }).unref?.();
    return timer;
  },
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};
