import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { LimitError, RcspError } from "../src/errors.ts";
import { describeValue, isObject, type JsonValue, parseBody } from "../src/message/json.ts";
import { assertProtocolError, fromHex, utf8 } from "./support/frames.ts";
import { test } from "./support/test.ts";

function parse(body: string | Uint8Array, maxDepth = 64) {
  return parseBody(typeof body === "string" ? utf8(body) : body, maxDepth);
}

const noObject: { body: string; received: string }[] = [
  { body: "", received: "nothing" },
  { body: " \t\r\n", received: "4 bytes that are not JSON" },
  { body: "null", received: "null" },
  { body: "true", received: "the boolean true" },
  { body: "1", received: "the number 1" },
  { body: '"x"', received: "the string 'x'" },
  { body: "[]", received: "an array" },
  { body: '[{"a":1}]', received: "an array" },
  { body: "{", received: "not JSON" },
  { body: "}", received: "not JSON" },
  { body: '{"a":1,}', received: "not JSON" },
  { body: '{"a":1}{"b":2}', received: "not JSON" },
  { body: '{"a":1} x', received: "not JSON" },
  { body: "{'a':1}", received: "not JSON" },
  { body: "{a:1}", received: "not JSON" },
  { body: '{"a":NaN}', received: "not JSON" },
  { body: '{"a":01}', received: "not JSON" },
  { body: '{"a":undefined}', received: "not JSON" },
  { body: '{"a":1}//', received: "not JSON" },
  { body: '\ufeff{"a":1}', received: "not JSON" },
  { body: '\u00a0{"a":1}', received: "not JSON" },
  { body: '{"a":"\0"}', received: "not JSON" },
  { body: '{"a":"\n"}', received: "not JSON" },
  { body: '{"a":"\x1b[2J"}', received: "not JSON" },
  { body: '{"a":"\\x41"}', received: "not JSON" },
  { body: '{"a":1}\0', received: "not JSON" },
];

for (const { body, received } of noObject) {
  test(`the body ${JSON.stringify(body)} is bad-json`, () => {
    const error = assertProtocolError(() => parse(body), "bad-json");
    assertEquals(error.expected, "a JSON object");
    assertStringIncludes(error.received, received);
    assertEquals(error.offset, undefined);
  });
}

const bytes: { name: string; hex: string }[] = [
  { name: "an overlong NUL", hex: "c080" },
  { name: "an overlong slash", hex: "e080af" },
  { name: "a surrogate", hex: "eda080" },
  { name: "a surrogate pair", hex: "eda0bdedb880" },
  { name: "a byte that never occurs", hex: "f5" },
  { name: "a character beyond the last", hex: "f4908080" },
  { name: "a continuation without a start", hex: "80" },
  { name: "two bytes of a three-byte character", hex: "e282" },
  { name: "three bytes of a four-byte character", hex: "f09fa7" },
  { name: "a UTF-16 mark", hex: "fffe" },
];

for (const { name, hex } of bytes) {
  test(`${name} (${hex}) in a string is bad-utf8`, () => {
    const body = concat([utf8('{"a":"'), fromHex(hex), utf8('"}')]);
    const error = assertProtocolError(() => parse(body), "bad-utf8");
    assertEquals(error.expected, "UTF-8");
    assertStringIncludes(error.received, `${body.length} bytes`);
    assertStringIncludes(error.excerpt, "7b 22 61 22 3a 22");
    assertInstanceOf(error.cause, TypeError);
  });
}

test("a character cut at the end of the body is bad-utf8", () => {
  assertProtocolError(() => parse(concat([utf8('{"a":1}'), fromHex("e282")])), "bad-utf8");
});

test("invalid bytes are detected even after a real U+FFFD", () => {
  const body = concat([utf8('{"a":"\ufffd'), fromHex("ff"), utf8('"}')]);
  assertProtocolError(() => parse(body), "bad-utf8");
});

const good: { name: string; body: string; value: JsonValue }[] = [
  { name: "an empty object", body: "{}", value: {} },
  { name: "white space around", body: ' \t\r\n{ "a" : 1 }\n', value: { a: 1 } },
  { name: "a real U+FFFD", body: '{"a":"\ufffd"}', value: { a: "\ufffd" } },
  { name: "a byte order mark in a string", body: '{"a":"\ufeff"}', value: { a: "\ufeff" } },
  { name: "an escaped lone surrogate", body: '{"a":"\\ud83e"}', value: { a: "\ud83e" } },
  { name: "an escaped NUL", body: '{"a\\u0000":"\\u0000"}', value: { "a\0": "\0" } },
  { name: "line separators", body: '{"a":"\u2028\u2029"}', value: { a: "\u2028\u2029" } },
  { name: "astral characters", body: '{"a":"\u{1f9e4}"}', value: { a: "\u{1f9e4}" } },
  { name: "duplicate keys: the last", body: '{"a":1,"a":2}', value: { a: 2 } },
  { name: "an empty key", body: '{"":1}', value: { "": 1 } },
  { name: "a number beyond all", body: '{"a":1e400}', value: { a: Infinity } },
  { name: "a negative zero", body: '{"a":-0}', value: { a: -0 } },
  { name: "2^53 + 1, rounded", body: '{"a":9007199254740993}', value: { a: 9007199254740992 } },
  { name: "a fraction", body: '{"a":0.1}', value: { a: 0.1 } },
];

