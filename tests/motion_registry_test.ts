import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import process from "node:process";
import { LimitError, ProtocolError, type RcspError } from "../src/errors.ts";
import { SampleCursor } from "../src/motion/cursor.ts";
import { MotionDecoder } from "../src/motion/decoder.ts";
import { encodeDefinition } from "../src/motion/frame.ts";
import { MotionRegistry, type MotionRegistryOptions } from "../src/motion/registry.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import { utf8 } from "./support/frames.ts";
import { dataPayload, definitionOf, floats, uint32 } from "./support/motion.ts";
import { test } from "./support/test.ts";

const EPOCH = 1_700_000_000_000;

/** A registry with a clock of its own and a list of what it reported. */
function setUp(limits: MotionRegistryOptions["limits"] = {}) {
  const calls: string[] = [];
  const errors: RcspError[] = [];
  const clock = { now: EPOCH };
  const registry = new MotionRegistry({
    now: () => clock.now,
    limits,
    onDefinition: ({ id }) => calls.push(`defined ${id}`),
    onSample: (sample, { id }) => calls.push(`sample ${id}/${sample.group.id}#${sample.sequence}`),
    onDisconnect: ({ id }) => calls.push(`gone ${id}`),
    onStale: ({ id }) => calls.push(`stale ${id}`),
    onError: (error, device) => {
      calls.push(`error ${device?.id}`);
      errors.push(error);
    },
  });
  const define = (definition: object): void =>
    registry.receive(1, utf8(JSON.stringify(definition)));
  const data = (device: number, time: number | bigint, ...values: number[]): void =>
    registry.receive(2, dataPayload(device, 0, time, floats(...values)));
  return { calls, errors, clock, registry, define, data };
}

test("a device is defined, sends data and goes", () => {
  const { registry, calls, define, data } = setUp();
  define(definitionOf(7, "FLOAT[2]"));
  data(7, 1000, 1, 2);
  const device = registry.device(7)!;
  assertEquals(registry.devices().map(({ id }) => id), [7]);
  const sample = device.sample("test")!;
  assertStrictEquals(device.sample(0), sample);
  assertEquals([...sample.values(sample.group.streams[0]!)], [1, 2]);
  assertEquals([device.sample("other"), device.sample(1), device.error], [
    undefined,
    undefined,
    undefined,
  ]);
  registry.receive(3, uint32(7));
  registry.receive(3, uint32(7));
  assertEquals(registry.devices(), []);
  assertEquals(calls, ["defined 7", "sample 7/0#1", "gone 7"]);
  assertEquals(registry.stats().disconnects, 2);
});

test("ten devices are reported apart, also after one of the first has gone", () => {
  const { registry, define, data } = setUp();
  for (let id = 10; id < 20; id++) define(definitionOf(id, "FLOAT"));
  registry.receive(3, uint32(11));
  for (let id = 10; id < 20; id++) data(id, 1000, id);
  assertEquals(
    registry.devices().map((device) => [device.id, device.sample(0)?.floats?.[0]]),
    [10, 12, 13, 14, 15, 16, 17, 18, 19].map((id) => [id, id]),
  );
  assertEquals(registry.stats().undefinedData, 1);
});

test("a new definition replaces the old one, its samples and its layout", () => {
  const { registry, calls, define, data } = setUp();
  define(definitionOf(7, "FLOAT[2]"));
  data(7, 1000, 1, 2);
  const device = registry.device(7);
  define(definitionOf(7, "FLOAT[3]"));
  assertStrictEquals(registry.device(7), device);
  assertEquals(device?.sample("test"), undefined);
  data(7, 10, 1, 2, 3);
  assertEquals(device?.sample("test")?.group.length, 3);
  assertEquals(calls, ["defined 7", "sample 7/0#1", "defined 7", "sample 7/0#1"]);
});

test("data without a definition is dropped and counted: unknown device, unknown group, after the end", () => {
  const { registry, calls, define, data } = setUp();
  data(7, 1000, 1);
  define(definitionOf(7, "FLOAT"));
  registry.receive(2, dataPayload(7, 1, 0, floats(1)));
  registry.receive(2, dataPayload(7, 2 ** 32 - 1, 0, floats(1)));
  registry.receive(3, uint32(7));
  data(7, 1000, 1);
  assertEquals(registry.stats().undefinedData, 4);
  assertEquals(calls, ["defined 7", "gone 7"]);
});

