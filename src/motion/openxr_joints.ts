/**
 * The group `joints_openxr`: 26 joints with their poses in the world.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { DataFrame, type Sample } from "./data_frame.ts";
import { type DeviceDefinition, findGroup, type MotionGroup } from "./definition.ts";
import { type HandAxes, type Joint, JointSet, makeJoint, POSE_SIZE } from "./joint_set.ts";
import { FINGER_JOINT_NAMES, FINGERS, OPENXR_JOINT_NAMES, type OpenXrJointName } from "./joints.ts";

/** The name of the group (confirmed). */
export const OPENXR_GROUP = "joints_openxr";

/** OpenXR's own axes; that the solver follows them is inferred. */
const AXES: HandAxes = { forward: [0, 0, -1], hinge: [1, 0, 0] };
const REMEDY = "start the hand solver with --emit-openxr";

/** OpenXR has no parents; these are the bones of a hand, for drawing. */
const PARENTS: ReadonlyMap<OpenXrJointName, OpenXrJointName> = new Map(
  FINGERS.flatMap((finger) =>
    FINGER_JOINT_NAMES[finger].map((name, i, names) => [name, names[i - 1] ?? "wrist"])
  ),
);

/** The 26 joints of a hand in OpenXR's order. */
export class OpenXrJoints extends JointSet {
  /** The group whose samples they are. */
  readonly group: MotionGroup;
  /** The frame whose values are the poses; `undefined` if the streams are in another order. */
  readonly frame: DataFrame | undefined;
  /** Where the pose of each stream goes. */
  readonly #order: readonly number[];

  /**
   * Creates the joints of a definition.
   *
   * @throws {ProtocolError} If it has no group `joints_openxr` with the 26 joints; the message has the
   *   remedy.
   */
  constructor(definition: DeviceDefinition) {
    const group = findGroup(definition, OPENXR_GROUP);
    const order = jointOrder(definition, group);
    const frame = order.every((joint, stream) => joint === stream)
      ? new DataFrame(definition.deviceId, group!)
      : undefined;
    const poses = frame?.floats ?? new Float32Array(OPENXR_JOINT_NAMES.length * POSE_SIZE);
    super(makeJoints(definition, poses), poses, AXES);
    this.group = group!;
    this.frame = poses === frame?.floats ? frame : undefined;
    this.#order = order;
  }

  /** Takes the poses of a sample of this group. */
  update(sample: Sample): void {
    if (sample.floats === this.poses) return;
    for (const [stream, joint] of this.#order.entries()) {
      const values = sample.values(this.group.streams[stream]!);
      this.poses.set(values as Float32Array, joint * POSE_SIZE);
    }
  }
}

/** The place in OpenXR's order of each stream. */
function jointOrder(definition: DeviceDefinition, group: MotionGroup | undefined): number[] {
  const count = OPENXR_JOINT_NAMES.length;
  const refuse = (received: string): ProtocolError =>
    new ProtocolError("bad-shape", `Cannot read hand of device ${definition.deviceId}`, {
      expected:
        `group '${OPENXR_GROUP}' with ${count} streams of FLOAT[7], xr_palm to xr_little_tip`,
      received: `${received}: ${REMEDY}`,
    });
  if (group === undefined) throw refuse("no such group");
  if (group.streams.length !== count) throw refuse(`${group.streams.length} streams`);
  const order = group.streams.map(({ targetFrame }) =>
    OPENXR_JOINT_NAMES.findIndex((name) => targetFrame === `xr_${name}`)
  );
  const missing = OPENXR_JOINT_NAMES.find((_, joint) => !order.includes(joint));
  if (missing !== undefined) throw refuse(`no stream xr_${missing}`);
  if (!group.streams.every(({ type, length }) => type === "FLOAT" && length === POSE_SIZE)) {
    throw refuse("streams of another type");
  }
  return order;
}

function makeJoints({ staticData }: DeviceDefinition, poses: Float32Array): Joint[] {
  const radii = new Map(
    staticData
      .filter(({ customLabel }) => customLabel === "joint_radius")
      .map(({ targetFrame, value }) => [targetFrame, value[0]]),
  );
  const joints: Joint[] = [];
  for (const [index, name] of OPENXR_JOINT_NAMES.entries()) {
    const frame = `xr_${name}`;
    // Every parent comes before its child.
    const parent = joints.find((joint) => joint.name === PARENTS.get(name));
    joints.push(makeJoint(poses, { frame, name, index, parent, radius: radii.get(frame) }));
  }
  return joints;
}
