/**
 * What the hands of the simulator do: one gesture after the other, in the order of a seed.
 *
 * @module
 */

import { seededRandom } from "../simulator/random.ts";
import { FINGERS, type Side } from "./joints.ts";

/** The degrees of one finger: its flexions from the knuckle on, then its spread toward the thumb. */
export type FingerPose = readonly [knuckle: number, second: number, third: number, spread: number];

/** The angles of a hand, in degrees. */
export interface HandPose {
  /** The fingers, the thumb first; its third joint does not exist. */
  readonly fingers: readonly FingerPose[];
  /** The wrist: bent toward the palm, and turned toward the thumb. */
  readonly wrist: readonly [flexion: number, deviation: number];
}

/** What a hand can do. */
export type Gesture = "open" | "fist" | "point" | "pinch" | "relax" | "wave";

const SPREADS = [0, 8, 2, -4, -10];
const STRAIGHT = [4, 5, 3] as const;
const BENT = [70, 88, 42] as const;
const HALF = [22, 30, 15] as const;
type Flexions = readonly [number, number, number];

const GESTURES: { readonly [G in Gesture]: HandPose } = {
  open: hand([4, 4, 0], STRAIGHT, STRAIGHT, STRAIGHT, STRAIGHT),
  fist: hand([42, 48, 0], BENT, BENT, BENT, BENT, 0.1),
  point: hand([40, 45, 0], STRAIGHT, BENT, BENT, BENT, 0.2),
  // The tips of thumb and index finger meet, 4 mm apart.
  pinch: {
    fingers: [[45, 40, 0, 30], [50, 70, 24, 4], [...HALF, 1], [...HALF, -2], [...HALF, -5]],
    wrist: [0, 0],
  },
  relax: hand([14, 16, 0], HALF, HALF, HALF, HALF, 0.6),
  wave: hand([4, 4, 0], STRAIGHT, STRAIGHT, STRAIGHT, STRAIGHT),
};
const NAMES = Object.keys(GESTURES) as Gesture[];

// In milliseconds.
const GESTURE_TIME = 1600;
const BLEND_TIME = 450;
const WAVE_PERIOD = 640;
const WAVE_DEGREES = 22;
const TREMOR_DEGREES = 0.4;

/** Returns which gesture a hand makes at a time in milliseconds. */
export function gestureAt(seed: number, side: Side, time: number): Gesture {
  return gestureOf(seed, side, Math.floor(time / GESTURE_TIME));
}

/**
 * Returns the pose of a hand at a time in milliseconds: the same for the same seed, side and time, in
 * any order of calls.
 */
export function handPoseAt(seed: number, side: Side, time: number): HandPose {
  const segment = Math.floor(time / GESTURE_TIME);
  const now = gestureOf(seed, side, segment);
  const before = gestureOf(seed, side, segment - 1);
  const share = smooth((time - segment * GESTURE_TIME) / BLEND_TIME);
  const mix = (from: number, to: number): number => from + (to - from) * share;
  const [from, to] = [GESTURES[before], GESTURES[now]];
  const fingers = FINGERS.map((_, finger) =>
    from.fingers[finger]!.map((angle, i) =>
      mix(angle, to.fingers[finger]![i]!) + tremor(seed, time, finger * 4 + i)
    ) as unknown as FingerPose
  );
  const swing = WAVE_DEGREES * Math.sin(2 * Math.PI * time / WAVE_PERIOD);
  const deviation = mix(before === "wave" ? swing : 0, now === "wave" ? swing : 0);
  return { fingers, wrist: [4 + tremor(seed, time, 20), deviation + tremor(seed, time, 21)] };
}

function gestureOf(seed: number, side: Side, segment: number): Gesture {
  // Each hand has its own row of gestures, in which every segment has its own seed.
  const row = seed * 2 + (side === "left" ? 0 : 1);
  const random = seededRandom(Math.imul(row, 0x9e3779b1) ^ Math.imul(segment, 0x85ebca6b));
  return NAMES[Math.floor(random() * NAMES.length)]!;
}

/** No hand is ever still. */
function tremor(seed: number, time: number, index: number): number {
  return TREMOR_DEGREES * Math.sin(time / (90 + 7 * index) + seed + index);
}

function smooth(share: number): number {
  const cut = Math.min(1, Math.max(0, share));
  return cut * cut * (3 - 2 * cut);
}

function hand(
  thumb: Flexions,
  index: Flexions,
  middle: Flexions,
  ring: Flexions,
  little: Flexions,
  spread = 1,
): HandPose {
  const fingers = [thumb, index, middle, ring, little].map((flexions, i) =>
    [...flexions, SPREADS[i]! * spread] as const
  );
  return { fingers, wrist: [0, 0] };
}
