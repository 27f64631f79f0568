/**
 * A hand for tools of virtual characters: messages of the VMC protocol with Unity's bone names. Unity's
 * axes and the rest pose of a character are known; that the fingers fit them was not tried.
 *
 * @module
 */

import { FINGERS, type Joint } from "@rcsp/rcsp/motion";
import type { HandPose } from "../driver/hand_stream.ts";
import type { OscMessage } from "./messages.ts";

type Quaternion = readonly [x: number, y: number, z: number, w: number];

/** Unity's bones of a finger, each with the joint that turns it and the joint before. */
const BONES = ["Proximal", "Intermediate", "Distal"] as const;
const HALF = Math.SQRT1_2;
/**
 * From fingers that point forward (Unity's +Z) to those of a character with its arms out: a left hand
 * points to -X, a right hand to +X.
 */
const TURN = { left: [0, -HALF, 0, HALF], right: [0, HALF, 0, HALF] } as const;

/** `/VMC/Ext/Bone/Pos` for each finger bone; nothing for a hand without a side or OpenXR joints. */
export function vmcMessages({ side, joints }: HandPose): OscMessage[] {
  const { wrist, fingers } = joints;
  // The axes of other joints than OpenXR's are not the ones that are turned here.
  if (side === undefined || wrist === undefined || joints.axes.forward[2] !== -1) return [];
  const turn: Quaternion = TURN[side];
  const messages: OscMessage[] = [];
  for (const finger of FINGERS) {
    const chain = fingers[finger];
    if (chain === undefined) continue;
    // Unity has no metacarpal bone but that of the thumb.
    const bones = finger === "thumb" ? chain.slice(0, 3) : chain.slice(1, 4);
    bones.forEach((joint, i) => {
      const rotation = toUnity(relative(i === 0 ? wrist : bones[i - 1]!, joint));
      const turned = multiply(multiply(turn, rotation), conjugate(turn));
      const Finger = finger[0]!.toUpperCase() + finger.slice(1);
      const name = `${side === "left" ? "Left" : "Right"}${Finger}${BONES[i]}`;
      // A receiver keeps the positions of its own character.
      const numbers = [0, 0, 0, ...turned];
      if (!numbers.every(Number.isFinite)) return;
      messages.push({
        address: "/VMC/Ext/Bone/Pos",
        args: [
          { type: "s", value: name },
          ...numbers.map((value) => ({ type: "f" as const, value })),
        ],
      });
    });
  }
  if (messages.length > 0) {
    messages.unshift({ address: "/VMC/Ext/OK", args: [{ type: "i", value: 1 }] });
  }
  return messages;
}

/** The rotation of a joint in the frame of another. */
function relative(parent: Joint, { rotation }: Joint): Quaternion {
  return multiply(conjugate(quaternion(parent.rotation)), quaternion(rotation));
}

/** From right-handed with -Z forward to left-handed with +Z forward. */
function toUnity([x, y, z, w]: Quaternion): Quaternion {
  return [-x, -y, z, w];
}

function quaternion(numbers: Float32Array): Quaternion {
  const [x = NaN, y = NaN, z = NaN, w = NaN] = numbers;
  return [x, y, z, w];
}

function conjugate([x, y, z, w]: Quaternion): Quaternion {
  return [-x, -y, -z, w];
}

function multiply([ax, ay, az, aw]: Quaternion, [bx, by, bz, bw]: Quaternion): Quaternion {
  return [
    aw * bx + ax * bw + ay * bz - az * by,
    aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw,
    aw * bw - ax * bx - ay * by - az * bz,
  ];
}
