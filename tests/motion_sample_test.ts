import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { DataFrame } from "../src/motion/data_frame.ts";
import { parseDataType } from "../src/motion/data_type.ts";
import { type MotionGroup, readDefinition } from "../src/motion/definition.ts";
import { LimitError } from "../src/errors.ts";
import type { JsonObject } from "../src/message/json.ts";
import { toHex } from "./support/frames.ts";
import { dataPayload, definitionOf, floats } from "./support/motion.ts";
import { test } from "./support/test.ts";

function groupOf(...dataTypes: string[]): MotionGroup {
  return readDefinition(definitionOf(1, ...dataTypes) as JsonObject).groups[0]!;
}

test("a data type is a type, a shape and a size", () => {
  assertEquals(parseDataType("FLOAT"), { type: "FLOAT", shape: [], length: 1, byteLength: 4 });
  assertEquals(parseDataType("DOUBLE[3, 3]"), {
    type: "DOUBLE",
    shape: [3, 3],
    length: 9,
    byteLength: 72,
  });
  assertEquals(parseDataType("BYTE"), undefined);
});

test("more than 4096 groups, streams or static data are refused by a limit that can be raised", () => {
  const many = <T>(item: T): T[] => Array<T>(4097).fill(item);
  const streams = many({ data_type: "FLOAT" });
  const groups = many(0).map((_, id) => ({ id, streams: [{ data_type: "FLOAT" }] }));
  const all: JsonObject[] = [
    { device_id: 1, groups },
    { device_id: 1, groups: [{ streams }] },
    {
      device_id: 1,
      groups: groups.slice(0, 2100).map((g, id) => ({ id, streams: [...g.streams, ...g.streams] })),
    },
    { device_id: 1, groups: [], static_data: many({ value: 1 }) },
  ];
  const limits = { maxPayload: 1e6, maxDefinition: 1e6, maxDepth: 9, maxStreams: 4200 };
  for (const json of all) {
    const error = assertThrows(() => readDefinition(json), LimitError);
    assertEquals([error.limit, error.max], ["maxStreams", 4096]);
    readDefinition(json, limits);
  }
});

test("values of 4 bytes are read through one array that every frame updates", () => {
  const group = groupOf("FLOAT[2]", "INT32", "UINT32[2]");
  const frame = new DataFrame(1, group);
  const payload = (a: number, b: number): Uint8Array =>
    dataPayload(
      1,
      0,
      5,
      new Uint8Array([...floats(a, b), 255, 255, 255, 255, 1, 0, 0, 0, 2, 0, 0, 0]),
    );
  frame.load(payload(1, 2));
  const values = frame.values(group.streams[0]!);
  assertEquals([...values], [1, 2]);
  frame.load(payload(3, 4));
  assertStrictEquals(frame.values(group.streams[0]!), values);
  assertEquals([...values], [3, 4]);
  assertEquals([...frame.values(group.streams[1]!)], [-1]);
  assertEquals([...frame.values(group.streams[2]!)], [1, 2]);
});

test("64-bit integers are BigInts", () => {
  const group = groupOf("FLOAT", "INT64", "UINT64[2]");
  const frame = new DataFrame(1, group);
  frame.set(group.streams[1]!, [-(2n ** 63n)]);
  frame.set(group.streams[2]!, [2n ** 64n - 1n, 2n ** 53n + 1n]);
  const copy = new DataFrame(1, group);
  copy.load(frame.frame.slice(8));
  assertEquals([...copy.values(group.streams[1]!)], [-(2n ** 63n)]);
  assertEquals([...copy.values(group.streams[2]!)], [2n ** 64n - 1n, 2n ** 53n + 1n]);
});

test("copyInto() puts all values one after the other, of any types, at any index", () => {
  const group = groupOf("FLOAT[2]", "DOUBLE", "INT64", "UINT32");
  const frame = new DataFrame(1, group);
  frame.set(group.streams[0]!, [1.5, 2.5]);
  frame.set(group.streams[1]!, [0.1]);
  frame.set(group.streams[2]!, [-7n]);
  frame.set(group.streams[3]!, [2 ** 32 - 1]);
  const target = new Float32Array(7);
  assertEquals(frame.copyInto(target, 1), 5);
  assertEquals([...target], [0, 1.5, 2.5, Math.fround(0.1), -7, 2 ** 32, 0]);
  for (const [size, offset] of [[4, 0], [6, 2], [9, -1], [9, NaN]] as const) {
    assertThrows(() => frame.copyInto(new Float32Array(size), offset), RangeError);
  }
});

test("copyInto() of floats keeps every bit", () => {
  const group = groupOf("FLOAT[3]", "FLOAT");
  const frame = new DataFrame(1, group);
  const values = floats(NaN, -0, 1e-45, Infinity);
  frame.load(dataPayload(1, 0, 0, values));
  const target = new Float32Array(4);
  frame.copyInto(target);
  assertEquals(toHex(new Uint8Array(target.buffer)), toHex(values));
});

test("a clone is not overwritten by the next frame", () => {
  const group = groupOf("FLOAT", "DOUBLE");
  const frame = new DataFrame(9, group);
  Object.assign(frame, { sequence: 3, time: 4, receivedAt: 5, deviceTime: 6n });
  frame.set(group.streams[1]!, [0.1]);
  const clone = frame.clone();
  frame.set(group.streams[1]!, [0.2]);
  frame.deviceTime = 0n;
  const { deviceId, sequence, time, receivedAt, deviceTime } = clone;
  assertEquals([deviceId, sequence, time, receivedAt, deviceTime], [9, 3, 4, 5, 6n]);
  assertEquals([...clone.values(group.streams[1]!)], [0.1]);
});

test("a stream of another group is refused: it may be somewhere else in the frame", () => {
  const frame = new DataFrame(1, groupOf("FLOAT"));
  const other = groupOf("FLOAT").streams[0]!;
  assertThrows(() => frame.values(other), TypeError, "take it from 'sample.group.streams'");
  assertThrows(() => frame.set(other, [1]), TypeError);
});

test("set() wants as many values as the stream has", () => {
  const group = groupOf("FLOAT[3]");
  const frame = new DataFrame(1, group);
  for (const values of [[], [1, 2], [1, 2, 3, 4]]) {
    assertThrows(() => frame.set(group.streams[0]!, values), RangeError, "3 values");
  }
});

test("reading a frame again and again creates no array", () => {
  const group = groupOf("FLOAT[7]", "DOUBLE", "INT64", "FLOAT");
  const frame = new DataFrame(1, group);
  const first = group.streams.map((stream) => frame.values(stream));
  for (let i = 0; i < 10; i++) {
    frame.load(frame.frame.slice(8));
    for (const [at, stream] of group.streams.entries()) assert(frame.values(stream) === first[at]);
  }
});

test("floats are all values of a group in one view, where all are FLOAT", () => {
  const frame = new DataFrame(1, groupOf("FLOAT[2]", "FLOAT"));
  frame.load(dataPayload(1, 0, 5, floats(1, 2, 3)));
  const view = frame.floats;
  assertEquals([...view!], [1, 2, 3]);
  frame.load(dataPayload(1, 0, 6, floats(4, 5, 6)));
  assertStrictEquals(frame.floats, view);
  assertEquals([...view!], [4, 5, 6]);
  assertEquals(new DataFrame(1, groupOf("FLOAT", "INT32")).floats, undefined);
});
