/**
 * The hands of a driver as messages.
 *
 * @module
 */

import type { ConnectOptions, JsonObject } from "@rcsp/rcsp";
import { FINGERS } from "@rcsp/rcsp/motion";
import type { Context } from "../command_line/command.ts";
import { type HandPose, streamHands } from "../driver/hand_stream.ts";
import type { Site } from "./driver_bridge.ts";
import { levelWith } from "./topics.ts";

/** How hands are published. */
export interface HandOptions {
  /** Most messages per second of each hand. */
  readonly rate: number;
  /** The joints too. */
  readonly joints: boolean;
}

/** Publishes the hands of a driver until the command ends. */
export function publishHands(
  context: Context,
  { broker, topics, presence }: Site,
  driver: string | undefined,
  server: ConnectOptions,
  { rate, joints }: HandOptions,
): void {
  const levelOf = (name: string): string =>
    levelWith(driver, name.startsWith("hand_") ? name : `hand_${name}`);
  streamHands(context, server, {
    rate,
    onHand: (pose) => {
      const level = levelOf(pose.name);
      presence.set(level, true);
      const time = new Date(context.io.now()).toISOString();
      broker.latest(topics.of(level, "hand"), JSON.stringify({ time, ...values(pose, joints) }));
    },
    onGone: (name) => presence.set(levelOf(name), false),
  });
}

/** NaN, which JSON does not have, becomes `null`. */
function values({ curls, measures, joints }: HandPose, withJoints: boolean): JsonObject {
  return {
    curls: Object.fromEntries(FINGERS.map((finger, i) => [finger, rounded(curls[i]!)])),
    pinch: rounded(measures.pinch),
    ...(joints.wrist && { wrist: Array.from(joints.wrist.rotation, rounded) }),
    ...(withJoints && {
      joints: Object.fromEntries(joints.joints.map(({ name, frame, position, rotation }) => [
        name ?? frame,
        [...position, ...rotation].map(rounded),
      ])),
    }),
  };
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
