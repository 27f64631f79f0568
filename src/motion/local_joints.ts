/**
 * The group `joints_local`: a root in the world, and the rotation of every other joint relative to
 * its parent. Forward kinematics makes poses in the world of them (confirmed):
 *
 * - `position = parent.position + parent.rotation * rest.position`
 * - `rotation = parent.rotation * streamed rotation`; the rotation of the rest pose is not used.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { quote } from "../escape.ts";
import type { NumberValues, Sample } from "./data_frame.ts";
import { type DeviceDefinition, findGroup, type MotionGroup } from "./definition.ts";
import { type HandAxes, type Joint, JointSet, makeJoint, POSE_SIZE } from "./joint_set.ts";
import { localName, OPENXR_JOINT_NAMES, type Side } from "./joints.ts";
import { multiply, rotate } from "./quaternion.ts";

/** The name of the group (confirmed). */
export const LOCAL_GROUP = "joints_local";
/** The start of the name of a world frame (confirmed). */
export const WORLD_PREFIX = "LTP_";

/** Bones along -Y, hinge about X (confirmed). */
const AXES: HandAxes = { forward: [0, -1, 0], hinge: [1, 0, 0] };
const ROTATION_SIZE = 4;

/** The joints of a hand as the group names them, with poses in the world. */
export class LocalJoints extends JointSet {
  /** The group whose samples they are. */
  readonly group: MotionGroup;
  /** The joints, parents first. */
  readonly #order: readonly Joint[];
  /** The position of each joint relative to its parent. */
  readonly #rest: readonly (readonly number[])[];

  /**
   * Creates the joints of a definition.
   *
   * @throws {ProtocolError} If it has no group `joints_local`, or one that is not a tree of joints with a
   *   rest pose each.
   */
  constructor(definition: DeviceDefinition, side: Side | undefined) {
    const group = findGroup(definition, LOCAL_GROUP);
    if (group === undefined) throw localError(definition, "no such group");
    const { streams } = group;
    const poses = new Float32Array(streams.length * POSE_SIZE);
    const { order, rest } = buildTree(definition, group, poses, side);
    super(order.toSorted((a, b) => a.index - b.index), poses, AXES);
    this.group = group;
    this.#order = order;
    this.#rest = rest;
  }

  /** Takes the rotations of a sample of this group and computes all poses. */
  update(sample: Sample): void {
    const { poses, group } = this;
    for (const { index, parent } of this.#order) {
      const values = sample.values(group.streams[index]!) as NumberValues;
      const at = index * POSE_SIZE;
      if (parent === undefined) {
        poses.set(values, at);
        continue;
      }
      const from = parent.index * POSE_SIZE;
      rotate(poses, at, poses, from + 3, this.#rest[index]!, 0);
      for (let i = 0; i < 3; i++) poses[at + i]! += poses[from + i]!;
      multiply(poses, at + 3, poses, from + 3, values, 0);
    }
  }
}

interface Tree {
  readonly order: Joint[];
  readonly rest: (readonly number[])[];
}

/** Finds every joint's parent and rest pose, and an order in which parents come first. */
function buildTree(
  definition: DeviceDefinition,
  group: MotionGroup,
  poses: Float32Array,
  side: Side | undefined,
): Tree {
  const restPoses = new Map(
    definition.staticData
      .filter(({ value }) => value.length === POSE_SIZE)
      .map((entry) => [entry.targetFrame, entry]),
  );
  const names = new Map(
    OPENXR_JOINT_NAMES.map((name) => [side && localName(name, side), name]),
  );
  const rest: (readonly number[])[] = [];
  const parents: (string | undefined)[] = [];
  const frames = new Set<string>();
  for (const { index, targetFrame, type, length, ...stream } of group.streams) {
    if (targetFrame === undefined || frames.has(targetFrame)) {
      throw localError(definition, `stream ${index} without a name of its own`);
    }
    frames.add(targetFrame);
    const restPose = restPoses.get(targetFrame);
    const reference = stream.referenceFrame ?? restPose?.referenceFrame;
    const isRoot = reference === undefined || reference.startsWith(WORLD_PREFIX);
    if (type !== "FLOAT" || length !== (isRoot ? POSE_SIZE : ROTATION_SIZE)) {
      throw localError(definition, `${quote(targetFrame)} with values of another type`);
    }
    if (!isRoot && restPose === undefined) {
      throw localError(definition, `no rest pose of ${quote(targetFrame)}`);
    }
    rest.push(restPose?.value ?? []);
    parents.push(isRoot ? undefined : reference);
  }
  const children = Map.groupBy(group.streams, ({ index }) => parents[index]);
  const order: Joint[] = [];
  const add = (parent: Joint | undefined): void => {
    for (const { index, targetFrame } of children.get(parent?.frame) ?? []) {
      const frame = targetFrame!;
      const name = names.get(frame);
      order.push(makeJoint(poses, { frame, name, index, parent, radius: undefined }));
    }
  };
  add(undefined);
  // The list grows while it is read: breadth first.
  for (let i = 0; i < order.length; i++) add(order[i]);
  if (order.length !== group.streams.length) {
    throw localError(definition, "joints whose parents do not lead to a root");
  }
  return { order, rest };
}

function localError({ deviceId }: DeviceDefinition, received: string): ProtocolError {
  return new ProtocolError("bad-shape", `Cannot read hand of device ${deviceId}`, {
    expected:
      `group '${LOCAL_GROUP}' with a root, and a parent and a rest pose for each other joint`,
    received,
  });
}
