import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { connect, type RcspClient } from "../mod.ts";
import { CommandError, ConnectionError } from "../src/errors.ts";
import type { JsonObject } from "../src/message/json.ts";
import {
  memoryNetwork,
  Simulator,
  startSimulator,
  type StartSimulatorOptions,
} from "../simulator.ts";
import { test } from "./support/test.ts";

/** Runs `use` with a simulator on a real socket and a client of ours. */
async function withClient(
  options: StartSimulatorOptions,
  use: (rcsp: RcspClient, simulator: Simulator) => Promise<void>,
): Promise<void> {
  const simulator = await startSimulator({ port: 0, ...options });
  try {
    const rcsp = await connect({ ...simulator.address, reconnect: false });
    try {
      await use(rcsp, simulator);
    } finally {
      await rcsp.close();
    }
  } finally {
    await simulator.close();
  }
}

function leds(info: JsonObject): unknown {
  return info["Leds"];
}

test("the simulator lists its four devices with id, name and type", () =>
  withClient({}, async (rcsp) => {
    assertEquals(await rcsp.listDevices(), [
      { DeviceId: 1, Name: "Smartglove Left", Type: "Smartglove" },
      { DeviceId: 2, Name: "Smartglove Right", Type: "Smartglove" },
      { DeviceId: 3, Name: "Smartsuit Pro", Type: "SmartsuitPro" },
      { DeviceId: 4, Name: "Coil Pro", Type: "CoilPro" },
    ]);
  }));

test("every device has info, and its LED is off", () =>
  withClient({}, async (rcsp) => {
    for (const { DeviceId, Name, Type } of await rcsp.listDevices()) {
      const info = await rcsp.getDeviceInfo(DeviceId);
      assertEquals([info["DeviceId"], info["Name"], info["Type"]], [DeviceId, Name, Type]);
      assertStrictEquals(typeof info["SerialNumber"], "string");
      assertStrictEquals(typeof info["FirmwareVersion"], "string");
      const battery = Number(info["BatteryLevel"]);
      assert(battery >= 35 && battery <= 100, `battery ${battery}`);
      assertEquals(leds(info), [{ LedId: "RingLed", Red: 0, Green: 0, Blue: 0 }]);
    }
  }));

test("GetDeviceInfo returns the color set with SetColorLed, to every client", () =>
  withClient({}, async (rcsp, simulator) => {
    const other = await connect({ ...simulator.address, reconnect: false });
    const color = { LedId: "RingLed", Red: 255, Green: 0, Blue: 128 };
    assertEquals(await rcsp.setColorLed(2, color), {});
    assertEquals(leds(await other.getDeviceInfo(2)), [color]);
    assertEquals(leds(await other.getDeviceInfo(1)), [{ ...color, Red: 0, Blue: 0 }]);
    await other.close();
  }));

const color = { DeviceId: 1, LedId: "RingLed", Red: 1, Green: 2, Blue: 3 };
const refused: [what: string, command: string, args: object | undefined, code: string][] = [
  ["an unknown LED", "SetColorLed", { ...color, LedId: "TailLight" }, "BadArguments"],
  ["an LED named __proto__", "SetColorLed", { ...color, LedId: "__proto__" }, "BadArguments"],
  ["LED null", "SetColorLed", { ...color, LedId: null }, "BadArguments"],
  ["red 256", "SetColorLed", { ...color, Red: 256 }, "BadArguments"],
  ["green -1", "SetColorLed", { ...color, Green: -1 }, "BadArguments"],
  ["blue 0.5", "SetColorLed", { ...color, Blue: 0.5 }, "BadArguments"],
  ["blue as text", "SetColorLed", { ...color, Blue: "3" }, "BadArguments"],
  ["red null", "SetColorLed", { ...color, Red: null }, "BadArguments"],
  ["no device", "SetColorLed", { ...color, DeviceId: undefined }, "BadArguments"],
  ["device null", "GetDeviceInfo", { DeviceId: null }, "BadArguments"],
  ["no arguments", "GetDeviceInfo", undefined, "BadArguments"],
  ["an unknown device", "GetDeviceInfo", { DeviceId: 5 }, "UnknownDevice"],
  [`device "1"`, "GetDeviceInfo", { DeviceId: "1" }, "UnknownDevice"],
  ["device true", "GetDeviceInfo", { DeviceId: true }, "UnknownDevice"],
  ["device [1]", "SetColorLed", { ...color, DeviceId: [1] }, "UnknownDevice"],
  ["an unknown device", "DeviceSubscribe", {
    DeviceId: 5,
    Publisher: "DeviceEvents",
    Topic: "ButtonPushed",
  }, "UnknownDevice"],
  ["no arguments", "Reboot", undefined, "UnknownCommand"],
  ["no arguments", "listDevices", undefined, "UnknownCommand"],
];

