/**
 * Waits in tests. Wait only for what stays true: a passing state is missed on a busy machine. No
 * result depends on time; the one limit ends a hang.
 */

/** Ends a hang, not a slow test. In milliseconds. */
export const TEST_TIMEOUT = 120_000;

/** Shorter than the test's own limit, so that a hang is reported where it happens. */
const WAIT_TIMEOUT = 100_000;

/** Waits until a condition holds that then stays true: a growing count, an end. */
export async function until(holds: () => boolean): Promise<void> {
  const end = performance.now() + WAIT_TIMEOUT;
  while (!holds()) {
    if (performance.now() > end) {
      throw new Error(`Waited ${WAIT_TIMEOUT / 1_000} s in vain until ${holds}`);
    }
    await sleep(1);
  }
}

/**
 * Repeats an action that may come too early to be noticed, until `noticed` settles; returns its
 * result.
 */
export async function repeatUntil<T>(noticed: Promise<T>, action: () => void): Promise<T> {
  const timer = setInterval(action, 5);
  return await noticed.finally(() => clearInterval(timer));
}

/** Runs everything that does not wait for a timer, this many times. */
export async function turn(times = 1): Promise<void> {
  for (let i = 0; i < times; i++) await sleep(0);
}

/**
 * Waits until a growing number has not changed for 150 ms. On a machine that pauses for longer this
 * is too early: use it for upper bounds only, never for what must be reached.
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

/** Waits some milliseconds, to give errors time to occur. Use `until()` for what must happen. */
export function sleep(delay: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delay));
}
