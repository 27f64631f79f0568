/**
 * The motion stream beside RCSP (RGMP v2): solved hands and raw sensors of Rokoko's driver.
 *
 * ```ts no-run
 * import { connectMotion, normalizeCurls } from "@rcsp/rcsp/motion";
 *
 * const motion = await connectMotion(); // localhost:12277, solved hands
 * motion.on("sample", (_sample, { hand }) => {
 *   const measures = hand?.measure();
 *   if (measures) console.log(hand?.side, normalizeCurls(measures.curls));
 * });
 * ```
 *
 * What is confirmed, inferred and unknown of the protocol is in `docs/motion.md`.
 *
 * @module
 */

import { connector } from "./adapters/runtime.ts";
import { withTarget } from "./src/client/options.ts";
import {
  createMotionClient,
  type MotionClient,
  type MotionOptions,
} from "./src/motion/motion_client.ts";

export * from "./src/motion/mod.ts";

/**
 * Connects to the motion stream, by default to the solved hands on this machine (`localhost:12277`).
 *
 * Rejects with a `ConnectionError`, a `TimeoutError` after `connectTimeout`, the signal's reason, or a
 * `TypeError` or `RangeError` if an option is invalid or unknown.
 *
 * @param target `host`, `host:port`, `rcsp://host:port`, or the options.
 * @param options The options, if the target is an address.
 */
export async function connectMotion(
  target: string | URL | MotionOptions = {},
  options: MotionOptions = {},
): Promise<MotionClient> {
  const all = withTarget(target, options);
  return await createMotionClient(all.connector ?? connector, all);
}
