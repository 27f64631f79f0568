/**
 * The motion stream of `rcsp serve`.
 *
 * @module
 */

import type { Address } from "@rcsp/rcsp";
import { MOTION_PORTS } from "@rcsp/rcsp/motion";
import { formatAddress } from "@rcsp/rcsp/server";
import type { Simulator, SimulatorOptions } from "@rcsp/rcsp/simulator";
import type { Context } from "../command_line/command.ts";
import { booleanFlag, integerFlag, textFlag } from "../command_line/flags.ts";
import type { Flag } from "../command_line/parse.ts";
import { listenWith } from "./accept_clients.ts";
import { parseMotionFaults } from "./faults_flag.ts";

/** The flags of the motion stream. */
export const SERVE_MOTION_FLAGS: readonly Flag[] = [
  booleanFlag("--motion", "two moving hands too: the motion stream (RGMP)"),
  integerFlag("--motion-port NUMBER", "the port of the solved hands; 0 takes any free one", {
    default: `${MOTION_PORTS.hands}`,
    range: [0, 65_535],
    needs: "motion",
  }),
  integerFlag("--raw-port NUMBER", "the port of the raw stream; 0 takes any free one", {
    default: `${MOTION_PORTS.raw}`,
    range: [0, 65_535],
    needs: "motion",
  }),
  textFlag("--motion-faults LIST", "what goes wrong with motion: gaps=0.1,jitter=20ms", {
    needs: "motion",
  }),
];

/** The option of the simulator. */
export function motionOption({ line }: Context): SimulatorOptions["motion"] {
  if (!line.on("motion")) return false;
  const faults = line.text("motion-faults");
  return faults === undefined ? true : { faults: parseMotionFaults(faults) };
}

/** Listens on the ports of the flags, and prints where. */
export async function serveMotion(
  context: Context,
  simulator: Simulator,
  { host }: Address,
  log: (text: string) => void,
): Promise<void> {
  const { line, out } = context;
  if (simulator.motion === undefined) return;
  const { hands, raw } = await simulator.serveMotion(
    listenWith(context, (text) => log(`Motion: ${text}`)),
    {
      host,
      port: line.number("motion-port") ?? MOTION_PORTS.hands,
      rawPort: line.number("raw-port") ?? MOTION_PORTS.raw,
    },
  );
  await out.line(`Solved hands listening on ${formatAddress(hands)}`);
  await out.line(`Raw motion stream listening on ${formatAddress(raw)}`);
}
