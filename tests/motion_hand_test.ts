import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import { ProtocolError } from "../src/errors.ts";
import type { JsonObject } from "../src/message/json.ts";
import { calibrateHand, DEFAULT_CALIBRATION, normalizeCurls } from "../src/motion/calibration.ts";
import { DataFrame } from "../src/motion/data_frame.ts";
import { readDefinition } from "../src/motion/definition.ts";
import { Hand } from "../src/motion/hand.ts";
import { handDefinition } from "../src/motion/hand_model.ts";
import { FINGERS, localName, OPENXR_JOINT_NAMES, webXrName } from "../src/motion/joints.ts";
import { measureHand } from "../src/motion/measures.ts";
import { MotionRegistry } from "../src/motion/registry.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import { utf8 } from "./support/frames.ts";
import { dataPayload, floats } from "./support/motion.ts";
import { test } from "./support/test.ts";

// deno-lint-ignore no-explicit-any
type Loose = any;

/** A hand's definition that a test may spoil. */
function loose(side: "left" | "right" = "left", openXr = true): Loose {
  return structuredClone(handDefinition(side, 5, openXr));
}

function handOf(definition: Loose): Hand {
  return new Hand(readDefinition(definition as JsonObject));
}

function near(actual: ArrayLike<number>, expected: number[], tolerance = 1e-6): void {
  assertEquals(actual.length, expected.length);
  const isNear = expected.every((value, i) => Math.abs(value - actual[i]!) <= tolerance);
  assert(isNear, `expected ${expected}, received ${Array.from(actual)}`);
}

test("the 26 joints have the names and the order of OpenXR, and the names of WebXR", () => {
  assertEquals(OPENXR_JOINT_NAMES.length, 26);
  assertEquals(OPENXR_JOINT_NAMES.slice(0, 11), [
    "palm",
    "wrist",
    "thumb_metacarpal",
    "thumb_proximal",
    "thumb_distal",
    "thumb_tip",
    "index_metacarpal",
    "index_proximal",
    "index_intermediate",
    "index_distal",
    "index_tip",
  ]);
  assertEquals(OPENXR_JOINT_NAMES.map(webXrName).filter((_, i) => i < 11 || i > 20), [
    undefined,
    "wrist",
    "thumb-metacarpal",
    "thumb-phalanx-proximal",
    "thumb-phalanx-distal",
    "thumb-tip",
    "index-finger-metacarpal",
    "index-finger-phalanx-proximal",
    "index-finger-phalanx-intermediate",
    "index-finger-phalanx-distal",
    "index-finger-tip",
    "pinky-finger-metacarpal",
    "pinky-finger-phalanx-proximal",
    "pinky-finger-phalanx-intermediate",
    "pinky-finger-phalanx-distal",
    "pinky-finger-tip",
  ]);
  assertEquals(
    ["wrist", "thumb_distal", "little_intermediate", "palm"].map((name) =>
      localName(name as "wrist", "right")
    ),
    ["right_hand", "right_finger1_distal", "right_finger5_medial", undefined],
  );
});

test("a hand has its side, 26 joints with radii and parents, and finds them by any name", () => {
  const hand = handOf(loose("right"));
  assertEquals([hand.side, hand.deviceId, hand.error], ["right", 5, undefined]);
  assertEquals(hand.joints.map(({ name }) => name), [...OPENXR_JOINT_NAMES]);
  const tip = hand.openXr?.get("index_tip");
  assertEquals(tip, hand.openXr?.get("xr_index_tip"));
  assertEquals(tip, hand.openXr?.get("index-finger-tip"));
  assertEquals([tip?.index, tip?.radius, tip?.parent?.name], [10, 0.008, "index_distal"]);
  assertEquals(hand.openXr?.get("index_metacarpal")?.parent?.name, "wrist");
  assertEquals(hand.openXr?.get("__proto__"), undefined);
  const local = hand.local?.get("right_finger2_tip");
  assertEquals([local?.name, local?.parent?.frame], ["index_tip", "right_finger2_distal"]);
  assertEquals(hand.local?.get("right_forearm")?.parent, undefined);
});