for (const { name, body, value } of good) {
  test(`a body may contain ${name}`, () => assertEquals<JsonValue>(parse(body), value));
}

for (
  const key of [
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "then",
    "toJSON",
    "hasOwnProperty",
  ]
) {
  test(`the key ${key} is a key like any other`, () => {
    const body = parse(`{"${key}":{"polluted":true},"a":1}`);
    assertEquals(Object.keys(body), [key, "a"]);
    assert(Object.hasOwn(body, key));
    assertEquals(body[key], { polluted: true });
    assertEquals(Object.getPrototypeOf(body), Object.prototype);
    assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
  });
}

test("a hundred thousand keys and a string of 10 MB are accepted", () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join(",");
  assertEquals(Object.keys(parse(`{${keys}}`)).length, 100_000);
  const long = "[{é".repeat(2_500_000);
  assert(parse(`{"a":"${long}"}`)["a"] === long);
});

test("the excerpt of an error is short, however long the body", () => {
  const error = assertProtocolError(() => parse(`[${"1,".repeat(100_000)}]`), "bad-json");
  assertEquals(error.excerpt, "5b 31 2c 31 2c 31 2c 31 2c 31 2c 31 2c 31 2c 31 …");
  const string = assertProtocolError(() => parse(`"${"x".repeat(100_000)}"`), "bad-json");
  assertEquals(string.received, `the string '${"x".repeat(40)}…'`);
});

test("isObject() returns true for objects only", () => {
  for (const value of [{}, Object.create(null), { a: 1 }]) assert(isObject(value));
  for (const value of [null, undefined, [], "", 0, true, () => {}]) assert(!isObject(value));
});

test("describeValue() describes any value", () => {
  const words: [unknown, string][] = [
    [null, "null"],
    [undefined, "nothing"],
    [[1], "an array"],
    [{}, "an object"],
    ["a\x1b", "the string 'a\\u001b'"],
    [1.5, "the number 1.5"],
    [NaN, "the number NaN"],
    [false, "the boolean false"],
    [10n, "the bigint 10"],
    [Symbol("s"), "the symbol Symbol(s)"],
  ];
  for (const [value, expected] of words) assertEquals(describeValue(value), expected);
});

/** An object of this depth; the object itself is level 1. */
function deep(depth: number): string {
  return `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;
}

test("a body may be nested up to maxDepth, and no deeper", () => {
  for (const maxDepth of [1, 2, 63, 64, 65, 1000]) {
    parse(deep(maxDepth), maxDepth);
    const error = assertThrows(() => parse(deep(maxDepth + 1), maxDepth), LimitError);
    assertEquals([error.limit, error.max], ["maxDepth", maxDepth]);
  }
});

test("arrays count as levels", () => {
  parse(`{"a":${"[".repeat(63)}${"]".repeat(63)}}`);
  assertThrows(() => parse(`{"a":${"[".repeat(64)}${"]".repeat(64)}}`), LimitError);
});

for (const depth of [65, 100, 10_000, 1_000_000]) {
  test(`a body of depth ${depth} is rejected, complete or truncated`, () => {
    assertThrows(() => parse(deep(depth)), LimitError);
    assertThrows(() => parse('{"a":'.repeat(depth)), LimitError);
    assertThrows(() => parse("[".repeat(depth)), RcspError);
  });
}

test("many adjacent objects do not count as depth", () => {
  const devices = Array.from({ length: 1000 }, (_, i) => ({ DeviceId: i, Sensors: [[i]] }));
  assertEquals<unknown>(parse(JSON.stringify({ devices }), 5), { devices });
  assertThrows(() => parse(JSON.stringify({ devices }), 4), LimitError);
});

const flat = ["[".repeat(100), '"{'.repeat(100), '\\"['.repeat(100), '\\\\"[{'.repeat(100), "\\"];

for (const [i, text] of flat.entries()) {
  test(`brackets in a string are not levels (${i + 1})`, () => {
    const value = { [text]: text, after: [text, { text }] };
    assertEquals<unknown>(parse(JSON.stringify(value), 3), value);
    assertThrows(() => parse(JSON.stringify(value), 2), LimitError);
  });
}

test("brackets after a string that ends in backslashes are levels", () => {
  for (let backslashes = 0; backslashes < 10; backslashes++) {
    const text = JSON.stringify("\\".repeat(backslashes));
    const body = `{"a":${text},"b":[[[[[[[[[[${text}]]]]]]]]]]}`;
    parse(body, 11);
    assertThrows(() => parse(body, 10), LimitError);
  }
});

test("an unterminated string is bad-json, whatever brackets it contains", () => {
  assertProtocolError(() => parse(`{"a":"${"[".repeat(1000)}`), "bad-json");
  assertProtocolError(() => parse(`{"a":"${'\\"['.repeat(1000)}`), "bad-json");
});

test("extra closing brackets do not allow more levels", () => {
  assertProtocolError(() => parse(`${"}".repeat(500)}${"[".repeat(500)}`), "bad-json");
});

test("a long run of backslashes does not slow parsing down", () => {
  const text = "\\".repeat(500_000) + '"[';
  const value = { [text]: ["[".repeat(100)] };
  assertEquals<unknown>(parse(JSON.stringify(value)), value);
});
