import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { LimitError } from "../src/errors.ts";
import {
  memoryNetwork,
  type SimulatedDevice,
  Simulator,
  type SimulatorOptions,
} from "../simulator.ts";
import { ERROR, EVENT, OK, RawClient } from "./support/raw_client.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const BUTTON = { Publisher: "DeviceEvents", Topic: "ButtonPushed" };

/** Runs `use` with a simulator and a client of bytes. */
async function withClient(
  options: SimulatorOptions,
  use: (client: RawClient, simulator: Simulator) => Promise<void>,
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator(options);
  await simulator.serve(listen);
  const client = new RawClient(await connector(simulator.address));
  try {
    await use(client, simulator);
  } finally {
    await client.close();
    await simulator.close();
  }
}

function circular(): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  object["self"] = object;
  return object;
}

const wrong: [what: string, device: unknown, sentence: string][] = [
  ["null", null, "it is null"],
  ["an array", [], "it is an array"],
  ["a string", "glove", "it is the string 'glove'"],
  ["no DeviceId", { Name: "x" }, "it has no 'DeviceId'"],
  ["DeviceId undefined", { DeviceId: undefined, Name: "x" }, "it has no 'DeviceId'"],
  ["DeviceId null", { DeviceId: null }, "'DeviceId' must be any JSON value except null, not null"],
  [
    "DeviceId NaN",
    { DeviceId: NaN },
    "'DeviceId' must be any JSON value except null, not the number NaN",
  ],
  ["DeviceId Infinity", { DeviceId: Infinity }, "'DeviceId' must be any JSON value except null"],
  ["a BigInt as DeviceId", { DeviceId: 1n }, "'DeviceId' must be any JSON value except null"],
  [
    "a function as DeviceId",
    { DeviceId: () => {} },
    "'DeviceId' must be any JSON value except null",
  ],
  [
    "a circular DeviceId",
    { DeviceId: circular() },
    "'DeviceId' must be any JSON value except null",
  ],
  ["Name 1", { DeviceId: 7, Name: 1 }, "'Name' must be a string, not the number 1"],
  ["Type null", { DeviceId: 7, Type: null }, "'Type' must be a string, not null"],
  ["hasButton 'yes'", { DeviceId: 7, hasButton: "yes" }, "'hasButton' must be true or false"],
  ["info []", { DeviceId: 7, info: [] }, "'info' must be an object of JSON values, not an array"],
  ["a circular info", { DeviceId: 7, info: circular() }, "'info' must be an object"],
  ["a BigInt in info", { DeviceId: 7, info: { Big: 1n } }, "'info' must be an object"],
  ["a Date as info", { DeviceId: 7, info: new Date(0) }, "'info' must be an object"],
  ["leds 'RingLed'", { DeviceId: 7, leds: "RingLed" }, "'leds' must be an array of strings"],
  ["leds [1]", { DeviceId: 7, leds: [1] }, "'leds' must be an array of strings"],
  [
    "an unknown key",
    { DeviceId: 7, name: "x" },
    "unknown key 'name': its keys are DeviceId, Name,",
  ],
  ["a key __proto__", JSON.parse(`{"DeviceId":7,"__proto__":{}}`), "unknown key '__proto__'"],
];

for (const [what, device, sentence] of wrong) {
  test(`a device with ${what} is rejected with a clear message`, () =>
    withClient({ devices: [] }, (_, simulator) => {
      const added = device as SimulatedDevice;
      const error = assertThrows(() => simulator.addDevice(added), TypeError, sentence);
      assert((error as Error).message.startsWith("Cannot add device: "), String(error));
      assertThrows(
        () => new Simulator({ devices: [{ DeviceId: 1 }, added], pressEvery: 1 }),
        TypeError,
        `Cannot use device 2 of 'devices': ${sentence}`,
      );
      assertEquals(simulator.devices, []);
      return Promise.resolve();
    }));
}

test("'devices' that is not an array is rejected with a clear message", () => {
  for (const devices of [{}, "x", null]) {
    assertThrows(
      () => new Simulator({ devices: devices as never }),
      TypeError,
      "'devices' must be an array",
    );
  }
});

test("a device needs only its DeviceId, and keys without a value are omitted", () =>
  withClient({ devices: [{ DeviceId: 7 }] }, async (client, simulator) => {
    simulator.addDevice({ DeviceId: 8, Name: undefined, hasButton: undefined, leds: [] });
    const { body } = await client.ask("ListDevices");
    assertEquals(body.Response, {
      Devices: [{ DeviceId: 7, Name: "", Type: "" }, { DeviceId: 8, Name: "", Type: "" }],
    });
    const info = await client.ask("GetDeviceInfo", { DeviceId: 8 });
    assertEquals(info.body.Response, { DeviceId: 8, Name: "", Type: "", Leds: [] });
  }));

test("a device is copied, so the caller may change it later", () => {
  const device = { DeviceId: { bus: 1 }, Name: "N", info: { Level: 1 }, leds: ["A"] };
  return withClient({ devices: [device as never] }, async (client, simulator) => {
    device.DeviceId.bus = 2;
    device.info.Level = 2;
    device.leds.push("B");
    device.Name = "M";
    const { body } = await client.ask("GetDeviceInfo", { DeviceId: { bus: 1 } });
    assertEquals([body.Response?.["Level"], body.Response?.["Name"]], [1, "N"]);
    assertEquals(simulator.press({ bus: 1 } as never, "SinglePress"), 0);
  });
});

