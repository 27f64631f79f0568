/**
 * The hands of a recording, sample by sample.
 *
 * @module
 */

import {
  type Hand,
  type MotionDevice,
  type MotionPrefix,
  MotionRegistry,
  type Sample,
} from "@rcsp/rcsp/motion";
import type { McapItem } from "./mcap_reader.ts";
import { isLoss, motionFrame } from "./motion_player.ts";

const HEADER = 8;

/** A sample of a hand. The next one overwrites it, and the poses of the hand. */
export interface HandSample {
  readonly hand: Hand;
  readonly device: MotionDevice;
  readonly sample: Sample;
  /** When it was measured, in milliseconds since the first message of the file. */
  readonly time: number;
}

/** The samples of all hands. */
export async function* handSamples(items: AsyncIterable<McapItem>): AsyncGenerator<HandSample> {
  const found: { readonly sample: Sample; readonly device: MotionDevice }[] = [];
  const registry = new MotionRegistry({
    onSample: (sample, device) => void found.push({ sample, device }),
  });
  let start: number | undefined;
  for await (const item of items) {
    if (item.type === "Message") start ??= Number(item.logTime) / 1e6;
    if (isLoss(item, "hands")) registry.clear();
    const frame = motionFrame(item, "hands");
    if (frame === undefined || frame.bytes.length < HEADER) continue;
    const { bytes, logTime } = frame;
    const prefix = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    registry.receive(prefix as MotionPrefix, bytes.subarray(HEADER), Number(logTime) / 1e6);
    const latest = found.pop();
    if (latest?.device.hand === undefined) continue;
    yield { ...latest, hand: latest.device.hand, time: latest.sample.time - start! };
  }
}

/** What tells hands apart: those with other joints go into files of their own. */
export function handKey(
  { hand, device }: HandSample,
  joints: readonly { frame: string }[],
): string {
  return [hand.side ?? device.id, ...joints.map(({ frame }) => frame)].join("\n");
}
