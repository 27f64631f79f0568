/** From poses in meters, relative to the wrist, to points of a canvas. */

import type { HandAxes } from "@rcsp/rcsp/motion";

const POSE_SIZE = 7;
/** From the wrist to what the camera looks at, along the hand: its middle. */
const CENTER = 0.085;
const VIEW_DISTANCE = 0.7;
/** What fits into the smaller side of the canvas at zoom 1. */
const VIEW_SIZE = 0.215;

/** Where to look from, and at how many pixels. */
export interface View {
  readonly yaw: number;
  readonly pitch: number;
  readonly zoom: number;
  readonly width: number;
  readonly height: number;
}

/** Projects the joints of a hand; `points` holds x, y, depth and pixels per meter of each. */
export class Projection {
  readonly points: Float32Array;
  readonly #basis: readonly (readonly number[])[];

  /** `axes` say which way the hand points, as its groups differ. */
  constructor(joints: number, { forward, hinge }: HandAxes) {
    this.points = new Float32Array(joints * 4);
    this.#basis = [hinge, forward, cross(hinge, forward)];
  }

  /** Looks at the back of the hand, its fingers up. Depths grow toward the viewer. */
  project(poses: Float32Array, { yaw, pitch, zoom, width, height }: View): void {
    const { points } = this;
    const [right, up, back] = this.#basis as readonly [number[], number[], number[]];
    const [cosYaw, sinYaw] = [Math.cos(yaw), Math.sin(yaw)];
    const [cosPitch, sinPitch] = [Math.cos(pitch), Math.sin(pitch)];
    const scale = Math.min(width, height) * zoom / VIEW_SIZE;
    for (let at = 0, to = 0; to < points.length; at += POSE_SIZE, to += 4) {
      const [x, y, z] = [poses[at]!, poses[at + 1]!, poses[at + 2]!];
      const across = right[0]! * x + right[1]! * y + right[2]! * z;
      const along = up[0]! * x + up[1]! * y + up[2]! * z - CENTER;
      const above = back[0]! * x + back[1]! * y + back[2]! * z;
      const turned = cosYaw * across + sinYaw * above;
      const toward = cosYaw * above - sinYaw * across;
      const depth = sinPitch * along + cosPitch * toward;
      const perspective = scale * VIEW_DISTANCE / Math.max(VIEW_DISTANCE - depth, 0.1);
      points[to] = width / 2 + turned * perspective;
      points[to + 1] = height / 2 - (cosPitch * along - sinPitch * toward) * perspective;
      points[to + 2] = depth;
      points[to + 3] = perspective;
    }
  }
}

function cross(a: readonly number[], b: readonly number[]): number[] {
  return [
    a[1]! * b[2]! - a[2]! * b[1]!,
    a[2]! * b[0]! - a[0]! * b[2]!,
    a[0]! * b[1]! - a[1]! * b[0]!,
  ];
}
