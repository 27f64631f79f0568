/**
 * The joints of a hand with their poses.
 *
 * @module
 */

import {
  FINGER_JOINT_NAMES,
  type OpenXrJointName,
  type PerFinger,
  perFinger,
  webXrName,
} from "./joints.ts";
import { multiply, rotate } from "./quaternion.ts";

/** The numbers of a pose: position x, y, z in meters, then rotation x, y, z, w. */
export const POSE_SIZE = 7;

/** One joint. Its position and rotation are views that every frame updates. */
export interface Joint {
  /** The name in its group: `target_frame`, such as `xr_wrist` or `left_hand`. */
  readonly frame: string;
  /** The OpenXR name of the joint, such as `wrist`; `undefined` if it has none. */
  readonly name: OpenXrJointName | undefined;
  /** WebXR's name, such as `index-finger-tip`; `undefined` if it has none. */
  readonly webXrName: string | undefined;
  /** Its place in the set. */
  readonly index: number;
  /** The joint that it hangs on; `undefined` for a root. */
  readonly parent: Joint | undefined;
  /** x, y, z in meters (inferred), in the world. */
  readonly position: Float32Array;
  /** A quaternion x, y, z, w, in the world. */
  readonly rotation: Float32Array;
  /** In meters (inferred); `undefined` if the definition has none. */
  readonly radius: number | undefined;
}

/** Which way a hand points in the frame of its wrist: vectors of length 1. */
export interface HandAxes {
  /** From the wrist to the fingers. */
  readonly forward: readonly number[];
  /** The hinge axis: a rotation about it by a negative angle closes the finger. */
  readonly hinge: readonly number[];
}

/** All joints of one group of a hand. */
export class JointSet {
  /** The joints, in the order of `poses`. */
  readonly joints: readonly Joint[];
  /** All poses in the world, flat: 7 numbers for each joint. Every frame updates it in place. */
  readonly poses: Float32Array;
  /** Which way the hand points. */
  readonly axes: HandAxes;
  /** The joint named `wrist`; `undefined` if there is none. */
  readonly wrist: Joint | undefined;
  /** The joints of each finger from the hand to the tip; `undefined` if one of them is missing. */
  readonly fingers: PerFinger<readonly Joint[] | undefined>;
  readonly #byName = new Map<string, Joint>();

  /** `poses` is the memory behind the positions and rotations of `joints`, in the same order. */
  constructor(joints: readonly Joint[], poses: Float32Array, axes: HandAxes) {
    this.joints = joints;
    this.poses = poses;
    this.axes = axes;
    for (const joint of joints) {
      for (const name of [joint.frame, joint.name, joint.webXrName]) {
        if (name !== undefined) this.#byName.set(name, joint);
      }
    }
    this.wrist = this.get("wrist");
    this.fingers = perFinger((finger) => {
      const chain = FINGER_JOINT_NAMES[finger].map((name) => this.get(name));
      return chain.includes(undefined) ? undefined : chain as Joint[];
    });
  }

  /** Finds a joint by the name in its group, its OpenXR name or its WebXR name. */
  get(name: string): Joint | undefined {
    return this.#byName.get(name);
  }

  /**
   * Copies all poses relative to a joint, the wrist by default: what to draw, as the yaw of the world
   * is arbitrary and the wrist may be turned by 180 degrees.
   *
   * @throws {RangeError} If `target` has no room for 7 numbers of each joint.
   * @throws {TypeError} If there is no joint to start from.
   */
  copyRelative(target: Float32Array, origin: Joint | undefined = this.wrist): void {
    const { poses } = this;
    if (origin === undefined) {
      throw new TypeError(
        "Cannot copy poses as the hand has no wrist: pass another joint as 'origin'",
      );
    }
    if (target.length < poses.length) {
      throw new RangeError(
        `Cannot copy ${poses.length} numbers into an array of ${target.length}`,
      );
    }
    const [x, y, z] = origin.position as unknown as [number, number, number];
    const [rx, ry, rz, rw] = origin.rotation as unknown as [number, number, number, number];
    const inverse = [-rx, -ry, -rz, rw];
    for (let at = 0; at < poses.length; at += POSE_SIZE) {
      target[at] = poses[at]! - x;
      target[at + 1] = poses[at + 1]! - y;
      target[at + 2] = poses[at + 2]! - z;
      rotate(target, at, inverse, 0, target, at);
      multiply(target, at + 3, inverse, 0, poses, at + 3);
    }
  }
}

/** Creates the joint whose pose is the one at `index` in `poses`. */
export function makeJoint(
  poses: Float32Array,
  joint: Omit<Joint, "webXrName" | "position" | "rotation">,
): Joint {
  const at = joint.index * POSE_SIZE;
  return {
    ...joint,
    webXrName: joint.name && webXrName(joint.name),
    position: poses.subarray(at, at + 3),
    rotation: poses.subarray(at + 3, at + POSE_SIZE),
  };
}