test("a definition without joints_openxr is an error that names the remedy; the rest can be used", () => {
  const hand = handOf(loose("left", false));
  assertInstanceOf(hand.error, ProtocolError);
  assertMatch(hand.error.message, /no such group: start the hand solver with --emit-openxr/);
  assertEquals(hand.joints, []);
  assertEquals(hand.local?.joints.length, 26);
});

const spoiled: [name: string, spoil: (definition: Loose) => void, message: RegExp][] = [
  ["25 joints", (d) => d.groups[1].streams.pop(), /25 streams: start the hand solver/],
  ["27 joints", (d) => d.groups[1].streams.push(d.groups[1].streams[0]), /27 streams/],
  [
    "a joint twice",
    (d) => d.groups[1].streams[3] = d.groups[1].streams[4],
    /no stream xr_thumb_prox/,
  ],
  [
    "a joint of another name",
    (d) => d.groups[1].streams[0].target_frame = "palm",
    /no stream xr_palm/,
  ],
  ["a joint of another size", (d) => d.groups[1].streams[9].data_type = "FLOAT[4]", /another type/],
  [
    "a joint of another type",
    (d) => d.groups[1].streams[9].data_type = "DOUBLE[7]",
    /another type/,
  ],
  ["no root", (d) => d.groups[0].streams.shift(), /parents do not lead to a root/],
  [
    "a parent that is not there",
    (d) => d.groups[0].streams[9].reference_frame = "x",
    /lead to a root/,
  ],
  ["a joint that is its own parent", (d) => {
    d.groups[0].streams[9].reference_frame = d.groups[0].streams[9].target_frame;
  }, /lead to a root/],
  ["two joints that are each other's parents", (d) => {
    const [a, b] = d.groups[0].streams.slice(9);
    a.reference_frame = b.target_frame;
    b.reference_frame = a.target_frame;
  }, /lead to a root/],
  ["a joint without a rest pose", (d) => d.static_data.splice(1, 1), /no rest pose of 'left_hand'/],
  ["a short rest pose", (d) => d.static_data[1].value = [1, 2, 3], /no rest pose of 'left_hand'/],
  [
    "a local joint without a name",
    (d) => delete d.groups[0].streams[4].target_frame,
    /without a name/,
  ],
  ["a local joint twice", (d) => d.groups[0].streams.push(d.groups[0].streams[4]), /of its own/],
  [
    "a local joint of another type",
    (d) => d.groups[0].streams[4].data_type = "FLOAT[3]",
    /another type/,
  ],
  [
    "a root without a position",
    (d) => d.groups[0].streams[0].data_type = "FLOAT[4]",
    /another type/,
  ],
];

for (const [name, spoil, message] of spoiled) {
  test(`a hand with ${name} is an error of that device only, and a good definition clears it`, () => {
    const errors: string[] = [];
    const registry = new MotionRegistry({ onError: (error) => errors.push(error.message) });
    const define = (definition: unknown): void =>
      registry.receive(1, utf8(JSON.stringify(definition)));
    const bad = loose("left");
    spoil(bad);
    define(handDefinition("right", 6, true));
    define(bad);
    assertEquals(errors.length, 1);
    assertMatch(errors[0]!, message);
    assertMatch(errors[0]!, /Cannot read hand of device 5/);
    assertEquals(registry.device(6)?.error, undefined);
    assertEquals(registry.device(5)?.definition?.deviceId, 5);
    define(loose("left"));
    assertEquals([registry.device(5)?.error, errors.length], [undefined, 1]);
  });
}

test("joints_openxr in another order are put in the order of OpenXR", () => {
  const definition = loose();
  definition.groups[1].streams.reverse();
  const hand = handOf(definition);
  assertEquals(hand.error, undefined);
  const frame = new DataFrame(5, hand.openXr!.group);
  for (const stream of frame.group.streams) frame.set(stream, Array(7).fill(stream.index));
  hand.update(frame);
  assertEquals(hand.joints.map(({ position }) => position[2]), hand.joints.map((_, i) => 25 - i));
});

