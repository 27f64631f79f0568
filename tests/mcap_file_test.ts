/** The MCAP writer, read back by `@mcap/core`. */

import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { PayloadType } from "../src/wire/header.ts";
import type { FileOutput } from "../cli/process/io.ts";
import { McapFile } from "../cli/recording/mcap_file.ts";
import { McapRecorder } from "../cli/recording/mcap_recorder.ts";
import { MotionTrack } from "../cli/recording/motion_track.ts";
import { encodeDefinition, MotionPrefix } from "../src/motion/frame.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import { Prologue } from "../cli/recording/prologue.ts";
import { settledHeap } from "../dev/fuzz/memory.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { concat } from "@std/bytes";
import { byTopic, json, readIndexed, readStreamed } from "./support/mcap.ts";
import { test } from "./support/test.ts";
import { turn } from "./support/wait.ts";

const CHANNEL = { topic: "/a", messageEncoding: "json" };
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

class MemoryFile implements FileOutput {
  readonly parts: Uint8Array[] = [];
  isClosed = false;
  /** Writes wait for it. */
  gate: Promise<void> = Promise.resolve();

  async write(data: string | Uint8Array): Promise<void> {
    await this.gate;
    this.parts.push(data as Uint8Array);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }

  get bytes(): Uint8Array {
    return concat(this.parts);
  }
}

function newFile(clock: FakeClock, calibration?: Uint8Array): { out: MemoryFile; file: McapFile } {
  const out = new MemoryFile();
  const file = new McapFile({ name: "x.mcap", file: out }, {
    clock,
    metadata: { a: "b" },
    calibration,
    now: 7n,
  });
  return { out, file };
}

test("a file has its messages in order, with both times, metadata and the attachment", async () => {
  const { out, file } = newFile(new FakeClock(), utf8('{"c":1}'));
  const schema = { name: "S", encoding: "jsonschema", data: utf8("{}") };
  file.add({ ...CHANNEL, schema }, { log: 5n, publish: 3n }, utf8("1"));
  file.add({ topic: "/b", messageEncoding: "rgmp2", metadata: new Map([["stream", "raw"]]) }, {
    log: 6n,
    publish: 6n,
  }, utf8("2"));
  file.add({ ...CHANNEL, schema }, { log: 9n, publish: 8n }, utf8("3"));
  await file.close();
  assert(out.isClosed);
  const { messages, schemas, metadata, attachments } = await readIndexed(out.bytes);
  assertEquals(
    messages.map(({ topic, logTime, publishTime, data }) => [
      topic,
      logTime,
      publishTime,
      new TextDecoder().decode(data),
    ]),
    [["/a", 5n, 3n, "1"], ["/b", 6n, 6n, "2"], ["/a", 9n, 8n, "3"]],
  );
  assertEquals(messages[1]!.channel.metadata, new Map([["stream", "raw"]]));
  assertEquals(schemas.map(({ name }) => name), ["S"]);
  assertEquals(metadata.map(({ name, metadata }) => [name, [...metadata]]), [
    ["rcsp", [["a", "b"]]],
  ]);
  assertEquals(attachments.map(({ name, data }) => [name, new TextDecoder().decode(data)]), [
    ["calibration.json", '{"c":1}'],
  ]);
  assertEquals(readStreamed(out.bytes).isComplete, true);
});

test("a chunk is written one second after its first message, or when it is full", async () => {
  const clock = new FakeClock();
  const { out, file } = newFile(clock);
  const times = { log: 1n, publish: 1n };
  const written = async (): Promise<number> => {
    await turn();
    return readStreamed(out.bytes).length;
  };
  file.add(CHANNEL, times, utf8("1"));
  clock.advance(999);
  file.add(CHANNEL, times, utf8("2"));
  assertEquals(await written(), 0);
  clock.advance(1);
  assertEquals(await written(), 2);
  const large = new Uint8Array(300_000);
  for (let i = 0; i < 3; i++) file.add(CHANNEL, times, large);
  assertEquals(await written(), 2);
  file.add(CHANNEL, times, large);
  assertEquals(await written(), 5);
  file.add(CHANNEL, times, new Uint8Array(3_000_000));
  file.add(CHANNEL, times, large);
  assertEquals(await written(), 7);
  await file.close();
  assertEquals((await readIndexed(out.bytes)).messages.length, 8);
  assertEquals(clock.timers, 0);
});

