import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../adapters/memory.ts";
import { main } from "../cli/main.ts";
import { connect } from "../mod.ts";
import type { DialectOptions } from "../src/dialect.ts";
import { CommandError } from "../src/errors.ts";
import type { JsonObject } from "../src/message/json.ts";
import { RcspServer } from "../src/server/server.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { assertFails, rcsp, type TestIo, testIo, withDriver } from "./support/cli_io.ts";
import { type Received, startScripted } from "./support/scripted_server.ts";
import { frame } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

/** Learns of the driver behind a connector while its button is pressed; gives what was written. */
async function learn(
  io: TestIo,
  press: () => void,
  args: readonly string[] = [],
): Promise<DialectOptions> {
  const ending = main(["doctor", "--learn", "--write", "d.json", "--for", "20s", ...args], io);
  await Promise.race([io.until(({ err }) => err.includes("Press the button")), ending]);
  const pressing = setInterval(press, 5);
  const code = await ending.finally(() => clearInterval(pressing));
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
    simulator.serve(await listen({ port: 45451 }));
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
  simulator.serve(await listen({ port: 45451 }));
  const client = await connect({ connector, reconnect: false });
  const refused = await client.buttonPresses(1).ready.catch((error) => error);
  assert(refused instanceof CommandError);
  await client.close();
  await simulator.close();
});

test("doctor --learn sends nothing but harmless commands, and takes back what it subscribed", async () => {
  await withDriver(async ({ connector, commands, simulator }) => {
    const io = testIo({ connector });
    await learn(io, () => simulator.press(1, "SinglePress"));
    const names = new Set(commands.map(([name]) => name));
    const harmless = ["ListDevices", "GetDeviceInfo", "RcspNoSuchCommand"];
    assertEquals([...names], [...harmless, "DeviceSubscribe", "DeviceUnsubscribe"]);
    const subscribed = commands.filter(([name, args]) =>
      name === "DeviceSubscribe" && args["Topic"]
    );
    const taken = commands.filter(([name]) => name === "DeviceUnsubscribe");
    assertEquals(taken.map(([, args]) => args), subscribed.map(([, args]) => args));
    assert(commands.every(([, args]) => (args?.["DeviceId"] ?? 1) === 1));
  });
});

/** A driver that accepts any subscription, but sends events only for certain keys. */
function lenient(server: RcspServer, key: string | undefined): () => void {
  server.handle("ListDevices", () => ({ Devices: [{ DeviceId: "g" }] }));
  server.handle("GetDeviceInfo", () => ({}));
  const topic = { publisher: "DeviceEvents", topic: "ButtonPushed", deviceId: "g" };
  const wanting = new Set<unknown>();
  server.handle("DeviceSubscribe", ({ Arguments }, client) => {
    if (key !== undefined && Arguments[key] === undefined) return;
    wanting.add(client);
    // The server's own handling, as if the right keys had come.
    (client as unknown as { subscribe(topic: object): void }).subscribe(topic);
  });
  server.handle("DeviceUnsubscribe", (_command, client) => {
    (client as unknown as { unsubscribe(topic: object): void }).unsubscribe(topic);
  });
  return () => void server.publish({ ...topic, pressType: "SinglePress" });
}

const lenients: [key: string | undefined, learned: JsonObject, finding: string][] = [
  ["EventName", { subscription: { topic: "EventName" } }, "'EventName', not 'Topic'"],
  ["Topic", {}, "'Topic', as assumed"],
  [undefined, {}, "events come whatever the arguments are"],
];

test("doctor --learn is not taken in by a driver that accepts anything", async () => {
  for (const [key, expected, finding] of lenients) {
    const { connector, listen } = memoryNetwork();
    const server = new RcspServer();
    const press = lenient(server, key);
    server.serve(await listen({ port: 45451 }));
    const io = testIo({ connector });
    const learned = await learn(io, press);
    delete (learned as JsonObject)["errorCodes"];
    assertEquals(learned, expected as DialectOptions);
    assertStringIncludes(io.out, "anything is accepted: only an event can tell");
    assertStringIncludes(io.out, finding);
    await server.close();
  }
});

/** A driver of raw answers. */
function scripted(answers: Record<string, (command: Received) => [type: 2 | 3, body: object]>) {
  return startScripted((command) => {
    const own = Object.hasOwn(answers, command.name) ? answers[command.name] : undefined;
    const [type, body] = own?.(command) ??
      [3, { TrackId: command.trackId, Error: { Code: 404, Message: "no" } }];
    return frame(type, body);
  });
}

const listing = { Devices: [{ DeviceId: 1, Weird: null, Deep: { a: [1] } }] };

test("doctor --learn tells of an answer without TrackId, of code and of other fields", async () => {
  const server = await scripted({
    ListDevices: () => [2, { TrackId: 7, Response: listing }],
    GetDeviceInfo: () => [2, { Response: { Volts: 3.7, Name: "\x1b[2J" } }],
    RcspNoSuchCommand: () => [3, { Error: { Code: 17, Message: null, Hint: "x" } }],
    DeviceSubscribe: () => [2, {}],
    DeviceUnsubscribe: () => [3, { Error: null }],
  });
  const io = testIo({ connector: server.connector });
  assertEquals(await main(["doctor", "--learn"], io), 0);
  for (
    const part of [
      "DeviceId number, Weird null, Deep object",
      "Volts number, Name string",
      "'Code' is the number 17, 'Message' is null; besides Hint string",
      "not echoed as it was sent",
      "refused with the keys that DeviceSubscribe accepts",
      "not waited for: --for 15s does",
      // What stands where it is assumed would mislead the client.
      '{"dialect":{"trackId":"(none)"}}',
    ]
  ) assertStringIncludes(io.out, part);
  await server.close();
});

