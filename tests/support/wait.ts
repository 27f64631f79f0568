/**
 * Waiting in tests. What a test waits for must stay once it has come: a state that may come and go is
 * missed on a busy machine. Time decides nothing here; the one limit ends a hang.
 */

/** Bounds a hang, not a slow test. In milliseconds. */
export const TEST_TIMEOUT = 120_000;

/** Shorter than the test's own limit, so that a hang is told where it happens. */
const WAIT_TIMEOUT = 100_000;

/** Waits until something holds that then stays so: a count that only grows, an end. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + WAIT_TIMEOUT;
  while (!holds()) {
    if (performance.now() > end) {
      throw new Error(`Waited ${WAIT_TIMEOUT / 1_000} s in vain until ${holds}`);
    }
    await sleep(1);
  }
}

/** Repeats what may come too early to be noticed, until `noticed` settles; gives what it gives. */
export async function repeatUntil<T>(noticed: Promise<T>, action: () => void): Promise<T> {
  const timer = setInterval(action, 5);
  return await noticed.finally(() => clearInterval(timer));
}

/** Lets everything run that does not wait for a timer, so many times. */
export async function turn(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await sleep(0);
}

/**
 * Waits until a number that only grows has not changed for 150 ms. On a machine that stands still for
 * longer this is too early: use it for what must be below a bound, never for what must be reached.
 */
export async function untilStill(current: () => number): Promise<number> {
  let [last, same] = [current(), 0];
  while (same < 15) {
    await sleep(10);
    if (current() === last) same++;
    else [last, same] = [current(), 0];
  }
  return last;
}

/** In milliseconds. Gives others time to go wrong; what must come is waited for by `until()`. */
export function sleep(delay: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay));
}