test("a disk that takes nothing holds nothing up: messages are dropped and counted", async () => {
  const { out, file } = newFile(new FakeClock());
  const disk = Promise.withResolvers<void>();
  out.gate = disk.promise;
  const large = new Uint8Array(1024 * 1024);
  for (let i = 0; i < 100; i++) file.add(CHANNEL, { log: 1n, publish: 1n }, large);
  assertLess(file.size, 35 * 1024 * 1024);
  assert(file.dropped > 60, `${file.dropped}`);
  file.add(CHANNEL, { log: 2n, publish: 2n }, utf8("definition"), true);
  disk.resolve();
  await file.close();
  const { messages } = await readIndexed(out.bytes);
  assertEquals(messages.length, 101 - file.dropped);
  assertEquals(new TextDecoder().decode(messages.at(-1)!.data), "definition");
});

test("a full disk is an error at once that reports what is safe", async () => {
  const clock = new FakeClock();
  const { out, file } = newFile(clock);
  file.add(CHANNEL, { log: 1n, publish: 1n }, new Uint8Array(500_000));
  clock.advance(1_000);
  await turn();
  const safe = out.bytes;
  out.write = () => Promise.reject(Object.assign(new Error("ENOSPC"), { errno: -28 }));
  file.add(CHANNEL, { log: 2n, publish: 2n }, new Uint8Array(1));
  clock.advance(1_000);
  await assertRejects(
    () => file.failed,
    Error,
    "Cannot write 'x.mcap': no space left on device. The first 488.5 KiB are safe",
  );
  await assertRejects(() => file.close(), Error, "no space left on device");
  assert(out.isClosed);
  assertEquals(readStreamed(safe).length, 1);
});

test("channels beyond the limit are dropped", async () => {
  const { out, file } = newFile(new FakeClock());
  for (let i = 0; i < 5_000; i++) {
    file.add({ topic: `/${i}`, messageEncoding: "" }, { log: 1n, publish: 1n }, utf8("x"));
  }
  await file.close();
  assertEquals([file.dropped, file.refused], [0, 5_000 - 4096]);
  assertEquals((await readIndexed(out.bytes)).messages.length, 4096);
});

test("a motion track writes frames as on the wire, and a drawn hand at 30 Hz", async () => {
  const { out, file } = newFile(new FakeClock());
  const track = new MotionTrack("hands", (...message) => file.add(...message));
  const hand = new SimulatedHand({ side: "left", deviceId: 3 });
  const definition = encodeDefinition(hand.definition).subarray(8);
  track.receive(MotionPrefix.Definition, definition, 1_000);
  const sent: Uint8Array[] = [];
  for (let time = 0; time < 1_200; time += 12) {
    for (const frame of hand.framesAt(time)) {
      sent.push(frame.slice());
      // 5 ms on the way, but for the first frame, which sets the offset.
      track.receive(MotionPrefix.Data, frame.subarray(8), 2_000 + time + (time === 0 ? 0 : 5));
    }
  }
  track.receive(MotionPrefix.Disconnect, Uint8Array.of(3, 0, 0, 0), 4_000);
  track.receive(MotionPrefix.Disconnect, Uint8Array.of(9, 0, 0, 0), 4_000);
  track.receive(MotionPrefix.Data, Uint8Array.of(1, 2), 4_000);
  await file.close();
  const { messages, schemas } = await readIndexed(out.bytes);
  const topics = byTopic(messages);
  assertEquals(
    Array.from(topics, ([topic, { length }]) => [topic, length]).sort(),
    [
      ["/hand/left/joints", 100],
      ["/hand/left/scene", 36],
      ["/hand/left/tf", 36],
      ["/rgmp/3/definition", 1],
      ["/rgmp/3/disconnect", 1],
      ["/rgmp/3/joints_local", 100],
      ["/rgmp/3/joints_openxr", 100],
      ["/rgmp/other", 2],
    ],
  );
  const of = (topic: string) => topics.get(topic)!;
  assertEquals(of("/rgmp/3/definition")[0]!.data, definition);
  const recorded = of("/rgmp/3/joints_local").flatMap((local, i) => [
    local.data,
    of("/rgmp/3/joints_openxr")[i]!.data,
  ]);
  assertEquals(recorded, sent);
  const { logTime, publishTime, channel } = of("/rgmp/3/joints_openxr")[50]!;
  assertEquals([logTime, publishTime], [2_605_000_000n, 2_600_000_000n]);
  assertEquals(channel.messageEncoding, "rgmp2");
  const joints = json(of("/hand/left/joints")[0]!);
  assertEquals([joints.device, joints.joints.length, joints.joints[0].length], [3, 26, 7]);
  assertEquals(schemas.map(({ name }) => name).sort(), [
    "foxglove.FrameTransforms",
    "foxglove.SceneUpdate",
    "rcsp.HandJoints",
    "rgmp.Definition",
  ]);
});