test("a hand without a side has joints all the same", () => {
  for (const info of [undefined, null, 5, {}, { hand: 5 }, { hand: "both" }]) {
    const hand = handOf({ ...loose(), device_info: info });
    assertEquals([hand.side, hand.joints.length, hand.local?.joints.length], [undefined, 26, 26]);
  }
});

test("only a solved_hand has a hand", () => {
  const registry = new MotionRegistry();
  registry.receive(1, utf8(JSON.stringify({ ...loose(), device_type: "smartgloves" })));
  assertEquals([registry.device(5)?.hand, registry.device(5)?.error], [undefined, undefined]);
});

test("forward kinematics: a chain that bends by right angles ends where a compass puts it", () => {
  const half = Math.SQRT1_2;
  const definition = {
    device_id: 5,
    device_type: "solved_hand",
    static_data: [
      // The rotation of a rest pose is not used.
      { target_frame: "b", reference_frame: "a", value: [0, -2, 0, 1, 0, 0, 0] },
      { target_frame: "c", reference_frame: "b", value: [0, -3, 0, 0, 1, 0, 0] },
      { target_frame: "a", value: [9, 9, 9, 0, 0, 0, 1] },
    ],
    groups: [{
      name: "joints_local",
      streams: [
        { data_type: "FLOAT[4]", target_frame: "c", reference_frame: "b" },
        { data_type: "FLOAT[4]", target_frame: "b" },
        { data_type: "FLOAT[7]", target_frame: "a", reference_frame: "LTP_anything" },
      ],
    }],
  };
  const hand = handOf(definition);
  const { group } = hand.local!;
  const frame = new DataFrame(5, group);
  // a: at 1, 2, 3, turned by 90 degrees about Z; b: by 90 degrees about X; c: not.
  frame.set(group.streams[2]!, [1, 2, 3, 0, 0, half, half]);
  frame.set(group.streams[1]!, [half, 0, 0, half]);
  frame.set(group.streams[0]!, [0, 0, 0, 1]);
  hand.update(frame);
  const { local } = hand;
  near(local!.get("a")!.position, [1, 2, 3]);
  near(local!.get("b")!.position, [3, 2, 3]);
  near(local!.get("c")!.position, [3, 2, 0]);
  near(local!.get("c")!.rotation, [0.5, 0.5, 0.5, 0.5]);
});

test("poses relative to the wrist do not depend on where the hand is or how it is turned", () => {
  const hand = new SimulatedHand({ side: "right", deviceId: 1 });
  hand.pose({ fingers: Array(5).fill([20, 30, 10, 5]), wrist: [0, 0] });
  const straight = new Float32Array(26 * 7);
  hand.joints.copyRelative(straight);
  hand.pose({ fingers: Array(5).fill([20, 30, 10, 5]), wrist: [40, -25] });
  const turned = new Float32Array(26 * 7);
  hand.joints.copyRelative(turned);
  const wrist = hand.joints.wrist!.index * 7;
  near(turned.slice(wrist, wrist + 7), [0, 0, 0, 0, 0, 0, 1]);
  for (const joint of hand.joints.joints.slice(1)) {
    const at = joint.index * 7;
    near(turned.slice(at, at + 7), Array.from(straight.slice(at, at + 7)));
  }
  hand.joints.copyRelative(turned, hand.joints.get("index_tip"));
  near(turned.slice(hand.joints.get("index_tip")!.index * 7).slice(0, 3), [0, 0, 0]);
  assertThrows(() => hand.joints.copyRelative(new Float32Array(181)), RangeError);
});

const pose = {
  fingers: [[24, 30, 0, 0], [70, 88, 42, 0], [5, -3, 2, 9], [10, 20, 30, 0], [
    1,
    2,
    3,
    -12,
  ]] as const,
  wrist: [10, -20] as const,
};