test("data of a wrong size is dropped and counted, and an error of its device until it is defined anew", () => {
  const { registry, calls, errors, define, data } = setUp();
  define(definitionOf(7, "FLOAT[2]"));
  define(definitionOf(8, "FLOAT"));
  for (const size of [0, 1, 15]) {
    registry.receive(2, dataPayload(7, 0, 0, new Uint8Array(0)).subarray(0, size));
  }
  for (const size of [0, 1, 7, 9, 1000]) {
    registry.receive(2, dataPayload(7, 0, 0, new Uint8Array(size)));
  }
  for (const size of [0, 3, 5]) registry.receive(3, new Uint8Array(size));
  assertEquals(registry.stats().wrongSize, 11);
  assertEquals(calls, ["defined 7", "defined 8", "error 7"]);
  assertInstanceOf(errors[0], ProtocolError);
  assertEquals([errors[0].expected, errors[0].received], ["24 bytes for group 0", "16"]);
  assertStrictEquals(registry.device(7)?.error, errors[0]);
  data(7, 1000, 1, 2);
  data(8, 1000, 1);
  assertEquals(calls.slice(3), ["sample 7/0#1", "sample 8/0#1"]);
  define(definitionOf(7, "FLOAT[2]"));
  assertEquals(registry.device(7)?.error, undefined);
});

test("a bad definition is an error of its device only, and a good one clears it", () => {
  const { registry, calls, define, data } = setUp();
  define(definitionOf(7, "FLOAT"));
  define(definitionOf(8, "FLOAT"));
  define(definitionOf(7, "BYTE[3]"));
  assertInstanceOf(registry.device(7)?.error, ProtocolError);
  assertEquals(registry.device(7)?.definition, undefined);
  data(7, 1000, 1);
  data(8, 1000, 1);
  define(definitionOf(7, "FLOAT"));
  data(7, 1000, 1);
  assertEquals(registry.device(7)?.error, undefined);
  assertEquals(calls, [
    "defined 7",
    "defined 8",
    "error 7",
    "sample 8/0#1",
    "defined 7",
    "sample 7/0#1",
  ]);
  assertEquals(registry.stats(), {
    definitions: 4,
    badDefinitions: 1,
    disconnects: 0,
    samples: 2,
    undefinedData: 1,
    wrongSize: 0,
    backwards: 0,
  });
});

test("a definition that is not JSON, too long or too deep is an error without a device", () => {
  const { registry, calls, errors, define } = setUp({ maxDefinition: 1000 });
  define(definitionOf(7, "FLOAT"));
  registry.receive(1, utf8("{"));
  registry.receive(1, Uint8Array.of(0x22, 0xff, 0x22));
  registry.receive(1, utf8(`{"a":"${"x".repeat(1000)}"}`));
  registry.receive(1, utf8(`${"[".repeat(400)}${"]".repeat(400)}`));
  registry.receive(1, new Uint8Array(0));
  assertEquals(calls.slice(1), Array(5).fill("error undefined"));
  assertEquals(
    errors.map((error) => error instanceof LimitError ? error.limit : error.code),
    ["bad-json", "bad-utf8", "maxDefinition", "maxDepth", "bad-json"],
  );
  assertEquals(registry.devices().map(({ error }) => error), [undefined]);
});

test("the time of the chunk can be given, so that the clock is read once for all of its frames", () => {
  const { registry, define } = setUp();
  define(definitionOf(7, "FLOAT"));
  registry.receive(2, dataPayload(7, 0, 1000, floats(1)), EPOCH + 77);
  const { receivedAt, time } = registry.device(7)!.sample("test")!;
  assertEquals([receivedAt, time, registry.device(7)?.lastSeen], [
    EPOCH + 77,
    EPOCH + 77,
    EPOCH + 77,
  ]);
});

test("a hundred thousand devices are cut at 'maxDevices', which is reported once until one leaves", () => {
  const { registry, calls, errors, define } = setUp();
  for (let id = 0; id < 100_000; id++) define(definitionOf(id, "FLOAT"));
  assertEquals(registry.devices().length, 64);
  assertEquals(calls.filter((each) => !each.startsWith("defined")), ["error undefined"]);
  assertInstanceOf(errors[0], LimitError);
  assertEquals([errors[0].limit, errors[0].max], ["maxDevices", 64]);
  assertEquals(registry.stats().badDefinitions, 100_000 - 64);
  registry.receive(3, uint32(0));
  define(definitionOf(100_000, "FLOAT"));
  define(definitionOf(100_001, "FLOAT"));
  assertEquals(calls.slice(-3), ["gone 0", "defined 100000", "error undefined"]);
});

test("devices that cannot be read count as devices", () => {
  const { registry, define } = setUp({ maxDevices: 3 });
  for (let id = 0; id < 10; id++) define(definitionOf(id, "BYTE"));
  assertEquals(registry.devices().length, 3);
});

