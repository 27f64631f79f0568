/**
 * A hand as OSC messages.
 *
 * @module
 */

import { FINGERS } from "@rcsp/rcsp/motion";
import type { HandPose } from "../driver/hand_stream.ts";
import { floats, type OscMessage } from "./messages.ts";

/** What to send of a hand. */
export interface HandMessageOptions {
  /** One address for each finger. */
  readonly floats: boolean;
  /** The joints too. */
  readonly joints: boolean;
}

/** The messages of a pose below `/rokoko/left`. What is not known is left out, never NaN. */
export function handMessages(pose: HandPose, options: HandMessageOptions): OscMessage[] {
  const { name, curls, measures, joints } = pose;
  const base = `/rokoko/${name}`;
  const messages = options.floats
    ? FINGERS.map((finger, i) => floats(`${base}/curl/${finger}`, [curls[i]!]))
    : [floats(`${base}/curl`, curls)];
  messages.push(floats(`${base}/pinch`, [measures.pinch]));
  if (joints.wrist !== undefined) messages.push(floats(`${base}/wrist`, joints.wrist.rotation));
  if (options.joints) {
    for (const { name, position, rotation } of joints.joints) {
      if (name === undefined) continue;
      messages.push(floats(`${base}/joint/${name}`, [...position, ...rotation]));
    }
  }
  return messages.filter(({ args }) => args.every(({ value }) => Number.isFinite(value)));
}
