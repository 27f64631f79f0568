/** Draws the joints and bones of a hand, the far ones first. */

import type { JointSet } from "@rcsp/rcsp/motion";
import type { Projection } from "./projection.ts";

/** The corners of the palm. */
const PALM = [
  "wrist",
  "thumb_metacarpal",
  "index_proximal",
  "middle_proximal",
  "ring_proximal",
  "little_proximal",
  "little_metacarpal",
];
/** In meters, where the definition has no radius. */
const USUAL_RADIUS = 0.008;
const SHADES = 12;
const JOINT = "#fff";
/** Depths beyond this many meters before and behind the middle are all alike. */
const DEPTH = 0.09;

/** The colors of a hand, ready to draw. */
export interface HandColors {
  /** From far to near. */
  readonly shades: readonly string[];
  readonly edge: string;
  readonly palm: string;
}

/** Mixes the colors of a hand: the farther, the closer to the background. */
export function handColors(accent: string, background: string): HandColors {
  const mix = (share: number): string =>
    `color-mix(in oklab, ${accent} ${Math.round(share * 100)}%, ${background})`;
  return {
    shades: Array.from({ length: SHADES }, (_, i) => mix(0.5 + 0.5 * i / (SHADES - 1))),
    edge: background,
    palm: mix(0.22),
  };
}

/** Draws one set of joints; knows its bones, so that a frame makes no garbage. */
export class HandDrawing {
  readonly #bones: { readonly from: number; readonly to: number; readonly radius: number }[] = [];
  readonly #palm: readonly number[];

  constructor(joints: JointSet) {
    for (const { index, parent, radius = USUAL_RADIUS, name } of joints.joints) {
      // Without the forearm, and whatever else has no name.
      if (parent?.name === undefined || name === undefined) continue;
      this.#bones.push({ from: parent.index, to: index, radius });
    }
    this.#palm = PALM.flatMap((name) => joints.get(name)?.index ?? []);
  }

  draw(
    context: CanvasRenderingContext2D,
    { points }: Projection,
    { shades, edge, palm }: HandColors,
    ratio: number,
  ): void {
    context.lineCap = context.lineJoin = "round";
    this.#drawPalm(context, points, palm);
    const depthOf = (bone: { from: number; to: number }): number =>
      points[bone.from * 4 + 2]! + points[bone.to * 4 + 2]!;
    this.#bones.sort((a, b) => depthOf(a) - depthOf(b));
    for (const bone of this.#bones) {
      const { from, to, radius } = bone;
      const width = Math.max(radius * 1.5 * points[to * 4 + 3]!, 2 * ratio);
      const near = Math.min(Math.max(depthOf(bone) / 2 / DEPTH, -1), 1) / 2 + 0.5;
      context.beginPath();
      context.moveTo(points[from * 4]!, points[from * 4 + 1]!);
      context.lineTo(points[to * 4]!, points[to * 4 + 1]!);
      context.strokeStyle = edge;
      context.lineWidth = width + 3 * ratio;
      context.stroke();
      context.strokeStyle = shades[Math.round(near * (shades.length - 1))]!;
      context.lineWidth = width;
      context.stroke();
      context.fillStyle = JOINT;
      context.beginPath();
      for (const end of [from, to]) {
        const [x, y] = [points[end * 4]!, points[end * 4 + 1]!];
        context.moveTo(x, y);
        context.arc(x, y, Math.max(width * 0.16, 1.2 * ratio), 0, 2 * Math.PI);
      }
      context.fill();
    }
  }

  #drawPalm(context: CanvasRenderingContext2D, points: Float32Array, color: string): void {
    if (this.#palm.length < 3) return;
    context.beginPath();
    for (const joint of this.#palm) context.lineTo(points[joint * 4]!, points[joint * 4 + 1]!);
    context.closePath();
    context.fillStyle = context.strokeStyle = color;
    context.lineWidth = 0.014 * points[3]!;
    context.fill();
    context.stroke();
  }
}
