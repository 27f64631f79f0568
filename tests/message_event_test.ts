import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { DIALECT, dialect } from "../src/dialect.ts";
import {
  decodeEvent,
  encodeEvent,
  type EventFilter,
  findPressType,
  matches,
  PRESS_TYPES,
  type RcspEvent,
  sameId,
} from "../src/message/event.ts";
import type { DeviceId } from "../src/message/command.ts";
import type { JsonValue } from "../src/message/json.ts";
import { test } from "./support/test.ts";

const press = {
  Publisher: "DeviceEvents",
  Topic: "ButtonPushed",
  DeviceId: 3,
  Data: { PressType: "LongPress" },
};

const nothing = { publisher: undefined, topic: undefined, deviceId: undefined, data: undefined };
const receivedAt = 1_700_000_000_000;

test("an event is decoded with the dialect, and has its body unchanged", () => {
  const event = decodeEvent(press, DIALECT, receivedAt);
  assertEquals(event, {
    publisher: "DeviceEvents",
    topic: "ButtonPushed",
    deviceId: 3,
    data: { PressType: "LongPress" },
    raw: press,
    receivedAt,
  });
  assertStrictEquals(event.raw, press);
});

test("an event of an unknown shape has only its body", () => {
  const bodies = [
    {},
    { Publisher: null, Topic: null, DeviceId: null, Data: null },
    { Publisher: 1, Topic: ["ButtonPushed"] },
    { publisher: "DeviceEvents", TOPIC: "ButtonPushed" },
    JSON.parse('{"__proto__":{"Publisher":"DeviceEvents","DeviceId":1}}'),
  ];
  for (const raw of bodies) {
    assertEquals(decodeEvent(raw, DIALECT, receivedAt), { ...nothing, raw, receivedAt });
  }
});

test("ids and data may be anything but null", () => {
  for (const value of [0, "", false, "1", [], {}, { a: 1 }, 0.1] as DeviceId[]) {
    const event = decodeEvent({ DeviceId: value, Data: value }, DIALECT, receivedAt);
    assertEquals([event.deviceId, event.data], [value, value]);
  }
});

test("an event has only what its own body has, whatever the dialect's paths are", () => {
  const odd = dialect({
    event: {
      publisher: "toString",
      topic: "__proto__",
      deviceId: "constructor",
      data: "__proto__",
    },
  });
  assertEquals(decodeEvent({ DeviceId: 1 }, odd, receivedAt), {
    ...nothing,
    raw: { DeviceId: 1 },
    receivedAt,
  });
  const raw = JSON.parse('{"toString":"p","__proto__":{"own":7},"constructor":3}');
  assertEquals(decodeEvent(raw, odd, receivedAt), {
    publisher: "p",
    topic: undefined,
    deviceId: 3,
    data: JSON.parse('{"own":7}'),
    raw,
    receivedAt,
  });
});

test("an event is read at the dialect's paths", () => {
  const other = dialect({
    event: { publisher: "E.From", topic: "E.What", deviceId: "Device.Id", data: "Payload" },
  });
  const raw = { E: { From: "p", What: "t" }, Device: { Id: "x" }, Payload: 5 };
  const event = { publisher: "p", topic: "t", deviceId: "x", data: 5, raw, receivedAt };
  assertEquals<unknown>(decodeEvent(raw, other, receivedAt), event);
});

test("an event is encoded with the dialect", () => {
  const event = {
    publisher: "DeviceEvents",
    topic: "ButtonPushed",
    deviceId: 3,
    pressType: "LongPress",
  } as const;
  assertEquals(JSON.parse(encodeEvent(event, DIALECT)), press);
  const data = { Count: 2 };
  assertEquals(JSON.parse(encodeEvent({ ...event, data }, DIALECT)), {
    ...press,
    Data: { Count: 2, PressType: "LongPress" },
  });
  assertEquals(data, { Count: 2 });
  const other = dialect({ event: { topic: "Event.Name", pressType: "Press", deviceId: "Id" } });
  assertEquals(JSON.parse(encodeEvent(event, other)), {
    Publisher: "DeviceEvents",
    Event: { Name: "ButtonPushed" },
    Id: 3,
    Press: "LongPress",
  });
});

test("an event without a device, data or press is encoded without their keys", () => {
  const json = encodeEvent({ publisher: "p", topic: "t" }, DIALECT);
  assertEquals(json, '{"Publisher":"p","Topic":"t"}');
});

