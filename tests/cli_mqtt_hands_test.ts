import { assertEquals, assertMatch } from "@std/assert";
import { OPENXR_JOINT_NAMES } from "../src/motion/joints.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { withDriver } from "./support/cli_io.ts";
import { bridged, withBroker } from "./support/mqtt.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

test("--hands publishes curls, pinch and wrist with QoS 0, never retained", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    const levels: (number | undefined)[] = [];
    broker.aedes.on("publish", ({ topic, qos, retain }) => {
      if (topic.endsWith("/hand")) levels.push(qos, Number(retain));
    });
    await bridged(broker, { args: ["--simulate", "--hands"] }, async () => {
      for (const side of ["left", "right"]) {
        const [first] = await reader.untilTexts(`rokoko/stage/hand_${side}/hand`, 3);
        const { time, curls, pinch, wrist, joints } = JSON.parse(first!);
        assertEquals(Object.keys(curls), ["thumb", "index", "middle", "ring", "little"]);
        assertEquals(Object.values<number>(curls).every((curl) => curl >= 0 && curl <= 1), true);
        assertEquals(pinch > 0 && pinch < 0.3, true);
        assertEquals([wrist.length, joints], [4, undefined]);
        assertMatch(time, /^2026-01-02T/);
        assertEquals(reader.texts(`rokoko/stage/hand_${side}/availability`), ["online"]);
      }
    });
    await reader.untilTexts("rokoko/stage/hand_left/availability", 2);
    assertEquals(reader.texts("rokoko/stage/hand_left/availability"), ["online", "offline"]);
    assertEquals(new Set(levels), new Set([0]));
  });
});

test("--joints adds all joints; a hand that leaves is offline; no hands at all is reported", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    const { connector, listen } = memoryNetwork();
    const simulator = new Simulator({ motion: true });
    await simulator.serve(listen, { port: 45451 });
    await bridged(
      broker,
      { connector, args: ["--hands", "--joints", "--rate", "100"] },
      async (io) => {
        await io.until(({ err }) => err.includes("No hands yet, only buttons: "));
        await reader.untilTexts("rokoko/stage/1/availability", 1);
        await simulator.serveMotion(listen, { port: 12277, rawPort: 12276 });
        const [first] = await reader.untilTexts("rokoko/stage/hand_left/hand", 1);
        assertEquals(Object.keys(JSON.parse(first!).joints), [...OPENXR_JOINT_NAMES]);
        simulator.removeDevice(1);
        await reader.untilTexts("rokoko/stage/hand_left/availability", 2);
        await reader.untilTexts("rokoko/stage/hand_right/hand", 5);
        assertEquals(reader.texts("rokoko/stage/hand_left/availability"), ["online", "offline"]);
      },
    );
    await simulator.close();
  });
});

test("hands of several drivers stay apart, and presses pass while hands stream", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await withDriver(async ({ simulator, connector }) => {
      const args = ["--driver", "a", "--driver", "b", "--hands", "--rate", "240"];
      const { listen, connector: memory } = memoryNetwork();
      await simulator.serveMotion(listen, { port: 12277, rawPort: 12276 });
      const both: typeof connector = (address, options) =>
        (address.port === 12277 ? memory : connector)(address, options);
      await bridged(broker, { connector: both, args }, async () => {
        await reader.untilTexts("rokoko/stage/a:45451-hand_left/hand", 1);
        await reader.untilTexts("rokoko/stage/b:45451-hand_right/hand", 1);
        await until(() => simulator.press(1, "SinglePress") === 2);
        await reader.untilTexts("rokoko/stage/a:45451-1/button", 1);
        await reader.untilTexts("rokoko/stage/b:45451-1/button", 1);
      });
    }, { motion: true });
  });
});
