import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { normalizeCurls } from "../src/motion/calibration.ts";
import { readDefinition } from "../src/motion/definition.ts";
import { encodeDefinition } from "../src/motion/frame.ts";
import { gestureAt } from "../src/motion/hand_motion.ts";
import { FINGERS, OPENXR_JOINT_NAMES, type Side } from "../src/motion/joints.ts";
import { MotionDecoder } from "../src/motion/decoder.ts";
import type { MotionDevice } from "../src/motion/device.ts";
import { MotionRegistry } from "../src/motion/registry.ts";
import { GLOVE_FLAGS, GLOVE_SENSORS, SimulatedGlove } from "../src/motion/simulated_glove.ts";
import { HAND_FRAME_PERIOD, SimulatedHand } from "../src/motion/simulated_hand.ts";
import { toHex } from "./support/frames.ts";
import { test } from "./support/test.ts";

const SIDES: Side[] = ["left", "right"];

/** Plays a hand into a registry, and calls `visit` after the frames of every step. */
function play(
  hand: SimulatedHand,
  milliseconds: number,
  visit: (device: MotionDevice, time: number) => void,
): void {
  const decoder = new MotionDecoder();
  const registry = new MotionRegistry({ onError: (error) => assertEquals(error, undefined) });
  decoder.push(encodeDefinition(hand.definition), registry.receive);
  for (let time = 0; time < milliseconds; time += HAND_FRAME_PERIOD) {
    for (const frame of hand.framesAt(time)) decoder.push(frame, registry.receive);
    visit(registry.devices()[0]!, time);
  }
  assertEquals(registry.stats().undefinedData + registry.stats().wrongSize, 0);
}

test("a hand sends about 83 frames a second of each of its groups", () => {
  assert(Math.abs(1000 / HAND_FRAME_PERIOD - 83.3) < 0.1);
  play(new SimulatedHand({ side: "left", deviceId: 1 }), 1000, ({ id, hand, definition }) => {
    assertEquals([id, hand?.side, hand?.error], [1, "left", undefined]);
    assertEquals(definition?.groups.map(({ name }) => name), ["joints_local", "joints_openxr"]);
  });
});

test("the same seed moves the same way, another one or the other hand in another way", () => {
  const run = (side: Side, seed?: number): string => {
    const hand = new SimulatedHand({ side, deviceId: 1, seed });
    return [0, 3000, 9000, 1500].map((time) => toHex(hand.framesAt(time)[0]!)).join();
  };
  assertEquals(run("left"), run("left", 1));
  assertNotEquals(run("left", 1), run("left", 2));
  const row = (seed: number, side: Side): string =>
    Array.from({ length: 20 }, (_, i) => gestureAt(seed, side, i * 1600)).join();
  const rows = [1, 2, 3, 4, 5].flatMap((seed) => SIDES.map((side) => row(seed, side)));
  assertEquals(new Set(rows).size, 10);
});

test("a hand shows every gesture within a minute, and its curls show which", () => {
  const seen = new Set<string>();
  play(new SimulatedHand({ side: "right", deviceId: 1 }), 60_000, ({ hand }, time) => {
    const gesture = gestureAt(1, "right", time);
    // The time in which one gesture becomes the next.
    if (time % 1600 < 500) return;
    seen.add(gesture);
    const measures = hand!.measure()!;
    const { index, middle, thumb } = normalizeCurls(measures.curls);
    if (gesture === "open" || gesture === "wave") {
      assert(index < 0.1 && middle < 0.1 && thumb < 0.15);
    }
    if (gesture === "fist") assert(index > 0.97 && middle > 0.97 && thumb > 0.97);
    if (gesture === "point") assert(index < 0.1 && middle > 0.97);
    if (gesture === "pinch") assert(measures.pinch < 0.015);
    else assert(measures.pinch > 0.015);
  });
  assertEquals([...seen].sort(), ["fist", "open", "pinch", "point", "relax", "wave"]);
});