test("a definition that cannot be read is not replaced by the one before in the next file", async () => {
  const { out, file } = newFile(new FakeClock());
  const track = new MotionTrack("hands", (...message) => file.add(...message));
  for (const deviceId of [3, 4]) {
    const { definition } = new SimulatedHand({ side: "left", deviceId });
    track.receive(MotionPrefix.Definition, encodeDefinition(definition).subarray(8), 1_000);
  }
  const bad = encodeDefinition({ device_id: 3, groups: "none" }).subarray(8);
  track.receive(MotionPrefix.Definition, bad, 1_001);
  track.repeat(2_000);
  await file.close();
  const topics = byTopic((await readIndexed(out.bytes)).messages);
  assertEquals(topics.get("/rgmp/3/definition")!.length, 1);
  assertEquals(topics.get("/rgmp/4/definition")!.length, 2);
});

test("transforms and scene place every joint where the hand has it", async () => {
  const { out, file } = newFile(new FakeClock());
  const track = new MotionTrack("hands", (...message) => file.add(...message));
  const hand = new SimulatedHand({ side: "right", deviceId: 1 });
  track.receive(MotionPrefix.Definition, encodeDefinition(hand.definition).subarray(8), 1_000);
  for (const frame of hand.framesAt(700)) {
    track.receive(MotionPrefix.Data, frame.subarray(8), 2_000);
  }
  await file.close();
  const topics = byTopic((await readIndexed(out.bytes)).messages);
  const { joints } = json(topics.get("/hand/right/joints")![0]!);
  const { transforms } = json(topics.get("/hand/right/tf")![0]!);
  const { entities: [entity] } = json(topics.get("/hand/right/scene")![0]!);
  const wrist = transforms[1];
  assertEquals([wrist.child_frame_id, wrist.parent_frame_id], ["right_wrist", "world"]);
  assertEquals(entity.frame_id, "right_wrist");
  assertEquals([entity.spheres.length, entity.lines[0].points.length], [26, 48]);
  for (const [i, [x, y, z]] of joints.entries()) {
    const { translation: t, parent_frame_id } = transforms[i];
    const place = i === 1 ? t : toWorld(wrist, t);
    assertEquals(parent_frame_id, i === 1 ? "world" : "right_wrist");
    assertLess(Math.hypot(place.x - x, place.y - y, place.z - z), 1e-5);
    const drawn = toWorld(wrist, entity.spheres[i].pose.position);
    assertLess(Math.hypot(drawn.x - x, drawn.y - y, drawn.z - z), 1e-5);
  }
  assertEquals(wrist.timestamp, { sec: 2, nsec: 0 });
});

