import { inspect, isDeepStrictEqual } from "node:util";
import { assert, AssertionError } from "./basics.ts";

/** Throws unless both values are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}\n    actual:   ${show(actual)}\n    expected: ${
      show(expected)
    }`,
  );
}

/** Throws if both values are deeply equal. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  assert(
    !equal(actual, expected),
    `Expected actual: ${show(actual)} not to be: ${show(expected)}${suffix(msg)}`,
  );
}

/** Throws unless both values are the same by `Object.is`. */
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

/** Deeply, where `0` and `-0` are equal as in the real package. */
function equal(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other) ||
    isDeepStrictEqual(withoutMinusZero(one), withoutMinusZero(other));
}

function withoutMinusZero(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(withoutMinusZero);
  if (typeof value !== "object" || value === null) return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy = Object.create(prototype);
  for (const [key, part] of Object.entries(value)) {
    Object.defineProperty(copy, key, { value: withoutMinusZero(part), enumerable: true });
  }
  return copy;
}

function show(value: unknown): string {
  return inspect(value, { depth: 8, maxArrayLength: 200, sorted: true });
}

function suffix(msg?: string): string {
  return msg ? `: ${msg}` : "";
}
