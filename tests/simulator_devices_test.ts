import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { JsonObject } from "../src/message/json.ts";
import {
  memoryNetwork,
  type SimulatedDevice,
  Simulator,
  type SimulatorOptions,
} from "../simulator.ts";
import { EVENT, OK, RawClient, until } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const BUTTON = { Publisher: "DeviceEvents", Topic: "ButtonPushed" };

interface Room {
  simulator: Simulator;
  join(): Promise<RawClient>;
}

async function withSimulator(
  options: SimulatorOptions,
  use: (room: Room) => Promise<void>,
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator(options);
  const clients: RawClient[] = [];
  await simulator.serve(listen);
  const join = async (): Promise<RawClient> => {
    const client = new RawClient(await connector(simulator.address));
    clients.push(client);
    return client;
  };
  try {
    await use({ simulator, join });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await simulator.close();
  }
}

const device = (DeviceId: SimulatedDevice["DeviceId"], rest: object = {}): SimulatedDevice => ({
  DeviceId,
  Name: "One",
  Type: "Kind",
  ...rest,
});

async function listed(client: RawClient): Promise<unknown[]> {
  const { body } = await client.ask("ListDevices");
  return (body.Response?.["Devices"] as { DeviceId: unknown }[]).map(({ DeviceId }) => DeviceId);
}

test("press() reaches the subscribers of the device and of all devices, once each", () =>
  withSimulator({}, async ({ simulator, join }) => {
    const clients = [await join(), await join(), await join(), await join()];
    const [one, two, all, none] = clients as [RawClient, RawClient, RawClient, RawClient];
    await one.ask("DeviceSubscribe", { ...BUTTON, DeviceId: 1 });
    await two.ask("DeviceSubscribe", { ...BUTTON, DeviceId: 2 });
    await all.ask("Subscribe", BUTTON);
    assertStrictEquals(simulator.press(1, "DoublePress"), 2);
    const event = { ...BUTTON, DeviceId: 1, Data: { PressType: "DoublePress" } };
    for (const client of [one, all]) {
      assertEquals(await client.receive(), { type: EVENT, body: event });
    }
    for (const client of clients) assertStrictEquals((await client.ask("ListDevices")).type, OK);
    assertStrictEquals(simulator.press(3, "LongPress"), 1);
    assertStrictEquals((await none.ask("ListDevices")).type, OK);
  }));

test("press() of an unknown device throws a RangeError", () =>
  withSimulator({}, ({ simulator }) => {
    for (const id of [0, 5, "1", true]) {
      assertThrows(
        () => simulator.press(id as number, "SinglePress"),
        RangeError,
        JSON.stringify(id),
      );
    }
    assertStrictEquals(simulator.press(1, "SinglePress"), 0);
    return Promise.resolve();
  }));

test("devices come and go, and a subscription continues when its device comes back", () =>
  withSimulator({ devices: [] }, async ({ simulator, join }) => {
    const client = await join();
    assertEquals(await listed(client), []);
    simulator.addDevice(device("a"));
    simulator.addDevice(device(1, { hasButton: true }));
    assertEquals(await listed(client), ["a", 1]);
    assertThrows(() => simulator.addDevice(device(1)), RangeError, "1 is in use");
    simulator.addDevice(device("1"));
    assertEquals(simulator.devices.map(({ DeviceId }) => DeviceId), ["a", 1, "1"]);
    await client.ask("DeviceSubscribe", { ...BUTTON, DeviceId: "a" });
    assertStrictEquals(simulator.removeDevice("a"), true);
    assertStrictEquals(simulator.removeDevice("a"), false);
    assertEquals(await listed(client), [1, "1"]);
    assertThrows(() => simulator.press("a", "SinglePress"), RangeError);
    const { body } = await client.ask("GetDeviceInfo", { DeviceId: "a" });
    assertStrictEquals(body.Error?.Code, "UnknownDevice");
    simulator.addDevice(device("a"));
    assertStrictEquals(simulator.press("a", "SinglePress"), 1);
    assertStrictEquals((await client.receive()).body["DeviceId"], "a");
    simulator.removeDevice("a");
    assertEquals(await client.ask("DeviceUnsubscribe", { ...BUTTON, DeviceId: "a" }), {
      type: OK,
      body: { TrackId: "6" },
    });
  }));