// deno-lint-ignore no-explicit-any -- looked at key by key
function toWorld({ translation, rotation: q }: any, p: any): { x: number; y: number; z: number } {
  // v + 2 q × (q × v + w v)
  const cross = (a: number[], b: number[]): number[] => [
    a[1]! * b[2]! - a[2]! * b[1]!,
    a[2]! * b[0]! - a[0]! * b[2]!,
    a[0]! * b[1]! - a[1]! * b[0]!,
  ];
  const [u, v] = [[q.x, q.y, q.z], [p.x, p.y, p.z]];
  const inner = cross(u, v).map((value, i) => value + q.w * v[i]!);
  const [x, y, z] = cross(u, inner).map((value, i) => v[i]! + 2 * value);
  return { x: x! + translation.x, y: y! + translation.y, z: z! + translation.z };
}

test("a press starts a take and the next one ends it; each take can be read on its own", async () => {
  const clock = new FakeClock();
  const files: MemoryFile[] = [];
  const takes: boolean[] = [];
  const recorder = new McapRecorder({
    clock,
    started: new Date(0),
    about: { mode: "client" },
    open: () => {
      files.push(new MemoryFile());
      return { name: "x.mcap", file: files.at(-1)! };
    },
    onPress: "",
    split: undefined,
    maxSize: undefined,
    calibration: undefined,
    onTake: (isRecording) => takes.push(isRecording),
  });
  const frame = (direction: "in" | "out", type: PayloadType, body: string): void =>
    recorder.frame(direction, 1, type, utf8(body));
  frame("out", PayloadType.Command, '{"Command":"ListDevices","TrackId":"1"}');
  frame(
    "in",
    PayloadType.ResponseOk,
    '{"TrackId":"1","Response":{"Devices":[{"DeviceId":7,"Name":"Glove"}]}}',
  );
  const hand = new SimulatedHand({ side: "left", deviceId: 3 });
  recorder.motion(
    "hands",
    MotionPrefix.Definition,
    encodeDefinition(hand.definition).subarray(8),
  );
  const event = (type: string): void =>
    frame("in", PayloadType.Event, `{"DeviceId":7,"Data":{"PressType":"${type}"}}`);
  for (const type of ["SinglePress", "LongPress", "DoublePress"]) {
    clock.advance(60_000);
    event(type);
    recorder.motion("hands", MotionPrefix.Data, hand.framesAt(0)[0]!.subarray(8));
  }
  assertStringIncludes(
    await recorder.close(1),
    "3 frames of 1 connection, 2 motion frames, 3 presses",
  );
  assertEquals([files.length, takes], [2, [true, false, true]]);
  const [first, second] = await Promise.all(
    files.map(async ({ bytes }) => byTopic((await readIndexed(bytes)).messages)),
  );
  const starts = await Promise.all(
    files.map(async ({ bytes }) => (await readIndexed(bytes)).metadata[0]!.metadata.get("started")),
  );
  assertEquals(starts, ["1970-01-01T00:01:00.000Z", "1970-01-01T00:03:00.000Z"]);
  assertEquals(first!.get("/rcsp/press")!.map(json), [
    { press: "SinglePress", device: 7, name: "Glove", connection: 1 },
    { press: "LongPress", device: 7, name: "Glove", connection: 1 },
  ]);
  assertEquals(first!.get("/rgmp/3/joints_local")!.length, 1);
  for (const take of [first!, second!]) {
    assertEquals(take.get("/rcsp/out")!.map((message) => json(message).body.Command), [
      "ListDevices",
    ]);
    assertEquals(take.get("/rgmp/3/definition")!.length, 1);
  }
  assertEquals(second!.get("/rcsp/press")!.map((message) => json(message).press), [
    "DoublePress",
  ]);
});

