/**
 * What people want to know of a hand: how far each finger is bent and spread, and whether it pinches.
 *
 * The definitions follow a public client of Rokoko's hand solver where they can; which sign a bent
 * finger has is inferred from the axes of the joints.
 *
 * @module
 */

import type { Joint, JointSet } from "./joint_set.ts";
import { type PerFinger, perFinger, type Side } from "./joints.ts";
import { rotate } from "./quaternion.ts";

/** Angles and distances of a hand. A value is NaN where the poses have no answer. */
export interface HandMeasures {
  /**
   * Degrees by which each joint of a finger is bent, from the knuckle on (three, the thumb has two):
   * the angle between the bones before and after the joint, in the plane of its hinge. 0 is straight,
   * positive is closed.
   */
  readonly flexions: PerFinger<readonly number[]>;
  /** Degrees by which each finger is bent: the sum of its flexions. */
  readonly curls: PerFinger<number>;
  /**
   * Degrees between the first phalanx of each finger and the forward direction of the hand, in the
   * plane of the palm; positive is toward the thumb. It is meaningless for a finger that is bent by 90
   * degrees or more.
   */
  readonly spreads: PerFinger<number>;
  /** Distance between the tips of thumb and index finger, in meters. */
  readonly pinch: number;
}

/** Measures a hand; `undefined` if joints are missing. `side` only decides the sign of spreads. */
export function measureHand(joints: JointSet, side: Side | undefined): HandMeasures | undefined {
  const { wrist, fingers, axes } = joints;
  if (wrist === undefined || Object.values(fingers).includes(undefined)) return undefined;
  const chains = fingers as PerFinger<readonly Joint[]>;
  const forward = rotated(axes.forward, wrist);
  const thumbward = rotated(axes.hinge, wrist);
  const mirror = side === "left" ? 1 : -1;
  const flexions = perFinger((finger) => {
    const chain = chains[finger];
    return chain.slice(1, -1).map((joint, i) =>
      flexion(chain[i]!, joint, chain[i + 2]!, axes.hinge)
    );
  });
  return {
    flexions,
    curls: perFinger((finger) => flexions[finger].reduce((sum, angle) => sum + angle, 0)),
    spreads: perFinger((finger) => {
      const phalanx = between(chains[finger][1]!, chains[finger][2]!);
      return degrees(Math.atan2(mirror * dot(phalanx, thumbward), dot(phalanx, forward)));
    }),
    pinch: Math.hypot(...between(chains.thumb.at(-1)!, chains.index.at(-1)!)),
  };
}

function flexion(parent: Joint, joint: Joint, child: Joint, hinge: readonly number[]): number {
  const axis = rotated(hinge, parent);
  const before = flattened(between(parent, joint), axis);
  const after = flattened(between(joint, child), axis);
  const sine = dot(axis, cross(before, after));
  const cosine = dot(before, after);
  // Two zeros would make an angle of 0 out of nothing.
  return sine === 0 && cosine === 0 ? NaN : 0 - degrees(Math.atan2(sine, cosine));
}

type Vector = readonly [x: number, y: number, z: number];

function rotated(vector: readonly number[], { rotation }: Joint): Vector {
  const out: [number, number, number] = [0, 0, 0];
  rotate(out, 0, rotation, 0, vector, 0);
  return out;
}

function between({ position: from }: Joint, { position: to }: Joint): Vector {
  return [to[0]! - from[0]!, to[1]! - from[1]!, to[2]! - from[2]!];
}

/** The part of a vector in the plane at right angles to an axis. */
function flattened(vector: Vector, axis: Vector): Vector {
  const along = dot(vector, axis);
  return [vector[0] - along * axis[0], vector[1] - along * axis[1], vector[2] - along * axis[2]];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function cross([ax, ay, az]: Vector, [bx, by, bz]: Vector): Vector {
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}

function degrees(radians: number): number {
  return radians * 180 / Math.PI;
}
