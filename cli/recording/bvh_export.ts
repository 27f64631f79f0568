/**
 * Hands as BVH: the joints of `joints_local` as a skeleton with the offsets of the rest pose, and their
 * streamed rotations. That is the same forward kinematics, so positions in the world are kept.
 *
 * @module
 */

import type { Joint, LocalJoints, MotionDevice, Sample } from "@rcsp/rcsp/motion";
import { UsageError } from "../exit_codes.ts";
import { cell } from "./csv_export.ts";
import { type HandFiles, MOST_FILES } from "./hand_files.ts";
import { handKey, type HandSample } from "./hand_samples.ts";

/** Milliseconds between the frames of a hand of which there is one frame only. */
const DEFAULT_INTERVAL = 12;
/** A BVH file has one rate: a missing frame repeats the one before, but not more often than this. */
const MOST_REPEATS = 100;
/** Frames of all hands, whose times are kept in memory. */
const MOST_FRAMES = 10_000_000;

/** The times of a hand's frames, and what is made of them. */
interface Timing {
  readonly times: number[];
  interval: number;
  /** How often each frame is written. */
  repeats: Uint8Array;
  frames: number;
  next: number;
}

/** Reads the samples twice: a BVH file begins with the number of its frames. */
export async function exportBvh(
  samples: () => AsyncIterable<HandSample>,
  files: HandFiles,
  log: (text: string) => Promise<void>,
): Promise<void> {
  const timings = await readTimings(samples());
  for (const timing of timings.values()) spread(timing);
  let shortened = false;
  for await (const of of samples()) {
    const { hand: { local }, device, sample } = of;
    if (local === undefined || sample.group !== local.group) continue;
    const key = handKey(of, local.joints);
    const timing = timings.get(key);
    const order = ordered(local);
    const writer = await files.open(key, of, () => head(order, device, timing!));
    if (writer === undefined || timing === undefined) continue;
    const repeats = timing.repeats[timing.next++] ?? 0;
    shortened ||= repeats === MOST_REPEATS;
    const row = `${order.map(({ joint }) => motion(joint, local, sample)).join(" ")}\n`;
    await files.add(writer, row.repeat(repeats));
  }
  if (shortened) await log(`Pauses are shortened to ${MOST_REPEATS} frames`);
}

async function readTimings(samples: AsyncIterable<HandSample>): Promise<Map<string, Timing>> {
  const timings = new Map<string, Timing>();
  let count = 0;
  for await (const of of samples) {
    const { local } = of.hand;
    if (local === undefined || of.sample.group !== local.group) continue;
    if (++count > MOST_FRAMES) {
      throw new UsageError(`Cannot write BVH: there are more than ${MOST_FRAMES} frames`);
    }
    const key = handKey(of, local.joints);
    const known = timings.get(key);
    if (known !== undefined) known.times.push(of.time);
    else if (timings.size < MOST_FILES) {
      const empty = { interval: DEFAULT_INTERVAL, repeats: new Uint8Array(0), frames: 0, next: 0 };
      timings.set(key, { times: [of.time], ...empty });
    }
  }
  return timings;
}

/** Places the frames at equal distances, at the median of theirs. */
function spread(timing: Timing): void {
  const { times } = timing;
  const steps = times.slice(1).map((time, i) => time - times[i]!).filter((step) => step > 0);
  steps.sort((one, other) => one - other);
  const interval = timing.interval = steps[steps.length >> 1] ?? DEFAULT_INTERVAL;
  const place = (time: number): number => Math.round((time - times[0]!) / interval);
  timing.repeats = Uint8Array.from(times, (time, i) => {
    const next = times[i + 1];
    const repeats = next === undefined ? 1 : place(next) - place(time);
    return Math.min(Math.max(repeats, 0), MOST_REPEATS);
  });
  timing.frames = timing.repeats.reduce((sum, repeats) => sum + repeats, 0);
}

interface Bone {
  readonly joint: Joint;
  readonly depth: number;
}

/** The joints of the tree that has the wrist, each followed by all below it. */
function ordered(local: LocalJoints): Bone[] {
  let root = local.wrist ?? local.joints[0]!;
  while (root.parent !== undefined) root = root.parent;
  const bones: Bone[] = [];
  const waiting: Bone[] = [{ joint: root, depth: 0 }];
  for (let bone = waiting.pop(); bone !== undefined; bone = waiting.pop()) {
    bones.push(bone);
    const { joint, depth } = bone;
    const children = local.joints.filter(({ parent }) => parent === joint).toReversed();
    waiting.push(...children.map((child) => ({ joint: child, depth: depth + 1 })));
  }
  return bones;
}

function head(
  bones: readonly Bone[],
  { definition }: MotionDevice,
  { frames, interval }: Timing,
): string {
  const lines = ["HIERARCHY"];
  for (const [i, { joint, depth }] of bones.entries()) {
    const indent = "  ".repeat(depth);
    const rest = definition?.staticData.find(({ targetFrame, value }) =>
      targetFrame === joint.frame && value.length === 7
    );
    const offset = depth === 0 ? [0, 0, 0] : rest!.value.slice(0, 3);
    const channels = depth === 0
      ? "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
      : "3 Zrotation Xrotation Yrotation";
    lines.push(
      `${indent}${depth === 0 ? "ROOT" : "JOINT"} ${cell(joint.frame)}`,
      `${indent}{`,
      `${indent}  OFFSET ${offset.map(fixed).join(" ")}`,
      `${indent}  CHANNELS ${channels}`,
    );
    const next = bones[i + 1]?.depth ?? 0;
    if (next <= depth) {
      lines.push(`${indent}  End Site`, `${indent}  {`);
      lines.push(`${indent}    OFFSET 0 0 0`, `${indent}  }`);
    }
    for (let level = depth; level >= next && level >= 0; level--) {
      if (level > 0 || i === bones.length - 1) lines.push(`${"  ".repeat(level)}}`);
    }
  }
  const time = (interval / 1_000).toFixed(7);
  return [...lines, "MOTION", `Frames: ${frames}`, `Frame Time: ${time}`, ""].join("\n");
}

/** The channels of a joint: of the root its place, of each joint its rotation. */
function motion(joint: Joint, local: LocalJoints, sample: Sample): string {
  const values = Array.from(sample.values(local.group.streams[joint.index]!), Number);
  if (joint.parent !== undefined) return angles(values).map(fixed).join(" ");
  return [...values.slice(0, 3), ...angles(values.slice(3))].map(fixed).join(" ");
}

/** A quaternion as rotations about Z, then X, then Y, in degrees: R = Rz Rx Ry. */
function angles(quaternion: readonly number[]): number[] {
  const length = Math.hypot(...quaternion) || 1;
  const [x, y, z, w] = quaternion.map((value) => value / length) as [
    number,
    number,
    number,
    number,
  ];
  const sine = Math.min(Math.max(2 * (y * z + w * x), -1), 1);
  const isLocked = Math.abs(sine) > 1 - 1e-9;
  const about = isLocked
    // Only the sum of the other two is known.
    ? [Math.atan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z)), Math.asin(sine), 0]
    : [
      Math.atan2(2 * (w * z - x * y), 1 - 2 * (x * x + z * z)),
      Math.asin(sine),
      Math.atan2(2 * (w * y - x * z), 1 - 2 * (x * x + y * y)),
    ];
  return about.map((angle) => angle * 180 / Math.PI);
}

/** No reader of BVH knows exponents, or numbers that are none. */
function fixed(value: number): string {
  return Number.isFinite(value) ? `${Number(value.toFixed(7))}`.replace(/^-?\d.*e.*$/, "0") : "0";
}