test("a prologue has the newest response to each command, in order, and is bounded", () => {
  const prologue = new Prologue();
  const exchange = (connection: number, command: string, response: string): void => {
    prologue.note(connection, PayloadType.Command, utf8(command), utf8(command));
    prologue.note(connection, PayloadType.ResponseOk, utf8(response), utf8(response));
  };
  const shown = () =>
    prologue.entries().map(({ direction, data }) => [direction, new TextDecoder().decode(data)]);
  exchange(1, '{"Command":"A","TrackId":"1","Arguments":{"x":1,"y":2}}', "first");
  exchange(1, '{"Command":"B","TrackId":"2"}', "second");
  exchange(1, '{"Command":"A","TrackId":"3","Arguments":{"y":2,"x":1}}', "third");
  exchange(1, "not JSON", "fourth");
  prologue.note(1, PayloadType.Event, utf8("{}"), utf8("{}"));
  prologue.note(1, PayloadType.ResponseOk, utf8("{}"), utf8("unasked"));
  prologue.note(1, PayloadType.Command, utf8('{"Command":"C"}'), utf8("not answered"));
  assertEquals(shown(), [
    ["out", '{"Command":"B","TrackId":"2"}'],
    ["in", "second"],
    ["out", '{"Command":"A","TrackId":"3","Arguments":{"y":2,"x":1}}'],
    ["in", "third"],
  ]);
  for (let i = 0; i < 1_000; i++) exchange(2, `{"Command":"${i}"}`, "x".repeat(1_000));
  const size = prologue.entries().reduce((sum, { data }) => sum + data.length, 0);
  assert(size > 250_000 && size <= 256 * 1024, `${size}`);
});

test("a prologue makes room for the connections that are there, and keeps no command of others", async () => {
  const prologue = new Prologue();
  const exchange = (connection: number, response: string): void => {
    const command = utf8('{"Command":"A"}');
    prologue.note(connection, PayloadType.Command, command, command);
    prologue.note(connection, PayloadType.ResponseOk, utf8(response), utf8(response));
  };
  const before = await settledHeap();
  exchange(1, "first");
  for (let i = 2; i < 1_000; i++) {
    exchange(i, `${i}`.repeat(500));
    const command = utf8(`{"Command":"${"x".repeat(50_000)}"}`);
    prologue.note(i, PayloadType.Command, command, command);
    prologue.left(i);
  }
  exchange(1_000, "last");
  const grown = await settledHeap() - before;
  assert(grown < 5_000_000, `${grown}`);
  const responses = prologue.entries().filter(({ direction }) => direction === "in")
    .map(({ data }) => new TextDecoder().decode(data));
  assertEquals([responses[0], responses.at(-1)], ["first", "last"]);
  assert(responses.length > 100);
});

test("a prologue tells the responses to commands that it does not keep from others", () => {
  const prologue = new Prologue();
  const note = (type: PayloadType, text: string): void =>
    prologue.note(1, type, utf8(text), utf8(text));
  for (let i = 0; i < 10; i++) {
    note(PayloadType.Command, `{"Command":"${i}","Arguments":"${"x".repeat(60_000)}"}`);
  }
  note(PayloadType.Command, '{"Command":"A"}');
  for (let i = 0; i < 11; i++) note(PayloadType.ResponseOk, `"${i}"`);
  const shown = prologue.entries().map(({ data }) => new TextDecoder().decode(data));
  assertEquals(shown.filter((_, i) => i % 2 === 1), ['"0"', '"1"', '"2"', '"3"', '"10"']);
});

test("a disk that takes nothing gets no more memory by further files", async () => {
  const clock = new FakeClock();
  const disk = Promise.withResolvers<void>();
  let files = 0;
  const recorder = new McapRecorder({
    clock,
    started: new Date(0),
    about: {},
    open: () => {
      files++;
      const file = new MemoryFile();
      file.gate = disk.promise;
      return { name: "x.mcap", file };
    },
    onPress: undefined,
    split: 1_000,
    maxSize: undefined,
    calibration: undefined,
    onTake: () => {},
  });
  const body = `{"a":"${"x".repeat(5_000_000)}"}`;
  for (let i = 0; i < 30; i++) {
    recorder.frame("in", 1, PayloadType.Event, utf8(body));
    clock.advance(1_000);
  }
  await turn();
  assertLess(files, 12);
  disk.resolve();
  const summary = await recorder.close(1);
  const dropped = Number(/too slow: (\d+) messages dropped/.exec(summary)?.[1]);
  // 32 MiB of 5 MB each wait.
  assert(dropped >= 20 && dropped < 26, summary);
  assertEquals(clock.timers, 0);
});