test("a device has its own info and LEDs, and loses its colors when it is removed", () =>
  withSimulator({ devices: [] }, async ({ simulator, join }) => {
    const mine = device({ bus: [1] } as never, {
      info: { Serial: "S", Name: "Own" },
      leds: ["A", "B"],
    });
    simulator.addDevice(mine);
    const client = await join();
    const DeviceId = { bus: [1] };
    const info = async (): Promise<JsonObject> =>
      (await client.ask("GetDeviceInfo", { DeviceId })).body.Response as JsonObject;
    const off = { Red: 0, Green: 0, Blue: 0 };
    const red = { Red: 9, Green: 0, Blue: 0 };
    await client.ask("SetColorLed", { DeviceId, LedId: "B", ...red });
    const { Serial, Leds } = await info();
    assertStrictEquals(Serial, "S");
    assertEquals(Leds, [{ LedId: "A", ...off }, { LedId: "B", ...red }]);
    const { body } = await client.ask("SetColorLed", { DeviceId, LedId: "RingLed", ...red });
    assertStrictEquals(body.Error?.Message, "'LedId' must be one of A, B");
    simulator.removeDevice(DeviceId as never);
    simulator.addDevice(mine);
    assertEquals((await info())["Leds"], [{ LedId: "A", ...off }, { LedId: "B", ...off }]);
  }));

test("two initial devices with the same id are rejected", () => {
  assertThrows(() => new Simulator({ devices: [device(1), device(1)], pressEvery: 1 }), RangeError);
});

test("the press interval presses only devices with a button, with every press type", () =>
  withSimulator({ pressEvery: 1 }, async ({ join }) => {
    const client = await join();
    await client.ask("Subscribe", BUTTON);
    const devices = new Set<unknown>();
    const types = new Set<unknown>();
    for (let i = 0; i < 500 && (devices.size < 2 || types.size < 3); i++) {
      const { type, body } = await client.receive();
      assertStrictEquals(type, EVENT);
      devices.add(body["DeviceId"]);
      types.add((body["Data"] as { PressType: unknown }).PressType);
    }
    assertEquals([...devices].sort(), [1, 2]);
    assertEquals([...types].sort(), ["DoublePress", "LongPress", "SinglePress"]);
  }));

test("the press interval presses nothing while no device has a button", () =>
  withSimulator({ pressEvery: 1, devices: [device(1)] }, async ({ simulator, join }) => {
    const client = await join();
    await client.ask("Subscribe", BUTTON);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals(await listed(client), [1]);
    simulator.addDevice(device(2, { hasButton: true }));
    assertStrictEquals((await client.receive()).body["DeviceId"], 2);
  }));

/** The devices, infos and presses of a simulator with this seed. */
async function fingerprint(seed: number | undefined): Promise<unknown[]> {
  const seen: unknown[] = [];
  await withSimulator({ seed, pressEvery: 1 }, async ({ simulator, join }) => {
    seen.push(simulator.devices);
    // The first press may come before a subscription, so presses are recorded at their source.
    const press = simulator.press.bind(simulator);
    simulator.press = (...pressed): number => {
      seen.push(pressed);
      return press(...pressed);
    };
    const client = await join();
    seen.splice(1, 0, (await client.ask("GetDeviceInfo", { DeviceId: 3 })).body.Response);
    await until(() => seen.length >= 12);
  });
  return seen.slice(0, 12);
}

test("the same seed generates the same devices, infos and presses, another seed others", async () => {
  const [first, second, other, standard, one] = await Promise.all(
    [7, 7, 8, undefined, 1].map(fingerprint),
  );
  assertEquals(first, second);
  assertNotEquals(first, other);
  assertEquals(standard, one);
  assert(first !== undefined && first.length === 12);
});
