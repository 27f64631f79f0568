/**
 * A solved hand: its joints and its measures.
 *
 * @module
 */

import type { RcspError } from "../errors.ts";
import { isObject } from "../message/json.ts";
import type { DataFrame, Sample } from "./data_frame.ts";
import { type DeviceDefinition, findGroup, type MotionGroup } from "./definition.ts";
import type { Joint } from "./joint_set.ts";
import type { Side } from "./joints.ts";
import { LOCAL_GROUP, LocalJoints } from "./local_joints.ts";
import { type HandMeasures, measureHand } from "./measures.ts";
import { OpenXrJoints } from "./openxr_joints.ts";

/** The `device_type` of a hand (confirmed). */
export const HAND_DEVICE_TYPE = "solved_hand";

/**
 * A solved hand. All poses are in the world, whose yaw is arbitrary until it is calibrated: draw with
 * `copyRelative()` of a set of joints unless you know better.
 */
export class Hand {
  /** The device. */
  readonly deviceId: number;
  /** Which hand it is, by `device_info.hand`; `undefined` if the definition has none. */
  readonly side: Side | undefined;
  /** The 26 joints of OpenXR; `undefined` if the definition lacks them: see `error`. */
  readonly openXr: OpenXrJoints | undefined;
  /** The joints as the solver has them; `undefined` if the definition lacks them. */
  readonly local: LocalJoints | undefined;
  /** What is wrong with the definition, and what to do. The other joints can still be used. */
  readonly error: RcspError | undefined;
  #hasOpenXr = false;
  #hasLocal = false;

  /** Creates the hand of a definition. Never throws: see `error`. */
  constructor(definition: DeviceDefinition) {
    this.deviceId = definition.deviceId;
    this.side = readSide(definition);
    const errors: RcspError[] = [];
    const attempt = <T>(make: () => T): T | undefined => {
      try {
        return make();
      } catch (error) {
        errors.push(error as RcspError);
        return undefined;
      }
    };
    this.openXr = attempt(() => new OpenXrJoints(definition));
    // Only `joints_openxr` has a remedy, so only its absence is an error.
    if (findGroup(definition, LOCAL_GROUP) !== undefined) {
      this.local = attempt(() => new LocalJoints(definition, this.side));
    }
    this.error = errors[0];
  }

  /** The 26 joints in the order of OpenXR; empty if the definition lacks them. */
  get joints(): readonly Joint[] {
    return this.openXr?.joints ?? [];
  }

  /**
   * Returns the frame to load for a group, if its values are the poses themselves: no `update()` is
   * needed then.
   */
  useFrame(group: MotionGroup): DataFrame | undefined {
    if (group !== this.openXr?.group || this.openXr.frame === undefined) return undefined;
    this.#hasOpenXr = true;
    return this.openXr.frame;
  }

  /** Takes the poses of a sample, if it is one of this hand. */
  update(sample: Sample): void {
    if (sample.group === this.openXr?.group) {
      this.openXr.update(sample);
      this.#hasOpenXr = true;
    } else if (sample.group === this.local?.group) {
      this.local.update(sample);
      this.#hasLocal = true;
    }
  }

  /**
   * Measures the hand by the local joints, whose axes are confirmed, or else by those of OpenXR;
   * `undefined` before the first poses.
   */
  measure(): HandMeasures | undefined {
    const byLocal = this.#hasLocal ? measureHand(this.local!, this.side) : undefined;
    return byLocal ?? (this.#hasOpenXr ? measureHand(this.openXr!, this.side) : undefined);
  }
}

function readSide({ raw }: DeviceDefinition): Side | undefined {
  const info = raw["device_info"];
  const hand = isObject(info) ? info["hand"] : undefined;
  return hand === "left" || hand === "right" ? hand : undefined;
}