test("encoding an event does not change its data, however deep the press type's path is", () => {
  const deep = dialect({ event: { pressType: "Data.Detail.PressType" } });
  const data = Object.freeze({ Detail: Object.freeze({ Finger: 2 }) });
  const json = encodeEvent({ publisher: "p", topic: "t", data, pressType: "LongPress" }, deep);
  assertEquals(JSON.parse(json).Data, { Detail: { Finger: 2, PressType: "LongPress" } });
  assertEquals<unknown>(data, { Detail: { Finger: 2 } });
});

test("data with the key __proto__ is encoded with it and changes no prototype", () => {
  const data = JSON.parse('{"__proto__":{"polluted":true}}');
  const json = encodeEvent({ publisher: "p", topic: "t", data, pressType: "LongPress" }, DIALECT);
  assert(json.includes('"__proto__":{"polluted":true}'), json);
  assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
});

const found: { value: JsonValue; type: string | undefined }[] = [
  ...PRESS_TYPES.map((type) => ({ value: type, type })),
  { value: press, type: "LongPress" },
  { value: { a: [{ b: [null, 1, { c: "DoublePress" }] }] }, type: "DoublePress" },
  { value: ["x", "SinglePress", "LongPress"], type: "SinglePress" },
  { value: { a: "nothing", b: { c: "LongPress" }, d: "SinglePress" }, type: "LongPress" },
  { value: JSON.parse('{"__proto__":{"x":"SinglePress"}}'), type: "SinglePress" },
  { value: { SinglePress: true }, type: undefined },
  { value: ["singlepress", "SINGLEPRESS", "SinglePress ", "Press"], type: undefined },
  { value: {}, type: undefined },
  { value: [], type: undefined },
  { value: null, type: undefined },
  { value: 1, type: undefined },
  { value: true, type: undefined },
];

for (const { value, type } of found) {
  test(`the press type in ${JSON.stringify(value)} is ${type}`, () => {
    assertEquals(findPressType(value), type);
  });
}

const topic: EventFilter = { publisher: "p", topic: "t", deviceId: 1 };
const matching: {
  name: string;
  event: Partial<RcspEvent>;
  topic: EventFilter;
  expected: boolean;
}[] = [
  { name: "says nothing", event: {}, topic, expected: true },
  { name: "says all", event: { publisher: "p", topic: "t", deviceId: 1 }, topic, expected: true },
  { name: "is another publisher's", event: { publisher: "P" }, topic, expected: false },
  { name: "is of another topic", event: { publisher: "p", topic: "T" }, topic, expected: false },
  { name: "is of another device", event: { deviceId: 2 }, topic, expected: false },
  { name: "has the id as a string", event: { deviceId: "1" }, topic, expected: false },
  { name: "names an empty publisher", event: { publisher: "" }, topic, expected: false },
  {
    name: "has a device that nobody asked for",
    event: { publisher: "p", topic: "t", deviceId: 9 },
    topic: { publisher: "p", topic: "t" },
    expected: true,
  },
];

for (const { name, event, topic, expected } of matching) {
  test(`an event that ${name} ${expected ? "matches" : "does not match"}`, () => {
    assertEquals(matches({ ...nothing, raw: {}, receivedAt, ...event }, topic), expected);
  });
}

const ids = [
  { one: 1, other: 1, same: true },
  { one: "1", other: "1", same: true },
  { one: "1", other: 1, same: false },
  { one: 0, other: false, same: false },
  { one: 0, other: "", same: false },
  { one: 0.1, other: 0.1, same: true },
  { one: { a: [1] }, other: { a: [1] }, same: true },
  { one: { a: 1 }, other: { a: "1" }, same: false },
  { one: [1], other: [1], same: true },
  { one: [1], other: 1, same: false },
  { one: [], other: {}, same: false },
  { one: "[1]", other: [1], same: false },
] as { one: DeviceId; other: DeviceId; same: boolean }[];

for (const { one, other, same } of ids) {
  const [left, right] = [one, other].map((id) => JSON.stringify(id));
  test(`the ids ${left} and ${right} are ${same ? "the same" : "different"}`, () => {
    assertEquals([sameId(one, other), sameId(other, one)], [same, same]);
  });
}
