import { inspect } from "node:util";

/** Thrown by every assertion. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** Throws unless the value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Throws if the value is `null` or `undefined`. */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  assert(
    actual !== undefined && actual !== null,
    `Expected actual: ${actual} to not be null or undefined${msg ? `: ${msg}` : "."}`,
  );
}

/** Throws unless the value is an instance of the class. */
export function assertInstanceOf<T>(
  actual: unknown,
  expectedType: abstract new (...args: never[]) => T,
  msg?: string,
): asserts actual is T {
  assert(
    actual instanceof expectedType,
    `Expected object to be an instance of "${expectedType.name}" but was ${inspect(actual)}${
      msg ? `: ${msg}` : "."
    }`,
  );
}

/** Throws unless `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  assert(
    actual.includes(expected),
    `Expected actual: "${actual}" to contain: "${expected}"${msg ? `: ${msg}` : "."}`,
  );
}

/** Throws unless the pattern matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  assert(
    expected.test(actual),
    `Expected actual: "${actual}" to match: "${expected}"${msg ? `: ${msg}` : "."}`,
  );
}
