import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import { main } from "../cli/main.ts";
import { CommandError, connect } from "../mod.ts";
import type { DialectOptions } from "../src/dialect.ts";
import type { JsonObject } from "../src/message/json.ts";
import { RcspServer } from "../src/server/server.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { type TestIo, testIo, withDriver } from "./support/cli_io.ts";
import { test } from "./support/test.ts";
import { repeatUntil } from "./support/wait.ts";

/** Learns of the driver behind a connector while its button is pressed; gives what was written. */
async function learn(
  io: TestIo,
  press: () => void,
  args: readonly string[] = [],
): Promise<DialectOptions> {
  const ending = main(["doctor", "--learn", "--write", "d.json", "--for", "1m", ...args], io);
  await Promise.race([io.until(({ err }) => err.includes("Press the button")), ending]);
  const code = await repeatUntil(ending, press);
  assertEquals(code, 0, io.err + io.out);
  return JSON.parse(String(io.files.get("d.json")));
}

const dialects: [what: string, dialect: DialectOptions][] = [
  ["nothing differs", {}],
  ["the TrackId stands deeper", { trackId: "Meta.Track" }],
  ["the TrackId has another name", { trackId: "Id" }],
  ["keys of subscriptions have names that are guessed", {
    subscription: { publisher: "Source", topic: "EventName" },
  }],
  ["keys of subscriptions have names that only the driver's errors tell", {
    subscription: { publisher: "Wherefrom", topic: "Filter.Whatever" },
  }],
  ["publisher and topic are the other way round", {
    subscription: { publisher: "Topic", topic: "Publisher" },
  }],
  ["the device of a subscription has another key", { subscription: { deviceId: "DeviceHandle" } }],
  ["fields of events stand elsewhere", {
    event: {
      publisher: "Source",
      topic: "Meta.Kind.Name",
      deviceId: "Meta.Device",
      data: "Payload.Button",
      pressType: "Payload.Button.How",
    },
  }],
  ["the press type stands at the top", { event: { pressType: "PressType" } }],
  ["all of it differs", {
    trackId: "Header.Mark",
    subscription: { publisher: "From", topic: "Signal" },
    event: {
      publisher: "Header.From",
      topic: "Header.Signal",
      deviceId: "Header.DeviceId",
      data: "Body",
      pressType: "Body.Way",
    },
  }],
];

for (const [what, dialect] of dialects) {
  test(`doctor --learn writes a dialect that works where ${what}`, async () => {
    const { connector, listen } = memoryNetwork();
    const simulator = new Simulator({ dialect });
    await simulator.serve(listen, { port: 45451 });
    const io = testIo({ connector });
    const learned = await learn(io, () => simulator.press(1, "LongPress"));
    assertEquals(learned, dialect);

    // With it, and with nothing else, the client is at home there.
    const client = await connect({ connector, dialect: learned, reconnect: false });
    assertEquals((await client.listDevices()).length, 4);
    const [one, other] = [client.buttonPresses(1), client.buttonPresses(2)];
    await Promise.all([one.ready, other.ready]);
    simulator.press(2, "DoublePress");
    simulator.press(1, "SinglePress");
    const [{ value: first }, { value: second }] = await Promise.all([one.next(), other.next()]);
    assertEquals([first?.type, first?.deviceId], ["SinglePress", 1]);
    assertEquals([second?.type, second?.deviceId], ["DoublePress", 2]);
    await client.close();

    const watching = testIo({ connector, files: { "d.json": JSON.stringify(learned) } });
    const watched = main(["watch", "--count", "1", "--dialect", "d.json"], watching);
    await watching.until(({ err }) => err.includes("Ctrl-C ends"));
    simulator.press(1, "LongPress");
    assertEquals(await watched, 0);
    assertStringIncludes(watching.out, '"press":"LongPress"');
    await simulator.close();
  });
}

test("the client alone fails where the dialect differs, so that learning is what helped", async () => {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator({ dialect: { subscription: { publisher: "Wherefrom" } } });
  await simulator.serve(listen, { port: 45451 });
  const client = await connect({ connector, reconnect: false });
  const refused = await client.buttonPresses(1).ready.catch((error) => error);
  assert(refused instanceof CommandError);
  await client.close();
  await simulator.close();
});

test("doctor --learn sends nothing but harmless commands, and unsubscribes", async () => {
  await withDriver(async ({ connector, commands, simulator }) => {
    const io = testIo({ connector });
    await learn(io, () => simulator.press(1, "SinglePress"));
    const names = new Set(commands.map(([name]) => name));
    const harmless = ["ListDevices", "GetDeviceInfo", "RcspNoSuchCommand"];
    assertEquals([...names], [...harmless, "DeviceSubscribe", "DeviceUnsubscribe"]);
    // What the simulator refused needs no taking back.
    const subscribed = commands.filter(([name, args]) =>
      name === "DeviceSubscribe" && args["Topic"] === "ButtonPushed"
    );
    const taken = commands.filter(([name]) => name === "DeviceUnsubscribe");
    assertEquals(taken.map(([, args]) => args), subscribed.map(([, args]) => args));
    assert(commands.every(([, args]) => (args?.["DeviceId"] ?? 1) === 1));
  });
});

/** A driver that accepts any subscription, but sends events only where a key is there. */
function lenient(server: RcspServer, key: string): () => void {
  server.handle("ListDevices", () => ({ Devices: [{ DeviceId: "g" }] }));
  server.handle("GetDeviceInfo", () => ({}));
  const topic = { publisher: "DeviceEvents", topic: "ButtonPushed", deviceId: "g" };
  server.handle("DeviceSubscribe", ({ Arguments }, { client }) => {
    if (Arguments[key] === undefined) return;
    // The server's own handling, as if the right keys had come.
    (client as unknown as { subscribe(topic: object): void }).subscribe(topic);
  });
  server.handle("DeviceUnsubscribe", (_command, { client }) => {
    (client as unknown as { unsubscribe(topic: object): void }).unsubscribe(topic);
  });
  return () => void server.publish({ ...topic, pressType: "SinglePress" });
}

const lenients: [key: string, flags: string[], learned: JsonObject, finding: string][] = [
  ["Topic", [], {}, "'Topic', as assumed"],
  [
    "EventName",
    ["--dialect", "t.json"],
    { subscription: { topic: "EventName" } },
    "'EventName', as assumed",
  ],
];

test("doctor --learn reports that a driver accepts anything, and takes the names of --dialect", async () => {
  for (const [key, flags, expected, finding] of lenients) {
    const { connector, listen } = memoryNetwork();
    const server = new RcspServer();
    const press = lenient(server, key);
    await server.serve(listen, { port: 45451 });
    const files = { "t.json": '{"subscription":{"topic":"EventName"}}' };
    const io = testIo({ connector, files });
    const learned = await learn(io, press, flags);
    delete (learned as JsonObject)["errorCodes"];
    assertEquals(learned, expected as DialectOptions);
    assertStringIncludes(io.out, "anything is accepted: --dialect says other names");
    assertStringIncludes(io.out, finding);
    await server.close();
  }
});