test("names that JavaScript knows are names", () => {
  const { registry, data } = setUp();
  registry.receive(
    1,
    utf8(
      '{"__proto__":{"polluted":1},"device_id":7,"device_type":"constructor","groups":' +
        '[{"name":"__proto__","streams":[{"data_type":"FLOAT","target_frame":"__proto__"}]}]}',
    ),
  );
  data(7, 1000, 5);
  assertEquals(registry.device(7)?.sample("__proto__")?.sequence, 1);
  assertEquals(registry.device(7)?.sample("constructor"), undefined);
  assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
});

test("without an epoch, the frame that was delayed least sets the time on our clock", () => {
  const { registry, clock, define, data } = setUp();
  define({ ...definitionOf(7, "FLOAT"), timestamp_epoch: "device_boot" });
  const times: number[] = [];
  // Sent every 12 ms, received with delays of 8, 3, 30 and 5 ms.
  for (const [i, delay] of [8, 3, 30, 5].entries()) {
    clock.now = EPOCH + i * 12 + delay;
    data(7, 5_000_000 + i * 12_000, 0);
    times.push(registry.device(7)!.sample("test")!.time - EPOCH);
  }
  assertEquals(times, [8, 15, 27, 39]);
  assertEquals(registry.device(7)?.sample("test")?.receivedAt, EPOCH + 41);
});

test("the time on our clock does not advance where a better offset would turn it back", () => {
  const { registry, clock, define, data } = setUp();
  define(definitionOf(7, "FLOAT"));
  const times: number[] = [];
  for (const [stamp, delay] of [[0, 100], [12, 20], [24, 20], [120, 20]] as const) {
    clock.now = EPOCH + stamp + delay;
    data(7, stamp * 1000, 0);
    times.push(registry.device(7)!.sample("test")!.time - EPOCH);
  }
  assertEquals(times, [100, 100, 100, 140]);
  assertEquals(registry.stats().backwards, 0);
});

test("stamps since 1970 are used as they are", () => {
  const { registry, define, data } = setUp();
  define({ ...definitionOf(7, "FLOAT"), timestamp_epoch: "unix_epoch" });
  data(7, 1_600_000_000_123_456n, 0);
  const sample = registry.device(7)!.sample("test")!;
  assertEquals([sample.time, sample.deviceTime], [1_600_000_000_123.456, 1_600_000_000_123_456n]);
});

test("stamps that go backwards are dropped and counted; equal ones are not", () => {
  const { registry, calls, define, data } = setUp();
  define(definitionOf(7, "FLOAT"));
  for (const stamp of [5000, 5000, 4999, 0, 6000]) data(7, stamp, stamp);
  assertEquals(calls.slice(1), ["sample 7/0#1", "sample 7/0#2", "sample 7/0#3"]);
  assertEquals(registry.stats().backwards, 2);
  assertEquals(registry.device(7)?.pace("test")?.backwards, 2);
  assertEquals(registry.device(7)?.sample("test")?.deviceTime, 6000n);
});

test("a device that starts its clock again is not locked out, nor one whose stamp was far ahead", () => {
  for (const first of [90_000_000n, 2n ** 64n - 1n]) {
    const { registry, clock, define, data } = setUp();
    define(definitionOf(7, "FLOAT"));
    data(7, first, 0);
    for (let i = 1; i <= 60; i++) {
      clock.now = EPOCH + i * 12;
      data(7, i * 12_000, 0);
    }
    const sample = registry.device(7)!.sample("test")!;
    assertEquals([sample.deviceTime, sample.time], [720_000n, EPOCH + 720]);
    assertEquals(registry.stats().backwards, 41);
  }
});

test("groups of one device have stamps of their own", () => {
  const { registry, define, data } = setUp();
  const streams = [{ data_type: "FLOAT" }];
  define({ device_id: 7, groups: [{ name: "a", streams }, { name: "b", streams }] });
  data(7, 5000, 1);
  registry.receive(2, dataPayload(7, 1, 4000, floats(2)));
  assertEquals(registry.device(7)?.sample("b")?.sequence, 1);
});

test("a device is stale after 500 ms without data: reported once, until it sends again", () => {
  const { registry, calls, clock, define, data } = setUp();
  assertEquals(registry.checkStale(), Infinity);
  define(definitionOf(7, "FLOAT"));
  clock.now += 400;
  assertEquals(registry.checkStale(), 100);
  data(7, 1000, 1);
  clock.now += 499;
  assertEquals([registry.checkStale(), registry.device(7)?.stale], [1, false]);
  clock.now += 1;
  assertEquals([registry.checkStale(), registry.device(7)?.stale], [Infinity, true]);
  clock.now += 1000;
  assertEquals(registry.checkStale(), Infinity);
  data(7, 2000, 1);
  assertEquals(registry.device(7)?.stale, false);
  clock.now += 500;
  registry.checkStale();
  assertEquals(calls.filter((each) => each === "stale 7").length, 2);
});

