/** A thin stand-in for the few names of `@std/assert` that this project's tests use. */

export {
  assert,
  assertExists,
  assertInstanceOf,
  AssertionError,
  assertMatch,
  assertStringIncludes,
} from "./basics.ts";
export {
  assertEquals,
  assertGreaterOrEqual,
  assertLess,
  assertLessOrEqual,
  assertNotEquals,
  assertStrictEquals,
} from "./equality.ts";
export { assertRejects, assertThrows } from "./failure.ts";
