/**
 * The sensors of a moving glove as the driver's raw stream has them.
 *
 * The names of sensors and flags are confirmed. That a sensor is a TRANSFORM and a flag a UINT32, in
 * which groups they come and how often, is invented: no public text confirms it.
 *
 * @module
 */

import type { JsonObject } from "../message/json.ts";
import { DataFrame } from "./data_frame.ts";
import { findGroup, readDefinition } from "./definition.ts";
import { forearmName, poseStream, WORLD_FRAME } from "./hand_model.ts";
import { FINGERS, type Side } from "./joints.ts";
import { type SimulatedHand, stamped } from "./simulated_hand.ts";

/** The sensors of a Smartglove II (confirmed). */
export const GLOVE_SENSORS: readonly string[] = [
  "hub",
  ...FINGERS.map((finger) => `${finger}_finger_sensor`),
  "arm_sensor",
  "coil_pro",
];

/** The flags of a Smartglove II that are known (confirmed); there may be more. */
export const GLOVE_FLAGS: readonly string[] = [
  "is_magnetometer_saturated",
  "is_accelerometer_saturated",
  "is_gyroscope_saturated",
  "is_emf_saturated",
  "not_is_accelerometer_used",
  "not_is_magnetometer_used",
  "is_coil_pro_present",
];

const COIL_POSE = [0, 1, -0.3, 0, 0, 0, 1];

/** Makes the definition and the data frames of the glove on a {@link SimulatedHand}. */
export class SimulatedGlove {
  /** The definition as it goes on the wire; see `encodeDefinition`. */
  readonly definition: JsonObject;
  readonly #hand: SimulatedHand;
  readonly #sensors: DataFrame;
  readonly #flags: DataFrame;

  /** Puts a glove with this `device_id` on a hand. */
  constructor(hand: SimulatedHand, deviceId: number) {
    this.#hand = hand;
    this.definition = gloveDefinition(hand.side, deviceId);
    const definition = readDefinition(this.definition);
    this.#sensors = new DataFrame(deviceId, findGroup(definition, "sensors")!);
    this.#flags = new DataFrame(deviceId, findGroup(definition, "flags")!);
    this.#flags.set(this.#flags.group.streams.at(-1)!, [1]);
  }

  /**
   * Reads the sensors where the hand is now, and returns two data frames, header included, with this
   * time in milliseconds. The next call overwrites them.
   */
  framesAt(time: number): readonly Uint8Array[] {
    const { joints, side } = this.#hand;
    for (const [i, sensor] of GLOVE_SENSORS.entries()) {
      const joint = joints.get(jointOf(sensor, side));
      const pose = joint === undefined ? COIL_POSE : [...joint.position, ...joint.rotation];
      this.#sensors.set(this.#sensors.group.streams[i]!, pose);
    }
    return stamped([this.#sensors, this.#flags], time);
  }
}

/** The joint that carries a sensor; the coil hangs on none. */
function jointOf(sensor: string, side: Side): string {
  if (sensor === "hub") return "wrist";
  if (sensor === "arm_sensor") return forearmName(side);
  return sensor.replace("_finger_sensor", "_distal");
}

function gloveDefinition(side: Side, deviceId: number): JsonObject {
  const sensors = GLOVE_SENSORS.map((sensor) => poseStream(sensor, WORLD_FRAME));
  const flags = GLOVE_FLAGS.map((flag) => ({
    data_type: "UINT32",
    measure_type: flag,
    target_frame: "hub",
  }));
  return {
    device_id: deviceId,
    device_type: "smartgloves",
    timestamp_epoch: "device_boot",
    device_info: { hand: side },
    static_data: [],
    groups: [{ name: "sensors", streams: sensors }, { name: "flags", streams: flags }],
  };
}
