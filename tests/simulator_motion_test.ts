import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { connectMotion, normalizeCurls } from "../motion.ts";
import { memoryNetwork, Simulator, type SimulatorOptions, startSimulator } from "../simulator.ts";
import { FINGERS } from "../src/motion/joints.ts";
import { GLOVE_SENSORS } from "../src/motion/simulated_glove.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { toHex } from "./support/frames.ts";
import { withMotion } from "./support/simulated_motion.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

test("two hands send both groups every 12 ms, and two gloves their sensors", () =>
  withMotion({}, async ({ hands, raw, play }) => {
    await play(999); // and one at the start
    assertEquals(hands.hands().map(({ side }) => side), ["left", "right"]);
    for (const device of hands.devices()) {
      const { definition, error } = device;
      assertEquals(definition!.groups.map(({ name }) => name), ["joints_local", "joints_openxr"]);
      assertEquals(error, undefined);
      const { frames, interval, gaps, backwards, jitter } = device.pace("joints_openxr")!;
      assertEquals({ frames, gaps, backwards }, { frames: 1000, gaps: 0, backwards: 0 });
      assert(Math.abs(interval - 12) < 1e-9 && jitter < 1e-9, `${interval} ms, ${jitter} ms`);
    }
    assertEquals(raw.devices().map(({ definition }) => definition?.deviceType), [
      "smartgloves",
      "smartgloves",
    ]);
    for (const device of raw.devices()) {
      const { streams } = device.sample("sensors")!.group;
      assertEquals(streams.map(({ targetFrame }) => targetFrame!), [...GLOVE_SENSORS]);
    }
    assertEquals(raw.stats().samples, 4000);
  }));

test("the hands move: every finger bends and stretches within a minute", () =>
  withMotion({}, async ({ hands, play }) => {
    await play(1);
    const seen = hands.hands().flatMap((hand) =>
      FINGERS.map((finger) => ({ hand, finger, least: 1, most: 0 }))
    );
    for (let i = 0; i < 5000; i++) {
      await play(1);
      for (const each of seen) {
        const curl = normalizeCurls(each.hand.measure()!.curls)[each.finger];
        each.least = Math.min(each.least, curl);
        each.most = Math.max(each.most, curl);
      }
    }
    for (const { finger, least, most } of seen) {
      assert(least < 0.2 && most > 0.9, `${finger}: ${least} to ${most}`);
    }
  }));

test("devices of the motion stream come and go with the gloves", () =>
  withMotion({}, async ({ simulator, hands, raw, play }) => {
    const sides = (): unknown[] => hands.hands().map(({ side }) => side);
    await play(1);
    simulator.removeDevice(1);
    await play(1);
    assertEquals([sides(), raw.devices().length], [["right"], 1]);
    simulator.removeDevice(3);
    simulator.addDevice({ DeviceId: "new", Type: "Smartglove", info: { Side: "left" } });
    simulator.addDevice({ DeviceId: "suit", Type: "SmartsuitPro" });
    await play(1);
    assertEquals([sides(), raw.devices().length], [["right", "left"], 2]);
    assert(hands.hands()[1]!.measure() !== undefined);
  }));

test("the same seed moves the same way, another one in another", async () => {
  const record = async (options: SimulatorOptions): Promise<string> => {
    const frames: string[] = [];
    await withMotion(options, ({ play }) => play(300), {
      onFrame: (prefix, payload) => frames.push(`${prefix} ${toHex(payload)}`),
    });
    return frames.join("\n");
  };
  const faults = { gaps: 0.1, backwardTimes: 0.1 };
  const first = await record({ motion: { seed: 5, faults } });
  assertEquals(await record({ seed: 5, motion: { faults } }), first);
  assertNotEquals(await record({ seed: 6, motion: { faults } }), first);
});

test("startSimulator() serves motion on two ports, for clients with the clock of the system", async () => {
  const simulator = await startSimulator({ port: 0, motion: true, motionPort: 0, rawPort: 0 });
  const [{ host, port }] = simulator.motion!.hands.addresses as [{ host: string; port: number }];
  const motion = await connectMotion({ host, port });
  await until(() => motion.stats().samples >= 40);
  assertEquals(motion.hands().length, 2);
  const sample = motion.devices()[0]!.sample("joints_local")!;
  const now = performance.timeOrigin + performance.now();
  assert(Math.abs(now - sample.time) < 60_000, "time is on our clock");
  await simulator.close();
  await until(() => motion.status.state !== "ready");
  await motion.close();
});

test("a simulator without the option motion has none, and serveMotion() rejects", async () => {
  const simulator = new Simulator();
  assertEquals(simulator.motion, undefined);
  await assertRejects(() => simulator.serveMotion(memoryNetwork().listen), TypeError, "'motion'");
  await simulator.close();
});

test("a simulator that cannot be created leaves no timer", () => {
  const clock = new FakeClock();
  const options = { motion: true, clock, devices: [{}] } as unknown as SimulatorOptions;
  assertThrows(() => new Simulator(options), TypeError, "DeviceId");
  assertEquals(clock.timers, 0);
});