for (const [what, command, args, code] of refused) {
  test(`${command} with ${what} is rejected with ${code}, and changes nothing`, () =>
    withClient({}, async (rcsp) => {
      const error = await assertRejects(() => rcsp.call(command, { ...args }), CommandError);
      assertStrictEquals(error.errorCode, code);
      assertStrictEquals(error.command, command);
      assertEquals(leds(await rcsp.getDeviceInfo(1)), [{
        LedId: "RingLed",
        Red: 0,
        Green: 0,
        Blue: 0,
      }]);
    }));
}

for (const latency of [0, 5, [1, 10]] as const) {
  test(`with latency ${JSON.stringify(latency)} responses come in order`, () =>
    withClient({ latency }, async (rcsp) => {
      const calls = [1, 2, 3, 4].map((id) => rcsp.getDeviceInfo(id));
      const infos = await Promise.all(calls);
      assertEquals(infos.map((info) => info["DeviceId"]), [1, 2, 3, 4]);
    }));
}

test("latency from 20 to 40 ms delays every response by at least 20 ms", () =>
  withClient({ latency: [20, 40] }, async (rcsp) => {
    for (let i = 0; i < 3; i++) {
      const start = performance.now();
      await rcsp.listDevices();
      // Timers of some runtimes can fire a millisecond early.
      assert(performance.now() - start >= 18);
    }
  }));

test("custom commands are added to those of the simulator, and may replace them", () =>
  withClient({}, async (rcsp, simulator) => {
    simulator.server.handle("Echo", ({ Arguments }) => Arguments);
    simulator.server.handle("ListDevices", () => ({ Devices: [{ DeviceId: "mine" }] }));
    assertEquals(await rcsp.call("Echo", { A: 1 }), { A: 1 });
    assertEquals(await rcsp.listDevices(), [{ DeviceId: "mine" }]);
  }));

test("close() sends a delayed response, then disconnects the client", () =>
  withClient({ latency: 30 }, async (rcsp, simulator) => {
    const waits = Promise.withResolvers<void>();
    simulator.server.handle("Wait", () => waits.resolve());
    const listing = rcsp.listDevices();
    await Promise.all([rcsp.call("Wait").catch(() => {}), waits.promise]);
    await Promise.all([listing, simulator.close()]);
    await rcsp.closed;
  }));

test("close() with a latency of minutes resolves after closeTimeout and leaves no timer", () =>
  withClient({ latency: 600_000, closeTimeout: 50 }, async (rcsp, simulator) => {
    const waits = Promise.withResolvers<void>();
    simulator.server.handle("Wait", () => waits.resolve());
    const listing = rcsp.listDevices().catch((error: unknown) => error);
    rcsp.call("Wait").catch(() => {});
    await waits.promise;
    await simulator.close();
    const error = await listing;
    assertInstanceOf(error, ConnectionError);
    assert(error.sent);
  }));

test("close() may be called again, and frees the port", async () => {
  const first = await startSimulator({ port: 0 });
  const { port } = first.address;
  await Promise.all([first.close(), first.close()]);
  await first[Symbol.asyncDispose]();
  const second = await startSimulator({ port });
  assertStrictEquals(second.address.port, port);
  await second.close();
});

test("startSimulator() on a port in use rejects and leaves nothing open", async () => {
  const first = await startSimulator({ port: 0 });
  const { port } = first.address;
  const error = await assertRejects(
    () => startSimulator({ port, pressEvery: 1_000 }),
    ConnectionError,
  );
  assertStrictEquals(error.code, "address-in-use");
  await first.close();
});

const wrong: [options: StartSimulatorOptions, error: typeof TypeError | typeof RangeError][] = [
  [{ port: 65_536 }, RangeError],
  [{ port: -1 }, RangeError],
  [{ host: "" }, TypeError],
  [{ maxClients: 0 }, RangeError],
  [{ latency: -1 }, RangeError],
  [{ latency: [5, 1] }, RangeError],
  [{ latency: NaN }, RangeError],
  [{ pressEvery: 0 }, RangeError],
];

for (const [options, error] of wrong) {
  test(`startSimulator(${JSON.stringify(options)}) rejects with a ${error.name}`, async () => {
    await assertRejects(() => startSimulator({ port: 0, ...options }), error);
  });
}

test("a simulator that does not listen has no address, and accepts sockets", async () => {
  const simulator = new Simulator();
  const address = (): unknown => simulator.address;
  await assertRejects(async () => await address(), TypeError, "The simulator is not listening");
  const { connector, listen } = memoryNetwork();
  await simulator.serve(listen, { port: 7 });
  assertStrictEquals(simulator.address.port, 7);
  const rcsp = await connect({ port: 7, connector, reconnect: false });
  assertStrictEquals((await rcsp.listDevices()).length, 4);
  await rcsp.close();
  await simulator.close();
});

test("with latency commands run in their order", () =>
  withClient({ latency: [0, 10] }, async (rcsp) => {
    for (let Red = 1; Red <= 20; Red++) {
      rcsp.setColorLed(1, { LedId: "RingLed", Red, Green: 0, Blue: 0 });
      const { Leds } = await rcsp.getDeviceInfo(1);
      assertEquals(Leds, [{ LedId: "RingLed", Red, Green: 0, Blue: 0 }]);
    }
  }));
