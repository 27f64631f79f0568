import { inspect, isDeepStrictEqual } from "node:util";
import { assert, AssertionError } from "./basics.ts";

/** Throws unless both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}\n    actual:   ${show(actual)}\n    expected: ${
      show(expected)
    }`,
  );
}

/** Throws if both values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  assert(
    !isDeepStrictEqual(actual, expected),
    `Expected actual: ${show(actual)} not to be: ${show(expected)}${suffix(msg)}`,
  );
}

/** Throws unless both values are the same, as `Object.is` sees it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  assert(
    Object.is(actual, expected),
    `Values are not strictly equal${suffix(msg)}\n    actual:   ${show(actual)}\n    expected: ${
      show(expected)
    }`,
  );
}

/** Throws unless `actual >= expected`. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  assert(actual >= expected, `Expect ${show(actual)} >= ${show(expected)}${suffix(msg)}`);
}

/** Throws unless `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  assert(actual < expected, `Expect ${show(actual)} < ${show(expected)}${suffix(msg)}`);
}

/** Throws unless `actual <= expected`. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  assert(actual <= expected, `Expect ${show(actual)} <= ${show(expected)}${suffix(msg)}`);
}

function show(value: unknown): string {
  return inspect(value, { depth: 8, maxArrayLength: 200, sorted: true });
}

function suffix(msg?: string): string {
  return msg ? `: ${msg}` : "";
}
