/**
 * A driver without hardware, for trying things out and for tests of your own.
 *
 * ```ts
 * import { connect } from "@rcsp/rcsp";
 * import { startSimulator } from "@rcsp/rcsp/simulator";
 *
 * const simulator = await startSimulator({ port: 0, seed: 7 });
 * const rcsp = await connect(simulator.address);
 * const presses = rcsp.buttonPresses(1);
 * await presses.ready;
 * simulator.press(1, "DoublePress");
 * for await (const press of presses) {
 *   console.log(press.type); // DoublePress
 *   break;
 * }
 * await rcsp.close();
 * await simulator.close();
 * ```
 *
 * @module
 */

import { listen } from "./adapters/runtime.ts";
import { DEFAULT_ADDRESS } from "./src/client/options.ts";
import { MOTION_PORTS } from "./src/motion/frame.ts";
import { Simulator, type SimulatorOptions } from "./src/simulator/simulator.ts";

export { memoryNetwork } from "./src/socket/memory.ts";
export type { MemoryNetwork } from "./src/socket/memory.ts";
export type { SimulatedDevice } from "./src/simulator/devices.ts";
export type { Faults } from "./src/simulator/faults.ts";
export type {
  MotionFaults,
  MotionListenOptions,
  MotionSimulationOptions,
  SimulatedMotion,
} from "./src/simulator/motion.ts";
export { Simulator };
export type { SimulatorOptions };

/** Options of `startSimulator()`. */
export interface StartSimulatorOptions extends SimulatorOptions {
  /** Where to listen. Default: `127.0.0.1`. */
  host?: string | undefined;
  /** 1 to 65535, or 0 for any free port. Default: 45451. */
  port?: number | undefined;
  /** With `motion`: port of the solved hands, or 0 for any free port. Default: 12277. */
  motionPort?: number | undefined;
  /** With `motion`: port of the raw stream, or 0 for any free port. Default: 12276. */
  rawPort?: number | undefined;
}

/**
 * Starts a simulator that listens.
 *
 * Rejects with a `ConnectionError` where the port is taken, or with a `TypeError` or `RangeError` where
 * an option is wrong.
 */
export async function startSimulator(options: StartSimulatorOptions = {}): Promise<Simulator> {
  const { host = "127.0.0.1", port = DEFAULT_ADDRESS.port } = options;
  const simulator = new Simulator(options);
  try {
    await simulator.serve(listen, { host, port });
    if (simulator.motion !== undefined) {
      const { motionPort = MOTION_PORTS.hands, rawPort = MOTION_PORTS.raw } = options;
      await simulator.serveMotion(listen, { host, port: motionPort, rawPort });
    }
    return simulator;
  } catch (error) {
    await simulator.close();
    throw error;
  }
}
