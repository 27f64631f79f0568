import { assertEquals, assertThrows } from "@std/assert";
import {
  type Arguments,
  COMMAND_VERSION,
  decodeCommand,
  encodeArguments,
  encodeCommand,
  fieldTypeError,
} from "../src/message/command.ts";
import type { JsonObject } from "../src/message/json.ts";
import { assertProtocolError } from "./support/frames.ts";
import { test } from "./support/test.ts";

const right = { Command: "GetDeviceInfo", TrackId: "7", Version: 1, Arguments: { DeviceId: 3 } };

test("a command is encoded as documented, without arguments if there are none", () => {
  assertEquals(
    encodeCommand("ListDevices", "1", COMMAND_VERSION, undefined),
    '{"Command":"ListDevices","TrackId":"1","Version":1}',
  );
  assertEquals(
    encodeCommand("SetColorLed", "2", 2, '{"DeviceId":1}'),
    '{"Command":"SetColorLed","TrackId":"2","Version":2,"Arguments":{"DeviceId":1}}',
  );
});

test("any name survives encoding and decoding", () => {
  for (const name of ["", '"', "\\", "\n\0\x1b", "é手\u{1f9e4}", "\ud83e", "__proto__", "a,b:{"]) {
    const { Command } = JSON.parse(encodeCommand(name, "1", 1, undefined));
    assertEquals(Command, name);
  }
});

test("missing arguments may be null, undefined or absent", () => {
  assertEquals(encodeArguments(undefined), undefined);
  assertEquals(encodeArguments(null), undefined);
});

const args: { name: string; given: unknown; json: string }[] = [
  { name: "an empty object", given: {}, json: "{}" },
  { name: "nested values", given: { a: [1, { b: null }] }, json: '{"a":[1,{"b":null}]}' },
  { name: "a key that holds undefined", given: { a: undefined, b: 1 }, json: '{"b":1}' },
  { name: "a function", given: { a: () => {}, b: 1 }, json: '{"b":1}' },
  { name: "an object with toJSON()", given: { toJSON: () => ({ a: 1 }) }, json: '{"a":1}' },
  { name: "a date", given: { at: new Date(0) }, json: '{"at":"1970-01-01T00:00:00.000Z"}' },
  { name: "no number", given: { a: NaN, b: Infinity }, json: '{"a":null,"b":null}' },
  { name: "no prototype", given: Object.assign(Object.create(null), { a: 1 }), json: '{"a":1}' },
  { name: "an own key __proto__", given: JSON.parse('{"__proto__":1}'), json: '{"__proto__":1}' },
  { name: "a lone surrogate", given: { a: "\ud83e" }, json: '{"a":"\\ud83e"}' },
];

for (const { name, given, json } of args) {
  test(`arguments with ${name} are encoded`, () => {
    assertEquals(encodeArguments(given as Arguments), json);
  });
}

const circular: Record<string, unknown> = {};
circular["self"] = circular;

const refused: { name: string; given: unknown; says: string }[] = [
  { name: "an array", given: [1], says: "an array" },
  { name: "a string", given: "{}", says: "the string '{}'" },
  { name: "a number", given: 0, says: "the number 0" },
  { name: "a boolean", given: false, says: "the boolean false" },
  { name: "a function", given: () => {}, says: "the function" },
  { name: "a symbol", given: Symbol("x"), says: "the symbol Symbol(x)" },
  { name: "toJSON() to an array", given: { toJSON: () => [] }, says: "must be an object" },
  { name: "toJSON() to nothing", given: { toJSON: () => undefined }, says: "must be an object" },
  { name: "a date", given: new Date(0), says: "must be an object" },
  { name: "a bigint", given: 1n, says: "" },
  { name: "a bigint within", given: { a: 1n }, says: "" },
  { name: "a circle", given: circular, says: "" },
];

for (const { name, given, says } of refused) {
  test(`arguments that are ${name} throw a TypeError`, () => {
    assertThrows(() => encodeArguments(given as Arguments), TypeError, says);
  });
}

test("a command is decoded, with empty arguments if there are none", () => {
  assertEquals(decodeCommand(right), right);
  for (const Arguments of [null, undefined]) {
    const body = { ...right, Arguments } as unknown as JsonObject;
    assertEquals(decodeCommand(body), { ...right, Arguments: {} });
  }
  const { Arguments: _, ...without } = right;
  assertEquals(decodeCommand(without), { ...right, Arguments: {} });
});

test("optional keys of a command may be missing", () => {
  assertEquals(decodeCommand({ ...right, command: 1, Extra: { a: 1 } }), right);
});

test("names, track ids and versions are decoded unchanged", () => {
  for (const Command of ["", "__proto__", "constructor", "x".repeat(1_000_000)]) {
    assertEquals(decodeCommand({ ...right, Command }).Command, Command);
  }
  for (const TrackId of ["", "1", "01", "x".repeat(1_000_000)]) {
    assertEquals(decodeCommand({ ...right, TrackId }).TrackId, TrackId);
  }
  for (const Version of [0, -1, 2, 1.5]) {
    assertEquals(decodeCommand({ ...right, Version }).Version, Version);
  }
});

const wrongValues: Record<keyof typeof right, unknown[]> = {
  Command: [undefined, null, 1, true, [], {}],
  TrackId: [undefined, null, 1, true, ["1"], {}],
  Version: [undefined, null, "1", true, [1], {}],
  Arguments: ["{}", 0, false, [], [{}]],
};

for (const [key, values] of Object.entries(wrongValues)) {
  test(`a command whose ${key} is missing or of another type is bad-shape`, () => {
    for (const value of values) {
      const body = { ...right, [key]: value } as unknown as JsonObject;
      if (value === undefined) delete body[key];
      const error = assertProtocolError(() => decodeCommand(body), "bad-shape");
      assertEquals(error.message.startsWith(`Cannot read '${key}': `), true, error.message);
    }
  });
}

test("the case of a key matters", () => {
  const { Command, ...rest } = right;
  assertProtocolError(() => decodeCommand({ ...rest, command: Command }), "bad-shape");
});

test("a command is not read from a prototype that a body sets", () => {
  const body = JSON.parse('{"__proto__":{"Command":"x","TrackId":"1","Version":1}}');
  assertProtocolError(() => decodeCommand(body), "bad-shape");
});

test("fieldTypeError() names the key, what was expected and what came", () => {
  const error = fieldTypeError("Key", "a string", ["x"]);
  assertEquals(
    [error.code, error.expected, error.received],
    ["bad-shape", "a string", "an array"],
  );
  assertEquals(error.message, "Cannot read 'Key': expected a string, received an array");
});