for (const side of ["left", "right"] as const) {
  test(`the ${side} hand is measured as it was bent, by either group`, () => {
    const simulated = new SimulatedHand({ side, deviceId: 5 });
    simulated.framesAt(0);
    simulated.pose(pose);
    const registry = new MotionRegistry();
    registry.receive(1, utf8(JSON.stringify(simulated.definition)));
    const { hand } = registry.device(5)!;
    assertEquals(hand?.measure(), undefined);
    // Without framesAt, the time stays: so these are the frames of the pose above.
    for (const group of [hand!.openXr!, hand!.local!]) {
      const frame = simulated.frames.find((each) => each.group.name === group.group.name)!;
      registry.receive(2, frame.frame.subarray(8));
      const measures = hand!.measure()!;
      assertEquals(measures, measureHand(group, side));
      near(measures.flexions.index, [70, 88, 42], 1e-3);
      near(measures.flexions.ring, [10, 20, 30], 1e-3);
      near(measures.flexions.thumb, [24, 30], 1e-3);
      near([measures.curls.index, measures.curls.ring, measures.curls.thumb], [200, 60, 54], 1e-3);
      // The metacarpal of the middle finger is turned by 2 degrees, that of the little one by 10.
      near([measures.spreads.middle], [11], 0.1);
      near([measures.spreads.little], [-22], 0.1);
      const [thumb, index] = [group.get("thumb_tip")!, group.get("index_tip")!];
      const gap = Math.hypot(
        ...Array.from(thumb.position, (value, i) => value - index.position[i]!),
      );
      near([measures.pinch], [gap]);
    }
  });
}

test("curls are cut to 0 and 1, by rough spans or by a calibration", () => {
  const curls = { thumb: 45, index: 100, middle: -5, ring: 250, little: NaN };
  assertEquals(normalizeCurls(curls), { thumb: 0.5, index: 0.5, middle: 0, ring: 1, little: NaN });
  const calibration = calibrateHand({
    open: { thumb: 5, index: 20, middle: -25, ring: 50, little: 0 },
    closed: { thumb: 85, index: 180, middle: 15, ring: 450, little: -20 },
  });
  assertEquals(normalizeCurls({ ...curls, little: -5 }, calibration), {
    thumb: 0.5,
    index: 0.5,
    middle: 0.5,
    ring: 0.5,
    little: 0.25,
  });
});

test("a calibration is the same after JSON, and JSON that is none is refused", () => {
  const calibration = calibrateHand(DEFAULT_CALIBRATION);
  assertEquals(calibrateHand(JSON.parse(JSON.stringify(calibration))), calibration);
  const { open, closed } = calibration;
  const bad: Loose[] = [{}, { open }, { open, closed: null }, { open, closed: [] }];
  for (const value of ["5", null, NaN, Infinity]) {
    bad.push({ open, closed: { ...closed, ring: value } });
  }
  for (const poses of bad) assertThrows(() => calibrateHand(poses), TypeError, "finite number");
  assertThrows(
    () => calibrateHand({ open, closed: { ...closed, ring: 9 } }),
    RangeError,
    "Cannot calibrate ring as it moved by 9.0 degrees",
  );
});

test("a finger whose bones have no length has no curl", () => {
  const hand = handOf(loose("left"));
  hand.update(new DataFrame(5, hand.openXr!.group));
  assertEquals(hand.measure()?.curls, {
    thumb: NaN,
    index: NaN,
    middle: NaN,
    ring: NaN,
    little: NaN,
  });
  assertEquals(hand.measure()?.pinch, 0);
});

test("NaN, infinite and zero poses throw nowhere, and measure as NaN or a number", () => {
  for (const value of [NaN, Infinity, -Infinity, 0, 3e38]) {
    const registry = new MotionRegistry();
    registry.receive(1, utf8(JSON.stringify(loose("left"))));
    const device = registry.device(5)!;
    for (const [id, group] of device.definition!.groups.entries()) {
      const values = floats(...Array<number>(group.length).fill(value));
      registry.receive(2, dataPayload(5, id, 1, values));
    }
    assertEquals(registry.stats().samples, 2);
    const { curls, spreads, pinch } = device.hand!.measure()!;
    for (const finger of FINGERS) {
      assertEquals(typeof curls[finger], "number");
      assertEquals(typeof spreads[finger], "number");
      const curl = normalizeCurls(curls)[finger];
      assert(Number.isNaN(curl) || (curl >= 0 && curl <= 1), `${curl}`);
    }
    assertEquals(typeof pinch, "number");
    device.hand!.local!.copyRelative(new Float32Array(26 * 7));
  }
});
