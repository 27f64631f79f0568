/**
 * Hands as comma-separated values: a line for each sample, 7 numbers for each joint.
 *
 * @module
 */

import type { JointSet } from "@rcsp/rcsp/motion";
import type { HandFiles } from "./hand_files.ts";
import { handKey, type HandSample } from "./hand_samples.ts";

const FIELDS = ["x", "y", "z", "qx", "qy", "qz", "qw"];

/** Writes the joints of OpenXR where a hand has them, or else those of the solver. */
export async function exportCsv(
  samples: AsyncIterable<HandSample>,
  files: HandFiles,
): Promise<void> {
  for await (const of of samples) {
    const { hand, sample, time } = of;
    const set = hand.openXr ?? hand.local;
    if (set === undefined || sample.group !== set.group) continue;
    const writer = await files.open(handKey(of, set.joints), of, () => head(set));
    if (writer === undefined) continue;
    const values = Array.from(set.poses, format);
    await files.add(writer, `${(time / 1_000).toFixed(6)},${sample.deviceTime},${values.join()}\n`);
  }
}

function head({ joints }: JointSet): string {
  const columns = joints.flatMap(({ name, frame }) =>
    FIELDS.map((field) => `${cell(name ?? frame)}_${field}`)
  );
  return `time,device_time_us,${columns.join()}\n`;
}

/** Foreign text that no reader of CSV takes for a separator or a formula. */
export function cell(text: string): string {
  return text.replace(/[^\w.-]/g, "_").replace(/^[-.]/, "_");
}

/** All digits that a float32 has. */
function format(value: number): string {
  return `${Number(value.toPrecision(9))}`;
}