test("press() rejects an invalid press type with a clear message", () =>
  withClient({}, async (client, simulator) => {
    await client.ask("Subscribe", BUTTON);
    for (
      const type of ["Foo", "singlepress", "", "__proto__", undefined, null, 1, ["SinglePress"]]
    ) {
      assertThrows(
        () => simulator.press(1, type as never),
        RangeError,
        "expected SinglePress, DoublePress, LongPress, received ",
      );
    }
    assertStrictEquals(simulator.press(1, "SinglePress"), 1);
    const { type, body } = await client.receive();
    assertEquals([type, body["Data"]], [EVENT, { PressType: "SinglePress" }]);
  }));

test("press() rejects an invalid device with a clear message", () =>
  withClient({ devices: [{ DeviceId: { bus: 1 } as never }] }, (_, simulator) => {
    for (const id of [1n, circular(), undefined, null, Symbol("x"), () => {}]) {
      assertThrows(
        () => simulator.press(id as never, "SinglePress"),
        RangeError,
        "Cannot press: no device",
      );
      assertStrictEquals(simulator.removeDevice(id as never), false);
    }
    return Promise.resolve();
  }));

const topics: [what: string, args: object][] = [
  ["another topic", { ...BUTTON, Topic: "ButtonPulled" }],
  ["another publisher", { ...BUTTON, Publisher: "SuitEvents" }],
  ["the topic in other letters", { ...BUTTON, Topic: "buttonpushed" }],
  ["a topic of hostile letters", { ...BUTTON, Topic: "\x1b[2J".repeat(100) }],
];

for (const [what, args] of topics) {
  test(`a subscription to ${what} is rejected with UnknownTopic`, () =>
    withClient({}, async (client, simulator) => {
      for (const command of ["Subscribe", "DeviceSubscribe"]) {
        const { type, body } = await client.ask(command, { ...args, DeviceId: 1 });
        assertStrictEquals(type, ERROR);
        assertStrictEquals(body.Error?.Code, "UnknownTopic");
        const message = String(body.Error?.Message);
        assert(message.startsWith("Unknown topic ") && message.length < 400, message);
        assert(!message.includes("\x1b"), message);
      }
      const { Publisher: publisher, Topic: topic } = args as typeof BUTTON;
      assertStrictEquals(simulator.server.publish({ publisher, topic, deviceId: 1 }), 0);
    }));
}

test("'topics' are added to the button topic", () =>
  withClient({ topics: [{ publisher: "Suit", topic: "Battery" }] }, async (client, simulator) => {
    const battery = { Publisher: "Suit", Topic: "Battery" };
    assertStrictEquals((await client.ask("Subscribe", battery)).type, OK);
    assertStrictEquals((await client.ask("DeviceSubscribe", { ...BUTTON, DeviceId: 1 })).type, OK);
    assertStrictEquals((await client.ask("Subscribe", { ...battery, Publisher: "X" })).type, ERROR);
    const { body } = await client.ask("DeviceSubscribe", { ...battery, DeviceId: 99 });
    assertStrictEquals(body.Error?.Code, "UnknownDevice");
    simulator.server.publish({ publisher: "Suit", topic: "Battery", data: { Level: 7 } });
    assertEquals((await client.receive()).body, { ...battery, Data: { Level: 7 } });
  }));

test("the button topic has the names of the dialect", () => {
  const dialect = { button: { publisher: "P", topic: "T" } };
  return withClient({ dialect }, async (client) => {
    assertStrictEquals((await client.ask("Subscribe", { Publisher: "P", Topic: "T" })).type, OK);
    assertStrictEquals((await client.ask("Subscribe", BUTTON)).body.Error?.Code, "UnknownTopic");
  });
});

const LONG = "x".repeat(1_000);

test("a press by interval that cannot be published is reported, and the others continue", () => {
  const errors: unknown[] = [];
  const devices = [{ DeviceId: LONG, hasButton: true }, { DeviceId: 1, hasButton: true }];
  const limits = { maxPayload: 500, onError: (error: unknown) => errors.push(error) };
  return withClient({ devices, pressEvery: 1, ...limits }, async (client) => {
    await client.ask("Subscribe", BUTTON);
    await until(() => errors.length > 1);
    assertInstanceOf(errors[0], LimitError);
    assertStrictEquals(errors[0].limit, "maxPayload");
    assertStrictEquals((await client.receive()).body["DeviceId"], 1);
  });
});

test("without onError a press by interval that cannot be published is logged once", async () => {
  const { error } = console;
  const shown: unknown[] = [];
  console.error = (text: unknown): void => void shown.push(text);
  try {
    let tried = 0;
    const devices = [{ DeviceId: LONG, hasButton: true }];
    await withClient({ devices, pressEvery: 1, maxPayload: 500 }, async (client, simulator) => {
      const press = simulator.press.bind(simulator);
      simulator.press = (...pressed): number => {
        tried++;
        return press(...pressed);
      };
      await client.ask("Subscribe", BUTTON);
      const before = tried;
      await until(() => tried > before + 3);
    });
  } finally {
    console.error = error;
  }
  assertStrictEquals(shown.length, 1);
  assert(
    String(shown[0]).startsWith("RCSP simulator: random press failed: "),
    String(shown[0]),
  );
  assert(String(shown[0]).includes("'maxPayload'"), String(shown[0]));
});
