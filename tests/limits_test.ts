import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { limit, LIMITS, type Limits } from "../src/limits.ts";
import { test } from "./support/test.ts";

const names = Object.keys(LIMITS) as (keyof Limits)[];
const timers = names.filter((name) => /timeout$|^heartbeat$/i.test(name));

test("the defaults are those that are documented", () => {
  const { maxPayload, maxDepth, maxPending, connectTimeout, commandTimeout, buffer } = LIMITS;
  assertEquals(
    { maxPayload, maxDepth, maxPending, connectTimeout, commandTimeout, buffer },
    {
      maxPayload: 16 * 1024 * 1024,
      maxDepth: 64,
      maxPending: 1024,
      connectTimeout: 5_000,
      commandTimeout: 10_000,
      buffer: 1024,
    },
  );
});

for (const name of names) {
  test(`'${name}' has a positive default`, () => {
    assertEquals(limit(name, undefined), LIMITS[name]);
    assert(LIMITS[name] >= 1);
  });

  test(`'${name}' accepts integers from 1 only`, () => {
    for (const given of [1, 2, 1000, 2 ** 31 - 1]) assertEquals(limit(name, given), given);
    for (const given of [0, -0, -1, 1.5, NaN, -Infinity, "1", null, 5n, true, [1], 2 ** 53]) {
      const error = assertThrows(() => limit(name, given as number), RangeError, `'${name}'`);
      assertStringIncludes(error.message, `current value is ${given}`);
    }
  });
}

for (const name of timers) {
  test(`'${name}' may not exceed the longest delay of a timer`, () => {
    assertThrows(() => limit(name, 2 ** 31), RangeError, "2147483647");
  });
}

test("'maxPayload' may not exceed the size field of a header", () => {
  assertEquals(limit("maxPayload", 2 ** 32 - 1), 2 ** 32 - 1);
  assertThrows(() => limit("maxPayload", 2 ** 32), RangeError, "4294967295");
});

test("a limit on a count may be up to Number.MAX_SAFE_INTEGER", () => {
  for (const name of ["maxDepth", "maxPending", "buffer", "maxClients"] as const) {
    assertEquals(limit(name, Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }
});
