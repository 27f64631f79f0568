/**
 * A hand as viewers draw it: a frame for each joint, and spheres and lines in the frame of the wrist,
 * as the yaw of the world is arbitrary.
 *
 * @module
 */

import type { JointSet } from "@rcsp/rcsp/motion";
import { UNDRAWN } from "./mcap_schemas.ts";

const POSE_SIZE = 7;
/** Meters; of joints whose definition has none. */
const RADIUS = 0.006;
const COLORS: Readonly<Record<string, readonly number[]>> = {
  left: [0.25, 0.6, 1, 1],
  right: [1, 0.55, 0.2, 1],
};

interface Time {
  readonly sec: number;
  readonly nsec: number;
}

/** Nanoseconds since 1970, as viewers want them. */
export function toTime(nanoseconds: bigint): Time {
  return {
    sec: Number(nanoseconds / 1_000_000_000n),
    nsec: Number(nanoseconds % 1_000_000_000n),
  };
}

/** All poses in the world: 7 numbers for each joint. */
export function jointsMessage(device: number, { poses }: JointSet, time: Time): unknown {
  const joints: number[][] = [];
  for (let at = 0; at < poses.length; at += POSE_SIZE) {
    joints.push(Array.from(poses.subarray(at, at + POSE_SIZE), round));
  }
  return { device, time, joints };
}

/** Draws a hand; keeps the memory for its poses relative to the wrist. */
export class HandDrawing {
  readonly #side: string;
  readonly #set: JointSet;
  readonly #relative: Float32Array;
  /** Two joints for each bone, one after the other. */
  readonly #bones: readonly number[];

  /** Creates the drawing of a set of joints that has a wrist. */
  constructor(side: string, set: JointSet) {
    this.#side = side;
    this.#set = set;
    this.#relative = new Float32Array(set.poses.length);
    this.#bones = set.joints.flatMap(({ index, parent }) => parent ? [parent.index, index] : []);
  }

  /** Draws the hand as it is now. */
  draw(timestamp: Time): { readonly tf: unknown; readonly scene: unknown } {
    this.#set.copyRelative(this.#relative);
    return { tf: this.#transforms(timestamp), scene: this.#scene(timestamp) };
  }

  /** The wrist in the world, and each other joint in the frame of the wrist. */
  #transforms(timestamp: Time): unknown {
    const { joints, wrist, poses } = this.#set;
    const root = this.#frame(wrist!.index);
    const transforms = joints.map(({ index }) => {
      const isWrist = index === wrist!.index;
      const { position, orientation } = pose(isWrist ? poses : this.#relative, index);
      return {
        timestamp,
        parent_frame_id: isWrist ? "world" : root,
        child_frame_id: this.#frame(index),
        translation: position,
        rotation: orientation,
      };
    });
    return { transforms };
  }

  /** A sphere for each joint and a line for each bone. */
  #scene(timestamp: Time): unknown {
    const { joints, wrist } = this.#set;
    const [r, g, b, a] = COLORS[this.#side] ?? [0.7, 0.7, 0.7, 1];
    const color = { r, g, b, a };
    const spheres = joints.map(({ index, radius }) => {
      const size = 2 * round(radius ?? RADIUS);
      const { position } = pose(this.#relative, index);
      return {
        pose: { position, orientation: UPRIGHT },
        size: { x: size, y: size, z: size },
        color,
      };
    });
    const points = this.#bones.map((index) => pose(this.#relative, index).position);
    const line = { ...LINES, points, color };
    const frame_id = this.#frame(wrist!.index);
    const entity = { ...ENTITY, timestamp, frame_id, id: this.#side, spheres, lines: [line] };
    return { deletions: [], entities: [entity] };
  }

  #frame(index: number): string {
    const { name, frame } = this.#set.joints[index]!;
    return `${this.#side}_${name ?? frame}`;
  }
}

const ORIGIN = { x: 0, y: 0, z: 0 };
const UPRIGHT = { x: 0, y: 0, z: 0, w: 1 };
const LINES = {
  /** Two points for each line (`LINE_LIST`). */
  type: 2,
  pose: { position: ORIGIN, orientation: UPRIGHT },
  thickness: 0.004,
  scale_invariant: false,
  colors: [],
  indices: [],
};
/** With all kinds of shapes, as viewers expect them. */
const ENTITY = {
  lifetime: { sec: 0, nsec: 0 },
  frame_locked: true,
  metadata: [],
  ...Object.fromEntries(UNDRAWN.map((shape) => [shape, []])),
};

function pose(poses: Float32Array, index: number) {
  const [x, y, z, qx, qy, qz, qw] = Array.from(
    poses.subarray(index * POSE_SIZE, (index + 1) * POSE_SIZE),
    round,
  ) as [number, number, number, number, number, number, number];
  return { position: { x, y, z }, orientation: { x: qx, y: qy, z: qz, w: qw } };
}

/** To a millionth: a float has no more of a meter. */
function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
