import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { DIALECT, dialect, type DialectOptions, readPath, writePath } from "../src/dialect.ts";
import type { JsonObject, JsonValue } from "../src/message/json.ts";
import { test } from "./support/test.ts";

const before = JSON.stringify(DIALECT);

test("dialect() without options returns the default", () => {
  assertEquals(dialect(), DIALECT);
  assertEquals(dialect({}), DIALECT);
});

test("the default dialect has the confirmed names", () => {
  const { subscribe, deviceSubscribe, deviceUnsubscribe } = DIALECT.commands;
  assertEquals(
    [subscribe, deviceSubscribe, deviceUnsubscribe],
    ["Subscribe", "DeviceSubscribe", "DeviceUnsubscribe"],
  );
  assertEquals(DIALECT.button, { publisher: "DeviceEvents", topic: "ButtonPushed" });
  assertEquals(DIALECT.subscription.deviceId, "DeviceId");
});

test("a dialect is plain data", () => {
  assertEquals(JSON.parse(before), DIALECT);
});

test("given values override the default, which itself does not change", () => {
  const other = dialect({
    trackId: "Id",
    event: { topic: "Event" },
    errorCodes: { internal: "X" },
  });
  assertEquals(other, {
    ...DIALECT,
    trackId: "Id",
    event: { ...DIALECT.event, topic: "Event" },
    errorCodes: { ...DIALECT.errorCodes, internal: "X" },
  });
  assertNotEquals(other, DIALECT);
  assertEquals(JSON.stringify(DIALECT), before);
});

test("every value of the dialect can be overridden on its own", () => {
  for (const [key, value] of Object.entries(DIALECT)) {
    if (typeof value === "string") {
      assertEquals(dialect({ [key]: "x" }), { ...DIALECT, [key]: "x" });
      continue;
    }
    for (const inner of Object.keys(value)) {
      const expected = { ...DIALECT, [key]: { ...value, [inner]: "x.y" } };
      assertEquals(dialect({ [key]: { [inner]: "x.y" } }), expected);
    }
  }
});

test("undefined keeps the default", () => {
  const options = { trackId: undefined, event: undefined, commands: { subscribe: undefined } };
  assertEquals(dialect(options as unknown as DialectOptions), DIALECT);
});

const wrong: { given: unknown; says: string }[] = [
  { given: null, says: "'dialect' must be an object" },
  { given: [], says: "'dialect' must be an object" },
  { given: "x", says: "'dialect' must be an object" },
  { given: { nothing: "x" }, says: "'dialect' has no 'nothing': its keys are trackId, " },
  { given: { TrackId: "x" }, says: "'dialect' has no 'TrackId'" },
  { given: { event: { Topic: "x" } }, says: "'dialect.event' has no 'Topic': its keys are " },
  { given: JSON.parse('{"__proto__":{"trackId":"x"}}'), says: "'dialect' has no '__proto__'" },
  { given: { event: { constructor: "x" } }, says: "'dialect.event' has no 'constructor'" },
  { given: { event: "Event" }, says: "'dialect.event' must be an object" },
  { given: { event: null }, says: "'dialect.event' must be an object" },
  { given: { event: [] }, says: "'dialect.event' must be an object" },
  { given: { trackId: "" }, says: "'dialect.trackId' must be a string that is not empty" },
  { given: { trackId: null }, says: "'dialect.trackId' must be a string" },
  { given: { trackId: { a: "x" } }, says: "'dialect.trackId' must be a string" },
  { given: { event: { data: 1 } }, says: "'dialect.event.data' must be a string" },
  { given: { event: { data: ["Data"] } }, says: "'dialect.event.data' must be a string" },
];

for (const { given, says } of wrong) {
  test(`the dialect ${JSON.stringify(given)} is rejected`, () => {
    assertThrows(() => dialect(given as DialectOptions), TypeError, says);
  });
}

const body = JSON.parse(
  '{"a":1,"b":{"c":{"d":2},"n":null,"l":[{"e":3}]},"x.y":4,"x":{"y":5},"":{"":6},' +
    '"__proto__":{"own":7}}',
);

const reads: { path: string; value: JsonValue | undefined }[] = [
  { path: "a", value: 1 },
  { path: "b.c.d", value: 2 },
  { path: "b.n", value: null },
  { path: "b.n.x", value: undefined },
  { path: "b.l.0.e", value: undefined },
  { path: "a.x", value: undefined },
  { path: "b.x.y", value: undefined },
  { path: "x.y", value: 4 },
  { path: ".", value: 6 },
  { path: "A", value: undefined },
  { path: "a.", value: undefined },
  { path: "__proto__.own", value: 7 },
  { path: "b.__proto__", value: undefined },
  { path: "constructor", value: undefined },
  { path: "constructor.name", value: undefined },
  { path: "toString", value: undefined },
  { path: "b.hasOwnProperty", value: undefined },
];

for (const { path, value } of reads) {
  test(`reading the path '${path}' returns ${JSON.stringify(value)}`, () => {
    assertEquals(readPath(body, path), value);
  });
}

const writes: { into: JsonObject; path: string; json: string }[] = [
  { into: {}, path: "a", json: '{"a":"v"}' },
  { into: { a: 1, b: 2 }, path: "a", json: '{"a":"v","b":2}' },
  { into: {}, path: "a.b.c", json: '{"a":{"b":{"c":"v"}}}' },
  { into: { a: { x: 1 } }, path: "a.b", json: '{"a":{"x":1,"b":"v"}}' },
  { into: { a: 1 }, path: "a.b", json: '{"a":{"b":"v"}}' },
  { into: { a: null }, path: "a.b", json: '{"a":{"b":"v"}}' },
  { into: { a: [1] }, path: "a.b", json: '{"a":{"b":"v"}}' },
  { into: {}, path: "__proto__", json: '{"__proto__":"v"}' },
  { into: {}, path: "__proto__.polluted", json: '{"__proto__":{"polluted":"v"}}' },
  { into: {}, path: "a.__proto__.polluted", json: '{"a":{"__proto__":{"polluted":"v"}}}' },
  { into: {}, path: "constructor.polluted", json: '{"constructor":{"polluted":"v"}}' },
  {
    into: JSON.parse('{"a":{"__proto__":{"x":1}}}'),
    path: "a.b",
    json: '{"a":{"__proto__":{"x":1},"b":"v"}}',
  },
];

for (const { into, path, json } of writes) {
  test(`writing at '${path}' into ${JSON.stringify(into)} results in ${json}`, () => {
    writePath(into, path, "v");
    assertEquals(JSON.stringify(into), json);
    assertEquals(readPath(into, path), "v");
    assertEquals(Object.getPrototypeOf(into), Object.prototype);
    for (const holder of [{}, Object, Function.prototype] as unknown[]) {
      assertEquals((holder as Record<string, unknown>)["polluted"], undefined);
    }
  });
}

test("writing at a path does not change the objects on the way", () => {
  const inner = Object.freeze({ x: Object.freeze({ y: 1 }) });
  const into: JsonObject = { inner };
  writePath(into, "inner.x.z", 2);
  assertEquals(into, { inner: { x: { y: 1, z: 2 } } });
  assertEquals<JsonObject>(inner, { x: { y: 1 } });
  assert(into["inner"] !== inner);
});
