/**
 * The hand of the simulator: the lengths of its bones, and its definition.
 *
 * Lengths, the name of the forearm and the name of the world are made up. Everything else follows what
 * is confirmed of the groups `joints_local` and `joints_openxr`.
 *
 * @module
 */

import type { JsonObject } from "../message/json.ts";
import { HAND_DEVICE_TYPE } from "./hand.ts";
import { FINGER_JOINT_NAMES, FINGERS, localName, OPENXR_JOINT_NAMES, type Side } from "./joints.ts";
import { LOCAL_GROUP, WORLD_PREFIX } from "./local_joints.ts";
import { OPENXR_GROUP } from "./openxr_joints.ts";
import { aboutAxis, product } from "./quaternion.ts";

/** The world frame of the simulator (made up, but for its prefix). */
export const WORLD_FRAME: string = `${WORLD_PREFIX}simulated`;

/** A joint of the model. */
export interface ModelJoint {
  /** Its name in `joints_local`. */
  readonly frame: string;
  /** The name of its parent; of the world for the forearm. */
  readonly parent: string;
  /** Position x, y, z in meters, then rotation x, y, z, w, relative to the parent. */
  readonly rest: readonly number[];
}

// Of a right hand, in meters and degrees: bones along -Y, palm toward +Z, so the thumb is at -X.
const RIGHT_FINGERS = {
  thumb: { base: [-0.022, -0.012, 0.012], turn: [-42, 48, -12], bones: [0.046, 0.034, 0.027] },
  index: { base: [-0.02, -0.012, 0], turn: [-8, 0, 0], bones: [0.068, 0.044, 0.026, 0.02] },
  middle: { base: [-0.003, -0.012, 0], turn: [-2, 0, 0], bones: [0.064, 0.048, 0.03, 0.021] },
  ring: { base: [0.013, -0.012, 0], turn: [4, 0, 0], bones: [0.058, 0.044, 0.028, 0.021] },
  little: { base: [0.027, -0.012, 0], turn: [10, 0, 0], bones: [0.054, 0.034, 0.021, 0.018] },
} as const;
const FOREARM_LENGTH = 0.25;
const NO_TURN = [0, 0, 0, 1];

/** Returns the name of the root of a hand (made up: no public text has it). */
export function forearmName(side: Side): string {
  return `${side}_forearm`;
}

/** Returns a rotation in degrees about Z, then Y, then X of a right hand, mirrored for a left one. */
export function turned(side: Side, z: number, y: number, x: number): number[] {
  const mirror = side === "left" ? -1 : 1;
  return product(
    aboutAxis(0, 0, 1, mirror * radians(z)),
    aboutAxis(0, 1, 0, mirror * radians(y)),
    aboutAxis(1, 0, 0, radians(x)),
  );
}

/** Returns the joints of a hand, parents first. */
export function modelJoints(side: Side): ModelJoint[] {
  const forearm = forearmName(side);
  const wrist = localName("wrist", side)!;
  const joints: ModelJoint[] = [
    { frame: forearm, parent: WORLD_FRAME, rest: [0, 0, 0, ...NO_TURN] },
    { frame: wrist, parent: forearm, rest: [0, -FOREARM_LENGTH, 0, ...NO_TURN] },
  ];
  for (const finger of FINGERS) {
    const { base, turn, bones } = RIGHT_FINGERS[finger];
    const [x, y, z] = base;
    let parent = wrist;
    let rest = [side === "left" ? -x : x, y, z, ...turned(side, turn[0], turn[1], turn[2])];
    for (const [i, name] of FINGER_JOINT_NAMES[finger].entries()) {
      const frame = localName(name, side)!;
      joints.push({ frame, parent, rest });
      parent = frame;
      rest = [0, -(bones[i] ?? 0), 0, ...NO_TURN];
    }
  }
  return joints;
}

/** Returns the definition of a solved hand; without `openXr` as a solver without `--emit-openxr`. */
export function handDefinition(side: Side, deviceId: number, openXr: boolean): JsonObject {
  const joints = modelJoints(side);
  const local = joints.map(({ frame, parent }) =>
    parent === WORLD_FRAME ? poseStream(frame, parent) : {
      data_type: "FLOAT[4]",
      measure_type: "ORIENTATION",
      target_frame: frame,
      reference_frame: parent,
    }
  );
  const world = OPENXR_JOINT_NAMES.map((name) => poseStream(`xr_${name}`, WORLD_FRAME));
  const restPoses = joints.map(({ frame, parent, rest }) => ({
    measure_type: "TRANSFORM",
    value: [...rest],
    target_frame: frame,
    ...(parent === WORLD_FRAME ? {} : { reference_frame: parent }),
  }));
  const radii = OPENXR_JOINT_NAMES.map((name) => ({
    custom_label: "joint_radius",
    value: name === "palm" || name === "wrist" ? 0.025 : name.endsWith("tip") ? 0.008 : 0.01,
    target_frame: `xr_${name}`,
  }));
  const groups = [{ name: LOCAL_GROUP, streams: local }, { name: OPENXR_GROUP, streams: world }];
  return {
    device_id: deviceId,
    device_type: HAND_DEVICE_TYPE,
    timestamp_epoch: "device_boot",
    device_info: { hand: side },
    static_data: openXr ? [...restPoses, ...radii] : restPoses,
    groups: openXr ? groups : groups.slice(0, 1),
  };
}

/** Returns a stream of positions and rotations as a definition has it. */
export function poseStream(target: string, reference: string): JsonObject {
  return {
    data_type: "FLOAT[7]",
    measure_type: "TRANSFORM",
    target_frame: target,
    reference_frame: reference,
  };
}

function radians(degrees: number): number {
  return degrees * Math.PI / 180;
}
