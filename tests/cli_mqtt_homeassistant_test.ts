import { assertEquals, assertMatch } from "@std/assert";
import { FORGET_AFTER } from "../cli/mqtt/presence.ts";
import type { JsonObject } from "../src/message/json.ts";
import { withDriver } from "./support/cli_io.ts";
import { bridged, type TestReader, withBroker } from "./support/mqtt.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

/** The discovery messages that are in force, by component and name of the device. */
function entities(reader: TestReader): Map<string, JsonObject> {
  const found = new Map<string, string>();
  for (const { topic, text } of reader.received) {
    if (topic.startsWith("homeassistant/")) found.set(topic, text);
  }
  return new Map(
    [...found].filter(([, text]) => text !== "").map(([topic, text]) => {
      const config = JSON.parse(text);
      return [`${topic.split("/")[1]} ${config.device.name}`, config];
    }),
  );
}

test("--homeassistant announces an event, a light where it is allowed, and the battery", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await withDriver(async ({ connector }) => {
      const args = ["--homeassistant", "--allow", "SetColorLed"];
      await bridged(broker, { connector, args }, async () => {
        await until(() => entities(reader).size === 12);
        const event = entities(reader).get("event Rokoko 1 (Smartglove Left)")!;
        assertEquals(event["state_topic"], "rokoko/stage/1/button");
        assertEquals(event["event_types"], ["SinglePress", "DoublePress", "LongPress"]);
        assertEquals(event["availability_mode"], "all");
        assertEquals(event["availability"], [
          { topic: "rokoko/stage/status" },
          { topic: "rokoko/stage/1/availability" },
        ]);
        const light = entities(reader).get("light Rokoko 1 (Smartglove Left)")!;
        assertEquals(light["command_topic"], "rokoko/stage/1/led/set");
        const battery = entities(reader).get("sensor Rokoko 1 (Smartglove Left)")!;
        assertEquals(battery["value_template"], "{{ value_json['BatteryLevel'] }}");
        const ids = [...entities(reader).values()].map((config) => config["unique_id"]);
        assertEquals(new Set(ids).size, 12);
        for (const { topic, retained } of reader.received) {
          if (!topic.startsWith("homeassistant/")) continue;
          assertMatch(topic, /^homeassistant\/(event|light|sensor)\/[\w-]+\/\w+\/config$/);
          assertEquals(retained, false);
        }
      });
    });
    const late = await broker.connect();
    await until(() => entities(late).size === 12);
    // Another run without the permission takes the lights away.
    await withDriver(async ({ connector }) => {
      await bridged(broker, { connector, args: ["--homeassistant"] }, async () => {
        await until(() => entities(late).size === 8);
        assertEquals([...entities(late).keys()].some((name) => name.startsWith("light")), false);
      });
    });
  });
});

test("names and fields of a hostile device end up in no template and in no topic", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    const evil = "{{ states }}'\"/+#\x1b[2J\u202e";
    const devices = [{
      DeviceId: evil,
      Name: evil.repeat(50),
      Type: evil,
      info: { [`Battery${evil}`]: 5 },
    }];
    await withDriver(async ({ connector }) => {
      await bridged(broker, { connector, args: ["--homeassistant"] }, async () => {
        await until(() =>
          reader.received.some(({ topic }) => topic.startsWith("homeassistant/event"))
        );
        const { topic, text } = reader.received.find(({ topic }) =>
          topic.startsWith("homeassistant/event")
        )!;
        assertMatch(topic, /^homeassistant\/event\/[\w-]+\/button\/config$/);
        assertEquals(/\p{C}/u.test(text), false);
        const { device, value_template } = JSON.parse(text);
        assertEquals(device.name.length <= 80, true);
        assertEquals(value_template.includes("states"), false);
        assertEquals(
          reader.received.some(({ topic, text }) => topic.includes("/sensor/") && text !== ""),
          false,
        );
      });
    }, { devices });
  });
});

test("a device that was away for a day is removed, with all that the broker has kept of it", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    let shift = 0;
    const clock = {
      now: () => performance.now() + shift,
      // Two seconds between polls are nothing to wait for.
      set: (action: () => void, delay: number) => setTimeout(action, Math.min(delay, 20)),
      clear: (timer: unknown) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    };
    await withDriver(async ({ connector, simulator }) => {
      await bridged(broker, { connector, clock, args: ["--homeassistant"] }, async () => {
        await until(() => entities(reader).size === 8);
        simulator.removeDevice(2);
        await reader.untilTexts("rokoko/stage/2/availability", 2);
        assertEquals(entities(reader).size, 8);
        shift += FORGET_AFTER;
        await reader.untilTexts("rokoko/stage/2/availability", 3);
        await until(() => entities(reader).size === 6);
        assertEquals(reader.texts("rokoko/stage/2/availability"), ["online", "offline", ""]);
        assertEquals(reader.texts("rokoko/stage/2/info").at(-1), "");
      });
      const late = await broker.connect();
      await late.untilTexts("rokoko/stage/1/info", 1);
      await late.untilTexts("rokoko/stage/status", 1);
      assertEquals(late.received.some(({ topic }) => topic.includes("/2/")), false);
    });
  });
});
