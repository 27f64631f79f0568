import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import { main } from "../cli/main.ts";
import type { JsonObject } from "../src/message/json.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { frame, type Received, startScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

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

test("doctor --learn reports an answer without TrackId, of code and of other fields", async () => {
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

test("doctor --learn reports that no keys were accepted, and takes keys to try", async () => {
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
  assertMatch(
    none.out,
    /none of \d+ combinations was accepted: --dialect says which names to try first/,
  );
  assertStringIncludes(none.out, "\\\\u001b[2Jbad arguments".replace("\\\\", "\\"));
  const tried = await rcsp(["doctor", "--learn", "--dialect", "d.json"], {
    connector,
    files: { "d.json": '{"subscription":{"publisher":"Q","topic":"Z"}}' },
  });
  assertEquals(tried.code, 5); // DeviceUnsubscribe is refused, GetDeviceInfo failed
  assertStringIncludes(tried.out, '"dialect":{"subscription":{"publisher":"Q","topic":"Z"}}');
  await server.close();
});

test("doctor --learn reports that no event came, and that no device is there", async () => {
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

test("doctor --learn reports events that it cannot read", async () => {
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
    assertEquals(await main(["doctor", "--learn", "--for", "1m"], io), 0, io.out);
    for (const part of parts) assertStringIncludes(io.out, part);
    assertEquals(JSON.parse(io.lines.at(-1)!).dialect.event, event);
    await server.close();
  }
});

test("doctor --learn continues where the driver ends the connection at what it does not know", async () => {
  const { connector, listen } = memoryNetwork();
  const dialect = { subscription: { publisher: "Source", topic: "EventName" } };
  const simulator = new Simulator({ dialect });
  const { server } = simulator;
  server.handle("RcspNoSuchCommand", (_command, { client }) => client.close());
  server.handle("DeviceSubscribe", ({ Arguments }, { client }) => {
    if (Arguments["Source"] !== "DeviceEvents" || Arguments["EventName"] !== "ButtonPushed") {
      client.close();
    }
  });
  await simulator.serve(listen, { port: 45451 });
  const { code, out } = await rcsp(["doctor", "--learn"], { connector });
  assertEquals(code, 5);
  assertStringIncludes(out, '"fail","check":"errors"');
  assertStringIncludes(out, "The driver ended the connection");
  assertEquals(JSON.parse(out.trimEnd().split("\n").at(-1)!), { dialect });
  await simulator.close();
});

test("doctor --learn keeps what it learned where a subscription is never answered", async () => {
  const server = await startScripted(({ name, trackId }) =>
    name === "DeviceSubscribe"
      ? undefined
      : frame(2, { Mark: trackId, Response: name === "ListDevices" ? listing : {} })
  );
  const args = ["doctor", "--learn", "--timeout", "20"];
  const { code, out } = await rcsp(args, { connector: server.connector });
  assertEquals(code, 5);
  assertStringIncludes(out, "DeviceSubscribe was not answered within 20 ms");
  assertStringIncludes(out, '{"dialect":{"trackId":"Mark"}}');
  await server.close();
});

test("doctor --learn replaces no file without --force, and begins with the dialect that is given", async () => {
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

test("doctor --learn fails where it is not RCSP", async () => {
  const http = await startScripted(() => new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
  assertEquals((await rcsp(["doctor", "--learn"], { connector: http.connector })).code, 5);
  await http.close();
});

test("doctor --learn --simulate shows how it goes", async () => {
  const { code, out } = await rcsp(["doctor", "--learn", "--simulate"]);
  assertEquals([code, out.trimEnd().split("\n").at(-1)], [0, '{"dialect":{}}']);
  assertStringIncludes(out, '"check":"event: press type"');
});
