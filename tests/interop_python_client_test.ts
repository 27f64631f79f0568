import { assert, assertEquals, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { type Simulator, startSimulator, type StartSimulatorOptions } from "../simulator.ts";
import { runPythonClient, runSteps, type Step } from "./support/python.ts";
import { until } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const BUTTON = { Publisher: "DeviceEvents", Topic: "ButtonPushed" };

async function withSimulator(
  options: StartSimulatorOptions,
  use: (simulator: Simulator) => Promise<void>,
): Promise<void> {
  const simulator = await startSimulator({ port: 0, ...options });
  try {
    await use(simulator);
  } finally {
    await simulator.close();
  }
}

test("the Python client lists our devices and shows the first", () =>
  withSimulator({}, async ({ address }) => {
    const { code, stdout, stderr } = await runPythonClient(address);
    assertStrictEquals(stderr, "");
    assertStrictEquals(code, 0);
    for (const part of ["Smartglove Left", "Coil Pro", "GetDeviceInfo", "SerialNumber"]) {
      assertStringIncludes(stdout, part);
    }
  }));

test("the Python client reports that there are no devices", () =>
  withSimulator({ devices: [] }, async ({ address }) => {
    const { code, stdout } = await runPythonClient(address);
    assertStrictEquals(code, 0);
    assertStringIncludes(stdout, "No devices connected");
  }));

const conversation: Step[] = [
  { send: { Command: "ListDevices" } },
  { send: { Command: "ListDevices", Arguments: null } },
  {
    send: {
      Command: "SetColorLed",
      Arguments: { DeviceId: 2, LedId: "RingLed", Red: 9, Green: 8, Blue: 7 },
    },
  },
  { send: { Command: "GetDeviceInfo", Arguments: { DeviceId: 2 } } },
  { send: { Command: "GetDeviceInfo", Arguments: { DeviceId: "zwölf 🧤" } } },
  { send: { Command: "Zwölf 🧤", TrackId: "é" } },
  { send: { Command: "DeviceSubscribe", Arguments: { ...BUTTON, DeviceId: 1 } } },
  { send: { Command: "DeviceUnsubscribe", Arguments: { ...BUTTON, DeviceId: 1 } } },
  { receive: 8 },
];

const manners: [what: string, options: StartSimulatorOptions, first: Step[]][] = [
  ["whole", {}, []],
  ["in pieces of 1 byte", {}, [{ slice: 1 }]],
  ["in pieces of 7 bytes", {}, [{ slice: 7 }]],
  ["with answers in pieces of 1 byte", { faults: { slice: 1 } }, []],
  ["with answers in pieces of 7 bytes", { faults: { slice: 7 } }, [{ slice: 7 }]],
  ["with latency", { latency: [0, 20] }, []],
];

for (const [what, options, first] of manners) {
  test(`the Python client's pipelined commands, ${what}, get responses in order`, () =>
    withSimulator(options, async ({ address }) => {
      const steps: Step[] = [...first, ...conversation, { half_close: true }, { expect_end: true }];
      const results = await runSteps(address, steps);
      assertEquals(results.pop(), { end: true });
      assertEquals(results.map(({ body }) => body?.["TrackId"]), [
        "1",
        "2",
        "3",
        "4",
        "5",
        "é",
        "7",
        "8",
      ]);
      assertEquals(results.map(({ type }) => type), [2, 2, 2, 2, 3, 3, 2, 2]);
      const [listed, , colored, info, unknown] = results.map(({ body }) => body ?? {});
      assertEquals((listed?.["Response"] as { Devices: unknown[] }).Devices.length, 4);
      assertEquals(colored, { TrackId: "3" });
      assertEquals((info?.["Response"] as { Leds: unknown }).Leds, [
        { LedId: "RingLed", Red: 9, Green: 8, Blue: 7 },
      ]);
      assertEquals(unknown?.["Error"], {
        Code: "UnknownDevice",
        Message: `Unknown device "zwölf 🧤"`,
      });
    }));
}

test("the Python client gets only the events that it has subscribed to", () =>
  withSimulator({}, async (simulator) => {
    // The response is delayed, so that the event comes between the command and its response.
    const released = Promise.withResolvers<void>();
    simulator.server.handle("Press", async () => {
      assertStrictEquals(simulator.press(2, "LongPress"), 0);
      assertStrictEquals(simulator.press(1, "DoublePress"), 1);
      await released.promise;
    });
    simulator.server.handle("Release", () => released.resolve());
    const results = await runSteps(simulator.address, [
      { send: { Command: "DeviceSubscribe", Arguments: { ...BUTTON, DeviceId: 1 } } },
      { send: { Command: "Press" } },
      { receive_until_type: 4 },
      { send: { Command: "Release" } },
      { receive: 2 },
    ]);
    assertEquals(results.slice(0, 2), [
      { type: 2, body: { TrackId: "1" } },
      { type: 4, body: { ...BUTTON, DeviceId: 1, Data: { PressType: "DoublePress" } } },
    ]);
    assertEquals(results.slice(2).map(({ body }) => body?.["TrackId"]), ["2", "3"]);
  }));

test("after a half-close the Python client still gets slow responses, then the end", () =>
  withSimulator({ latency: 100 }, async ({ address }) => {
    const results = await runSteps(address, [
      { send: { Command: "ListDevices" } },
      { send: { Command: "ListDevices" } },
      { half_close: true },
      { receive: 2 },
      { expect_end: true },
    ]);
    assertEquals(results.map(({ body }) => body?.["TrackId"]), ["1", "2", undefined]);
    assertEquals(results[2], { end: true });
  }));

test("a command that is not JSON gets a response without TrackId, and the connection stays open", () =>
  withSimulator({}, async ({ address }) => {
    const results = await runSteps(address, [
      { raw: "dc01080101000000" + "7b" },
      { raw: "dc01080102000000" + "fffe" },
      { send: { Command: "ListDevices" } },
      { receive: 3 },
    ]);
    assertEquals(results.map(({ type }) => type), [3, 3, 2]);
    assertEquals(results.map(({ body }) => body?.["TrackId"]), [undefined, undefined, "1"]);
  }));

const fatal: [what: string, raw: string][] = [
  ["a wrong marker", "dd01080102000000" + "7b7d"],
  ["header version 2", "dc02080102000000" + "7b7d"],
  ["an event", "dc01080402000000" + "7b7d"],
  ["a size of 4 GiB", "dc010801ffffffff"],
  ["HTTP", "474554202f20485454502f312e310d0a0d0a"],
];

for (const [what, raw] of fatal) {
  test(`the Python client is disconnected for ${what} while another is served`, () => {
    const errors: unknown[] = [];
    return withSimulator(
      { onError: (error) => errors.push(error) },
      async ({ address, server }) => {
        const [cut, served] = await Promise.all([
          runSteps(address, [{ raw }, { expect_end: true }]),
          runSteps(address, conversation),
        ]);
        assertStrictEquals(cut[0]?.end, true);
        assertStrictEquals(cut[0]?.bytes, undefined);
        assertStrictEquals(served.length, 8);
        assertStrictEquals(errors.length, 1);
        await until(() => server.clients === 0);
      },
    );
  });
}

test("four Python clients at once are served", () =>
  withSimulator({ latency: [0, 5] }, async ({ address }) => {
    const many: Step[] = Array.from({ length: 200 }, () => ({ send: { Command: "ListDevices" } }));
    const clients = Array.from({ length: 4 }, (_, i): Step[] => [{ slice: i * 7 }, ...many, {
      receive: 200,
    }]);
    for (const results of await Promise.all(clients.map((steps) => runSteps(address, steps)))) {
      const trackIds = results.map(({ body }) => body?.["TrackId"]);
      assertEquals(trackIds, Array.from({ length: 200 }, (_, i) => String(i + 1)));
      assert(results.every(({ type }) => type === 2));
    }
  }));
