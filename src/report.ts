/**
 * What becomes of an error that a user's own callback throws. Free of any runtime.
 *
 * @module
 */

/**
 * Calls a user's callback. What it throws takes nothing else down: it is reported as the error of an
 * event listener is, uncaught.
 */
export function notify(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