test("a device is also stale if it never sends, and frames that are dropped do not count", () => {
  const { registry, calls, clock, define, data } = setUp({ staleAfter: 50 });
  define(definitionOf(7, "FLOAT"));
  define(definitionOf(8, "BYTE"));
  clock.now += 50;
  data(7, 0, 1, 2, 3);
  registry.checkStale();
  assertEquals(calls.filter((each) => each.startsWith("stale")), ["stale 7"]);
});

test("clear() forgets all devices, as after the end of a connection", () => {
  const { registry, calls, define, data } = setUp();
  define(definitionOf(7, "FLOAT"));
  define(definitionOf(8, "FLOAT"));
  registry.clear();
  data(7, 0, 1);
  assertEquals(calls, ["defined 7", "defined 8", "gone 7", "gone 8"]);
  assertEquals([registry.devices(), registry.stats().undefinedData], [[], 1]);
});

test("a cursor takes the newest sample and counts those that it missed", () => {
  const { registry, define, data } = setUp();
  const early = new SampleCursor(registry, 7, "test");
  assertEquals(early.take(), undefined);
  define(definitionOf(7, "FLOAT"));
  for (let i = 1; i <= 3; i++) data(7, i, i);
  const late = new SampleCursor(registry, 7, "test");
  assertEquals([early.take()?.sequence, early.skipped], [3, 2]);
  assertEquals([late.take()?.sequence, late.skipped], [3, 0]);
  assertEquals([early.take(), late.take()], [undefined, undefined]);
  for (let i = 4; i <= 5; i++) data(7, i, i);
  assertEquals([early.take()?.sequence, early.skipped], [5, 3]);
  define(definitionOf(7, "FLOAT"));
  assertEquals(early.take(), undefined);
  data(7, 1, 1);
  assertEquals([early.take()?.sequence, early.skipped], [1, 3]);
  registry.receive(3, uint32(7));
  assertEquals(early.take(), undefined);
});

test("the pace of a group: interval, jitter and gaps", () => {
  const { registry, clock, define, data } = setUp();
  define(definitionOf(7, "FLOAT"));
  for (let i = 0; i < 500; i++) {
    if (i % 100 === 50) continue;
    clock.now = EPOCH + i * 12 + (i % 2) * 4;
    data(7, i * 12_000, 0);
  }
  const pace = registry.device(7)!.pace("test")!;
  assertEquals([pace.frames, pace.gaps], [495, 5]);
  assert(Math.abs(pace.interval - 12) < 0.1, `${pace.interval}`);
  assert(Math.abs(pace.jitter - 4) < 0.5, `${pace.jitter}`);
  for (let i = 0; i < 500; i++) data(7, 6_000_000 + i * 36_000, 0);
  assert(Math.abs(pace.interval - 36) < 0.1, "a new rate is the interval in the end");
});

test("an error of a listener reaches the caller, and the registry stays usable", () => {
  let isBad = true;
  const registry = new MotionRegistry({
    onSample: () => {
      if (isBad) throw new Error("mine");
    },
  });
  registry.receive(1, utf8(JSON.stringify(definitionOf(7, "FLOAT"))));
  let thrown: unknown;
  try {
    registry.receive(2, dataPayload(7, 0, 1, floats(1)));
  } catch (error) {
    thrown = error;
  }
  assertEquals((thrown as Error).message, "mine");
  isBad = false;
  registry.receive(2, dataPayload(7, 0, 2, floats(1)));
  assertEquals(registry.stats().samples, 2);
});

test("an hour of two hands leaves nothing behind", () => {
  let now = EPOCH;
  let taken = 0;
  const registry = new MotionRegistry({ now: () => now, onSample: () => taken++ });
  const decoder = new MotionDecoder();
  const hands = (["left", "right"] as const).map((side, i) =>
    new SimulatedHand({ side, deviceId: i + 1 })
  );
  for (const { definition } of hands) decoder.push(encodeDefinition(definition), registry.receive);
  // The same second of motion again and again, with times that go on.
  const second = Array.from(
    { length: 83 },
    (_, i) => hands.flatMap((hand) => hand.framesAt(i * 12).map((frame) => frame.slice())),
  );
  const run = (from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      now = EPOCH + i * 12;
      for (const frame of second[i % 83]!) {
        new DataView(frame.buffer).setBigUint64(16, BigInt(i * 12_000), true);
        decoder.push(frame, registry.receive);
      }
    }
  };
  run(0, 10_000);
  const before = process.memoryUsage().heapUsed;
  run(10_000, 300_000);
  assertEquals([taken, registry.stats().samples], [1_200_000, 1_200_000]);
  assert(process.memoryUsage().heapUsed - before < 32 * 1024 * 1024);
  assertEquals(registry.devices().map(({ error, hand }) => [error, hand?.joints.length]), [
    [undefined, 26],
    [undefined, 26],
  ]);
});