for (const side of SIDES) {
  test(`the ${side} hand moves without jumps, in meters a hand can be, by rotations of length 1`, () => {
    const before = new Float32Array(26 * 7);
    play(new SimulatedHand({ side, deviceId: 1 }), 30_000, ({ hand }, time) => {
      const { poses, joints } = hand!.openXr!;
      for (const { position, rotation, index } of joints) {
        assert(Math.abs(Math.hypot(...rotation) - 1) < 1e-5);
        const old = before.subarray(index * 7, index * 7 + 3);
        const step = Math.hypot(...Array.from(position, (value, i) => value - old[i]!));
        if (time > 0) assert(step < 0.03, `${step} m in 12 ms`);
      }
      before.set(poses);
      const wrist = hand!.openXr!.wrist!.position;
      assert(side === "left" ? wrist[0]! < 0 : wrist[0]! > 0);
      assert(wrist[1]! > 0.5 && wrist[1]! < 1.5, "Y is up");
    });
  });

  test(`the ${side} hand's joints_local are its joints_openxr, within 10 micrometers`, () => {
    let worst = 0;
    play(new SimulatedHand({ side, deviceId: 1 }), 10_000, ({ hand }) => {
      for (const name of OPENXR_JOINT_NAMES.filter((name) => name !== "palm")) {
        const [a, b] = [hand!.local!.get(name)!.position, hand!.openXr!.get(name)!.position];
        worst = Math.max(worst, Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!));
      }
    });
    assert(worst <= 1e-5, `${worst} m`);
  });
}

test("the left hand is the mirror of the right", () => {
  const [left, right] = SIDES.map((side) => new SimulatedHand({ side, deviceId: 1 }));
  for (const hand of [left!, right!]) {
    hand.pose({ fingers: Array(5).fill([30, 20, 10, 7]), wrist: [12, 8] });
  }
  for (const name of OPENXR_JOINT_NAMES.filter((name) => name !== "palm")) {
    const [a, b] = [left!.joints.get(name)!.position, right!.joints.get(name)!.position];
    const mirrored = [-b[0]!, b[1]!, b[2]!];
    assert(mirrored.every((value, i) => Math.abs(value - a[i]!) < 1e-6), `${name}: ${a} and ${b}`);
  }
});

test("a hand of a solver without --emit-openxr sends joints_local alone", () => {
  const hand = new SimulatedHand({ side: "left", deviceId: 1, openXr: false });
  assertEquals(hand.framesAt(0).length, 1);
  const { groups, staticData } = readDefinition(hand.definition);
  assertEquals([groups.length, staticData.length], [1, 26]);
});

test("a glove sends its sensors and flags by their known names", () => {
  const hand = new SimulatedHand({ side: "left", deviceId: 1 });
  const glove = new SimulatedGlove(hand, 101);
  const errors: unknown[] = [];
  const registry = new MotionRegistry({ onError: (error) => errors.push(error) });
  const decoder = new MotionDecoder();
  decoder.push(encodeDefinition(glove.definition), registry.receive);
  for (const time of [0, 12, 24]) {
    hand.framesAt(time);
    for (const frame of glove.framesAt(time)) decoder.push(frame, registry.receive);
  }
  const device = registry.device(101)!;
  assertEquals([device.definition?.deviceType, device.hand], ["smartgloves", undefined]);
  const sensors = device.sample("sensors")!;
  assertEquals(sensors.group.streams.map(({ targetFrame }) => targetFrame!), [...GLOVE_SENSORS]);
  assertEquals([sensors.sequence, sensors.deviceTime], [3, 24_000n]);
  const hub = [...sensors.values(sensors.group.streams[0]!)];
  assertEquals(hub, [...hand.joints.wrist!.position, ...hand.joints.wrist!.rotation]);
  const flags = device.sample("flags")!;
  assertEquals(flags.group.streams.map(({ measureType }) => measureType!), [...GLOVE_FLAGS]);
  assertEquals(flags.group.streams.map((stream) => Number(flags.values(stream)[0])), [
    0,
    0,
    0,
    0,
    0,
    0,
    1,
  ]);
  assertEquals(errors, []);
  assertEquals(
    FINGERS.filter((finger) => GLOVE_SENSORS.includes(`${finger}_finger_sensor`)).length,
    5,
  );
});
