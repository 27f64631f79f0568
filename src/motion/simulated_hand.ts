/**
 * A moving hand as the hand solver would send it.
 *
 * @module
 */

import type { JsonObject } from "../message/json.ts";
import { DataFrame } from "./data_frame.ts";
import { type MotionStream, readDefinition } from "./definition.ts";
import { forearmName, handDefinition, modelJoints, turned } from "./hand_model.ts";
import { type HandPose, handPoseAt } from "./hand_motion.ts";
import { FINGER_JOINT_NAMES, FINGERS, localName, OPENXR_JOINT_NAMES, type Side } from "./joints.ts";
import { LocalJoints } from "./local_joints.ts";
import { OpenXrJoints } from "./openxr_joints.ts";
import { aboutAxis, multiply, product } from "./quaternion.ts";

/** The time between two frames of a hand in milliseconds: about 83 a second (confirmed). */
export const HAND_FRAME_PERIOD = 12;

/** Options of a {@link SimulatedHand}. */
export interface SimulatedHandOptions {
  /** Which hand. */
  readonly side: Side;
  /** The wire's `device_id`. */
  readonly deviceId: number;
  /** Same seed, same motion. Default: 1. */
  readonly seed?: number | undefined;
  /** Whether it sends `joints_openxr`. Default: true. */
  readonly openXr?: boolean | undefined;
}

// The hand points away (-Z) with its palm down, from where an elbow is; right and left apart.
const ROOT_TURN = aboutAxis(1, 0, 0, Math.PI / 2);
const ROOT_PLACE = [0.2, 1.1, -0.1] as const;
// From the axes of `joints_local` (bones -Y, palm +Z) to OpenXR's (bones -Z, palm -Y).
const TO_OPENXR = aboutAxis(1, 0, 0, -Math.PI / 2);

/** Moves a hand and makes its definition and its data frames. Pure: the caller has the clock. */
export class SimulatedHand {
  /** Which hand. */
  readonly side: Side;
  /** The definition as it goes on the wire; see `encodeDefinition`. */
  readonly definition: JsonObject;
  /** The joints with the poses of the last frame. */
  readonly joints: LocalJoints;
  /** The data frames of the last pose: `joints_local`, then `joints_openxr`. */
  readonly frames: readonly DataFrame[];
  readonly #seed: number;
  readonly #local: DataFrame;
  readonly #openXr: DataFrame | undefined;

  /** Creates a hand at rest. */
  constructor({ side, deviceId, seed = 1, openXr = true }: SimulatedHandOptions) {
    this.side = side;
    this.#seed = seed;
    this.definition = handDefinition(side, deviceId, openXr);
    const definition = readDefinition(this.definition);
    this.joints = new LocalJoints(definition, side);
    this.#local = new DataFrame(deviceId, this.joints.group);
    if (openXr) this.#openXr = new DataFrame(deviceId, new OpenXrJoints(definition).group);
    this.frames = this.#openXr === undefined ? [this.#local] : [this.#local, this.#openXr];
    for (const { frame, rest } of modelJoints(side)) {
      const values = frame === forearmName(side) ? this.#root() : rest.slice(3);
      this.#local.set(this.#streamOf(frame), values);
    }
  }

  /**
   * Moves the hand to a time in milliseconds and returns its data frames, header included:
   * `joints_local`, then `joints_openxr`. The next call overwrites them. `stamp` is the time that they
   * say, in milliseconds.
   */
  framesAt(time: number, stamp: number = time): readonly Uint8Array[] {
    this.pose(handPoseAt(this.#seed, this.side, time));
    return stamped(this.frames, stamp);
  }

  /** Bends the hand to a pose. */
  pose({ wrist: [flexion, deviation], fingers }: HandPose): void {
    const { side } = this;
    this.#turn(localName("wrist", side)!, turned(side, -deviation, 0, -flexion));
    for (const [i, finger] of FINGERS.entries()) {
      const [knuckle, second, third, spread] = fingers[i]!;
      const names = FINGER_JOINT_NAMES[finger].map((name) => localName(name, side)!);
      this.#turn(names[1]!, turned(side, -spread, 0, -knuckle));
      this.#turn(names[2]!, turned(side, 0, 0, -second));
      if (finger !== "thumb") this.#turn(names[3]!, turned(side, 0, 0, -third));
    }
    this.joints.update(this.#local);
    if (this.#openXr !== undefined) this.#poseOpenXr(this.#openXr);
  }

  #turn(frame: string, rotation: number[]): void {
    this.#local.set(this.#streamOf(frame), rotation);
  }

  #streamOf(frame: string): MotionStream {
    return this.joints.group.streams[this.joints.get(frame)!.index]!;
  }

  #poseOpenXr(openXr: DataFrame): void {
    for (const [i, name] of OPENXR_JOINT_NAMES.entries()) {
      const joint = this.joints.get(name === "palm" ? "middle_metacarpal" : name)!;
      const position = [...joint.position];
      if (name === "palm") {
        // In OpenXR the palm is the middle of that bone.
        const { position: end } = this.joints.get("middle_proximal")!;
        for (let axis = 0; axis < 3; axis++) position[axis] = (position[axis]! + end[axis]!) / 2;
      }
      const rotation = [0, 0, 0, 0];
      multiply(rotation, 0, joint.rotation, 0, TO_OPENXR, 0);
      openXr.set(openXr.group.streams[i]!, [...position, ...rotation]);
    }
  }

  #root(): number[] {
    const [x, y, z] = ROOT_PLACE;
    return [this.side === "left" ? -x : x, y, z, ...product(ROOT_TURN)];
  }
}

/** Sets the time of data frames, in milliseconds, and returns their bytes. */
export function stamped(frames: readonly DataFrame[], time: number): readonly Uint8Array[] {
  return frames.map((frame) => {
    frame.deviceTime = BigInt(Math.round(time * 1000));
    return frame.frame;
  });
}