test("doctor --learn tells that no keys were accepted, and takes keys to try", async () => {
  const server = await scripted({
    ListDevices: ({ trackId }) => [2, { TrackId: trackId, Response: listing }],
    DeviceSubscribe: ({ trackId, args }) =>
      args?.["Q"] === "DeviceEvents" && args["Z"] === "ButtonPushed"
        ? [2, { TrackId: trackId }]
        : [3, { TrackId: trackId, Error: { Code: 1, Message: "\x1b[2Jbad arguments" } }],
  });
  const { connector } = server;
  const none = await rcsp(["doctor", "--learn"], { connector });
  assertEquals(none.code, 5);
  assertMatch(none.out, /none of \d+ combinations was accepted: --try adds one of your own/);
  assertStringIncludes(none.out, "\\\\u001b[2Jbad arguments".replace("\\\\", "\\"));
  const tried = await rcsp(["doctor", "--learn", "--try", "Q,Z"], { connector });
  assertEquals(tried.code, 5); // DeviceUnsubscribe is refused, GetDeviceInfo failed
  assertStringIncludes(tried.out, '"dialect":{"subscription":{"publisher":"Q","topic":"Z"}}');
  await server.close();
});

test("doctor --learn tells that no event came, and that no device is there", async () => {
  await withDriver(async ({ connector }) => {
    const { code, out } = await rcsp(["doctor", "--learn", "--for", "20ms"], { connector });
    assertEquals(code, 0);
    assertStringIncludes(out, '"warn","check":"events","finding":"none came"');
  });
  await withDriver(async ({ connector }) => {
    const { code, out } = await rcsp(["doctor", "--learn", "--for", "1h"], { connector });
    assertEquals(code, 0);
    assertStringIncludes(out, "nothing to try them on: no device");
  }, { devices: [] });
});

test("doctor --learn tells of events that it cannot read", async () => {
  const bodies: [body: JsonObject, parts: string[], event: JsonObject | undefined][] = [
    [{ Any: [{ How: "LongPress" }] }, ["it is within an array"], undefined],
    [{ Publisher: "glove-7", DeviceId: "SN5", How: "LongPress" }, [
      "'Publisher' holds something else: the string 'glove-7'",
      "'DeviceId' holds something else: the string 'SN5'",
    ], { publisher: "(none)", deviceId: "(none)", pressType: "How" }],
  ];
  for (const [body, parts, event] of bodies) {
    const server = await startScripted(({ name, trackId, args }, server) => {
      if (name === "DeviceSubscribe" && args?.["Publisher"] !== "DeviceEvents") {
        return frame(3, { TrackId: trackId, Error: {} });
      }
      if (name === "DeviceSubscribe") setTimeout(() => server.send(frame(4, body)), 5);
      const Response = name === "ListDevices" ? listing : {};
      return frame(2, { TrackId: trackId, Response });
    });
    const io = testIo({ connector: server.connector });
    assertEquals(await main(["doctor", "--learn", "--for", "5s"], io), 0, io.out);
    for (const part of parts) assertStringIncludes(io.out, part);
    assertEquals(JSON.parse(io.lines.at(-1)!).dialect.event, event);
    await server.close();
  }
});

test("doctor --learn replaces no file unless told, and begins with the dialect that is given", async () => {
  await withDriver(async ({ connector }) => {
    const files = { "d.json": '{"event":{"topic":"Mine"}}' };
    const kept = await rcsp(["doctor", "--learn", "--write", "d.json"], { connector, files });
    assertEquals(kept.code, 2);
    assertStringIncludes(kept.err, "--force");
    const io = testIo({ connector, files });
    const args = ["doctor", "--learn", "--write", "d.json", "--force", "--dialect", "d.json"];
    assertEquals(await main(args, io), 0);
    assertEquals(JSON.parse(String(io.files.get("d.json"))), { event: { topic: "Mine" } });
  });
});

test("doctor --learn leaves at Ctrl-C while it waits for a press", async () => {
  await withDriver(async ({ connector }) => {
    const io = testIo({ connector });
    const ending = main(["doctor", "--learn", "--for", "1h"], io);
    await io.until(({ err }) => err.includes("Press the button"));
    io.interrupt();
    assertEquals([await ending, io.err.includes("rcsp:")], [130, false]);
  });
});

test("doctor --learn fails where it is no RCSP or nothing is answered", async () => {
  const http = await startScripted(() => new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
  assertEquals((await rcsp(["doctor", "--learn"], { connector: http.connector })).code, 5);
  await http.close();
  const silent = await startScripted(() => undefined);
  const args = ["doctor", "--learn", "--timeout", "20"];
  assertFails({ ...await rcsp(args, { connector: silent.connector }), out: "" }, 4);
  await silent.close();
});

test("doctor --learn --simulate shows how it goes", async () => {
  const { code, out } = await rcsp(["doctor", "--learn", "--simulate"]);
  assertEquals([code, out.trimEnd().split("\n").at(-1)], [0, '{"dialect":{}}']);
  assertStringIncludes(out, '"check":"event: press type"');
});
