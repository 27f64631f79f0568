/** `rcsp record FILE.mcap`, in process and as a program. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { main } from "../cli/main.ts";
import { connect } from "../mod.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import {
  byTopic,
  fileBytes,
  json,
  readIndexed,
  ServedHands,
  untilRecorded,
} from "./support/mcap.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

test("record writes RCSP and both motion streams into one file", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const [hands, raw] = [new ServedHands(), new ServedHands()];
  await hands.serve(listen);
  await raw.serve(listen, 12276);
  const io = testIo({ connector, listen, files: { "c.json": '{"open":[0,0,0,0,0]}' } });
  const flags = ["--motion", "--raw", "--calibration", "c.json"];
  const ending = main(["record", "out.mcap", ...flags], io);
  await io.until(({ err }) => err.includes("Recording: Ctrl-C ends"));
  await until(() => hands.server.clients === 1 && raw.server.clients === 1);
  for (let time = 0; time < 600; time += 12) {
    hands.send(time);
    await new Promise((resolve) => setTimeout(resolve));
  }
  raw.send(0);
  simulator.press(1, "LongPress");
  await untilRecorded(io, "out.mcap", { "/rgmp/2/joints_openxr": 50, "/rcsp/press": 1 });
  await untilRecorded(io, "out.mcap", { "/rgmp/raw/2/joints_openxr": 1 });
  io.interrupt();
  assertEquals(await ending, 0, io.err);
  const contents = await readIndexed(fileBytes(io, "out.mcap"));
  const topics = byTopic(contents.messages);
  for (const id of [1, 2]) {
    for (const group of ["joints_local", "joints_openxr"]) {
      assertEquals(topics.get(`/rgmp/${id}/${group}`)?.length, 50, io.err);
      assertEquals(topics.get(`/rgmp/raw/${id}/${group}`)?.length, 1);
    }
    assertEquals(topics.get(`/rgmp/${id}/definition`)?.map(json), [
      hands.hands[id - 1]!.definition,
    ]);
  }
  assertEquals(topics.get("/hand/left/joints")!.length, 51);
  assertEquals(topics.get("/rcsp/press")!.map(json), [
    { press: "LongPress", device: 1, name: "Smartglove Left", connection: 1 },
  ]);
  const commands = topics.get("/rcsp/out")!.map((message) => json(message).body.Command);
  assertEquals(commands.slice(0, 2), ["ListDevices", "GetDeviceInfo"]);
  const about = contents.metadata[0]!.metadata;
  assertEquals(["mode", "driver", "hands", "raw", "format"].map((key) => about.get(key)), [
    "client",
    "localhost:45451",
    "localhost:12277",
    "localhost:12276",
    "1",
  ]);
  assertEquals(contents.attachments.map(({ name }) => name), ["calibration.json"]);
  const times = contents.messages.map(({ logTime }) => logTime);
  assert(times.every((time, i) => i === 0 || time >= times[i - 1]!));
  assertStringIncludes(io.err, "208 motion frames, 1 press recorded in 1 file");
  await hands.server.close();
  await raw.server.close();
});

test("record continues without motion, shows it once, and takes it when it comes", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const io = testIo({ connector });
  const ending = main(["record", "out.mcap", "--motion"], io);
  await io.until(({ err }) => err.includes("No motion yet from localhost:12277"));
  const hands = new ServedHands();
  await hands.serve(listen);
  await until(() => hands.server.clients === 1);
  hands.send(0);
  await untilRecorded(io, "out.mcap", { "/rgmp/2/joints_openxr": 1 });
  io.interrupt();
  assertEquals(await ending, 0);
  assertEquals(io.err.match(/No motion/g)?.length, 1);
  assertStringIncludes(io.err, "6 motion frames");
  await hands.server.close();
});

test("record --on-press writes numbered takes, shows them by LED, and replaces none", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const io = testIo({ connector, files: { "t-002.mcap": "precious" } });
  const ending = main(["record", "t.mcap", "--on-press", "--led", "--device", "1"], io);
  await io.until(({ err }) => err.includes("Press a button to start a take"));
  simulator.press(1, "SinglePress");
  await io.until(({ err }) => err.includes("Recording to t-001.mcap"));
  simulator.press(1, "SinglePress");
  await io.until(({ err }) => err.includes("The take has ended"));
  simulator.press(1, "LongPress");
  await io.until(({ err }) => err.includes("Recording to t-003.mcap"));
  io.interrupt();
  assertEquals(await ending, 0, io.err);
  assertEquals(io.files.get("t-002.mcap"), "precious");
  const takes = await Promise.all(
    ["t-001.mcap", "t-003.mcap"].map(async (name) =>
      byTopic((await readIndexed(fileBytes(io, name))).messages)
    ),
  );
  assertEquals(
    takes.map((take) => take.get("/rcsp/press")!.map((message) => json(message).press)),
    [["SinglePress", "SinglePress"], ["LongPress"]],
  );
  const leds = takes.flatMap((take) => take.get("/rcsp/out")!.map(json))
    .filter(({ body }) => body.Command === "SetColorLed").map(({ body }) => body.Arguments.Red);
  assert(leds.includes(255) && leds.includes(0), `${leds}`);
  assertStringIncludes(io.err, "3 presses recorded in 2 files");

  const network = memoryNetwork();
  const files = { "t.mcap": fileBytes(io, "t-003.mcap") };
  const replay = testIo({ listen: network.listen, files });
  const replaying = main(["replay", "t.mcap"], replay);
  await replay.until(({ err }) => err.includes("Ctrl-C ends"));
  const listed = await rcsp(["list"], { connector: network.connector });
  assertEquals([listed.code, listed.out], [0, (await rcsp(["list"], { connector })).out]);
  replay.interrupt();
  assertEquals(await replaying, 0);
});

test("record --on-press=DEVICE takes the presses of that device only, also of a proxy", async () => {
  for (const more of [[], ["--listen", "45452"]]) {
    const { connector, listen } = memoryNetwork();
    await using simulator = new Simulator();
    await simulator.serve(listen, { port: 45451 });
    const io = testIo({ connector, listen });
    const ending = main(["record", "t.mcap", "--on-press=2", ...more], io);
    await io.until(({ err }) => err.includes(more.length > 0 ? "Ctrl-C ends" : "Press a button"));
    const address = { host: "localhost", port: 45452 };
    const app = more.length > 0 ? await connect({ connector, ...address }) : undefined;
    await Promise.all([1, 2].map((id) => app?.buttonPresses(id).ready));
    for (const id of [1, 1, 2, 1, 2]) simulator.press(id, "SinglePress");
    await io.until(({ err }) => err.includes("The take has ended"));
    io.interrupt();
    await app?.close();
    assertEquals(await ending, 0, io.err);
    const { messages } = await readIndexed(fileBytes(io, "t-001.mcap"));
    const presses = byTopic(messages).get("/rcsp/press")!.map((message) => json(message).device);
    assertEquals(presses, [2, 1, 2]);
    assert(!io.files.has("t-002.mcap"));
  }
});

const onPress: [what: string, args: string[], device: number][] = [
  ["connects later", ["--on-press=9", "--led"], 9],
  ["connects later, as any other", ["--on-press"], 9],
  ["is not among those of --device", ["--on-press=2", "--device", "1"], 2],
  ["has a topic that was not asked for", ["DeviceEvents/Battery", "--on-press=1"], 1],
];

for (const [what, args, device] of onPress) {
  test(`record --on-press takes the presses of a device that ${what}`, async () => {
    const { connector, listen } = memoryNetwork();
    const topics = [{ publisher: "DeviceEvents", topic: "Battery" }];
    await using simulator = new Simulator({ topics });
    await simulator.serve(listen, { port: 45451 });
    const io = testIo({ connector });
    const ending = main(["record", "t.mcap", ...args], io);
    await io.until(({ err }) => err.includes("Press a button to start a take"));
    if (device === 9) simulator.addDevice({ DeviceId: 9, Name: "Late" });
    await until(() => simulator.press(device, "SinglePress") > 0);
    await io.until(({ err }) => err.includes("Recording to t-001.mcap"));
    io.interrupt();
    assertEquals(await ending, 0, io.err);
    const { messages } = await readIndexed(fileBytes(io, "t-001.mcap"));
    const [press] = byTopic(messages).get("/rcsp/press")!;
    assertEquals(json(press!).device, device);
  });
}

test("record --on-press goes on when the device is gone, and ends its take when it is back", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const io = testIo({ connector });
  const ending = main(["record", "t.mcap", "--on-press=1", "--led"], io);
  await io.until(({ err }) => err.includes("Press a button to start a take"));
  simulator.press(1, "SinglePress");
  await io.until(({ err }) => err.includes("The take has begun"));
  simulator.removeDevice(1);
  simulator.addDevice({ DeviceId: 1, Name: "Back" });
  await until(() => simulator.press(1, "SinglePress") > 0);
  await io.until(({ err }) => err.includes("The take has ended"));
  io.interrupt();
  assertEquals(await ending, 0, io.err);
});

test("record --on-press whose disk is full in the second take names that file, the first is complete", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const files = testIo();
  const io = testIo({
    connector,
    createFile: async (path, options) => {
      const file = await files.createFile(path, options);
      const full = Object.assign(new Error("ENOSPC"), { errno: -28 });
      return path === "t-002.mcap" ? { ...file, write: () => Promise.reject(full) } : file;
    },
  });
  const ending = main(["record", "t.mcap", "--on-press"], io);
  await io.until(({ err }) => err.includes("Press a button to start a take"));
  for (const sentence of ["The take has begun", "The take has ended"]) {
    simulator.press(1, "SinglePress");
    await io.until(({ err }) => err.includes(sentence));
  }
  simulator.press(1, "SinglePress");
  assertEquals(await ending, 74, io.err);
  assertStringIncludes(io.err, "Cannot write 't-002.mcap': no space left on device");
  const { messages } = await readIndexed(fileBytes(files, "t-001.mcap"));
  assertEquals(byTopic(messages).get("/rcsp/press")!.length, 2);
});

test("record turns the LEDs off at Ctrl-C, whether a take is recorded or not", async () => {
  for (const presses of [0, 1]) {
    await withDriver(async ({ simulator, connector, commands }) => {
      const io = testIo({ connector });
      const ending = main(["record", "t.mcap", "--on-press", "--led"], io);
      await io.until(({ err }) => err.includes("Press a button to start a take"));
      const leds = () => commands.filter(([name]) => name === "SetColorLed");
      const before = leds().length;
      for (let i = 0; i < presses; i++) simulator.press(1, "SinglePress");
      await until(() => leds().length === before * (presses + 1));
      io.interrupt();
      assertEquals(await ending, 0, io.err);
      const last = leds().slice(-before).map(([, { Red, Green, Blue }]) => [Red, Green, Blue]);
      assertEquals(last, Array.from({ length: before }, () => [0, 0, 0]));
      assertEquals(/Device|rcsp:/.test(io.err), false, io.err);
    });
  }
});

test("record as a proxy beside motion writes both", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const hands = new ServedHands();
  await hands.serve(listen);
  const io = testIo({ connector, listen });
  const ending = main(["record", "out.mcap", "--listen", "50000", "--motion"], io);
  await io.until(({ err }) => err.includes("Recording what passes"));
  await until(() => hands.server.clients === 1);
  hands.send(0);
  const variables = { RCSP_PORT: "50000" };
  assertEquals(await main(["list"], testIo({ connector, variables })), 0);
  await untilRecorded(io, "out.mcap", { "/rgmp/2/joints_openxr": 1, "/rcsp/in": 1 });
  io.interrupt();
  assertEquals(await ending, 0, io.err);
  await hands.server.close();
});

test("record writes the definitions again as a motion stream comes back", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const io = testIo({ connector });
  const ending = main(["record", "out.mcap", "--motion"], io);
  for (const count of [1, 2]) {
    const hands = new ServedHands();
    await hands.serve(listen);
    await until(() => hands.server.clients === 1);
    hands.send(0);
    const counts = { "/rgmp/2/definition": count, "/rgmp/2/joints_openxr": count };
    await untilRecorded(io, "out.mcap", counts);
    await hands.server.close();
  }
  io.interrupt();
  assertEquals(await ending, 0, io.err);
});

test("record marks a motion connection that is lost, and info shows it", async () => {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const io = testIo({ connector });
  const ending = main(["record", "out.mcap", "--motion"], io);
  for (const count of [1, 2]) {
    const hands = new ServedHands();
    await hands.serve(listen);
    await until(() => hands.server.clients === 1);
    hands.send(0);
    await untilRecorded(io, "out.mcap", { "/rgmp/2/joints_openxr": count });
    if (count === 2) break;
    await hands.server.close();
    await untilRecorded(io, "out.mcap", { "/motion/hands/lost": 1 });
    await io.until(({ err }) => err.includes("Motion lost: "));
  }
  // It ends while the second connection is there.
  io.interrupt();
  assertEquals(await ending, 0, io.err);
  assertEquals(io.err.includes("No motion yet"), false);
  assertStringIncludes(io.err, "12 motion frames, 1 motion connection lost recorded in 1 file");
  const bytes = fileBytes(io, "out.mcap");
  const { messages } = await readIndexed(bytes);
  const [mark] = byTopic(messages).get("/motion/hands/lost")!;
  const { stream, reason } = json(mark!);
  assertEquals(stream, "hands");
  assertStringIncludes(reason, "localhost:12277");
  const files = { "out.mcap": bytes };
  const shown = await rcsp(["info", "out.mcap"], { files, terminal: true });
  assert(
    /^\d+\.\d{3} s +Motion lost +hands +Connection to localhost:12277/m.test(shown.out),
    shown.out,
  );
  const { losses } = JSON.parse((await rcsp(["info", "out.mcap"], { files })).out);
  assertEquals(losses.map((loss: { stream: string }) => loss.stream), ["hands"]);
});

test("record as a proxy writes MCAP, waits for the driver, and shows frames", async () => {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ connector, listen });
  const ending = main(["record", "out.mcap", "--listen", "50000", "--wait", "--verbose"], io);
  await io.until(({ err }) => err.includes("Recording what passes"));
  const client = main(["list"], testIo({ connector, variables: { RCSP_PORT: "50000" } }));
  await io.until(({ err }) => err.includes("Waiting for the driver; Ctrl-C ends"));
  await using simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  assertEquals(await client, 0);
  io.interrupt();
  assertEquals(await ending, 0);
  assertStringIncludes(io.err, '-> command {"Command":"ListDevices"');
  const topics = byTopic((await readIndexed(fileBytes(io, "out.mcap"))).messages);
  assertEquals(topics.get("/rcsp/out")!.length, topics.get("/rcsp/in")!.length);
});

const clashes: [sentence: string, ...args: string[]][] = [
  ["'--motion' needs a file whose name ends in .mcap", "out", "--motion"],
  ["'--split' needs a file whose name ends in .mcap", "out.ndjson", "--split", "1m"],
  ["'--led' needs '--on-press'", "out.mcap", "--led"],
  ["'--motion-port' needs '--motion'", "out.mcap", "--motion-port", "1"],
  ["Invalid '--max-size' 'much': expected a size, such as 500MB", "o.mcap", "--max-size", "much"],
  ["Cannot read 'none'", "o.mcap", "--calibration", "none"],
];

test("record refuses what does not go together with MCAP", async () => {
  const { connector, listen } = memoryNetwork();
  for (const [sentence, ...args] of clashes) {
    const result = await rcsp(["record", ...args], { connector, listen });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});