test("presses begin no more takes than a disk that takes nothing can hold", async () => {
  const clock = new FakeClock();
  const disk = Promise.withResolvers<void>();
  const takes: boolean[] = [];
  let files = 0;
  const recorder = new McapRecorder({
    clock,
    started: new Date(0),
    about: {},
    open: () => {
      files++;
      const file = new MemoryFile();
      file.gate = disk.promise;
      return { name: "x.mcap", file };
    },
    onPress: "",
    split: undefined,
    maxSize: undefined,
    calibration: undefined,
    onTake: (isRecording) => takes.push(isRecording),
  });
  const press = (): void =>
    recorder.frame(
      "in",
      1,
      PayloadType.Event,
      utf8('{"DeviceId":1,"Data":{"PressType":"SinglePress"}}'),
    );
  for (let i = 0; i < 1_000; i++) press();
  assertLess(files, 12);
  assertEquals(takes, Array.from({ length: 2 * files }, (_, i) => i % 2 === 0));
  disk.resolve();
  await turn();
  press();
  assertEquals(takes.at(-1), true);
  await recorder.close(1);
});

test("a press that two clients of a proxy receive starts one take, and does not end it", async () => {
  const clock = new FakeClock();
  const takes: boolean[] = [];
  const recorder = new McapRecorder({
    clock,
    started: new Date(0),
    about: {},
    open: () => ({ name: "x.mcap", file: new MemoryFile() }),
    onPress: "",
    split: undefined,
    maxSize: undefined,
    calibration: undefined,
    onTake: (isRecording) => takes.push(isRecording),
  });
  const press = (connection: number, device: number): void =>
    recorder.frame(
      "in",
      connection,
      PayloadType.Event,
      utf8(`{"DeviceId":${device},"Data":{"PressType":"SinglePress"}}`),
    );
  press(1, 7);
  clock.advance(20);
  press(2, 7);
  press(3, 7);
  assertEquals(takes, [true]);
  clock.advance(100);
  press(2, 8);
  assertEquals(takes, [true, false]);
  clock.advance(100);
  press(2, 8);
  assertEquals(takes, [true, false, true]);
  clock.advance(1_000);
  press(1, 8);
  assertEquals(takes, [true, false, true, false]);
  assertStringIncludes(await recorder.close(3), "recorded in 2 files");
});

test("files are split by time, and all of it is counted against the largest size", async () => {
  const clock = new FakeClock();
  const files: MemoryFile[] = [];
  const recorder = new McapRecorder({
    clock,
    started: new Date(0),
    about: {},
    open: () => {
      files.push(new MemoryFile());
      return { name: "x.mcap", file: files.at(-1)! };
    },
    onPress: undefined,
    split: 60_000,
    maxSize: 1_000_000,
    calibration: undefined,
    onTake: () => {},
  });
  let isFull = false;
  recorder.full.then(() => isFull = true);
  const body = `{"a":"${"x".repeat(100_000)}"}`;
  for (let i = 0; i < 9; i++) {
    recorder.frame("in", 1, PayloadType.Event, utf8(body));
    clock.advance(20_000);
    await turn();
  }
  assertEquals([isFull, files.length], [false, 4]);
  for (let i = 0; i < 2; i++) recorder.frame("in", 1, PayloadType.Event, utf8(body));
  await turn();
  assertEquals(isFull, true);
  await recorder.close(1);
  const counts = await Promise.all(
    files.map(async ({ bytes }) => (await readIndexed(bytes)).messages.length),
  );
  assertEquals(counts, [3, 3, 3, 2]);
  assertEquals(clock.timers, 0);
});
