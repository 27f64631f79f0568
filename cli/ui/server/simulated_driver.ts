/**
 * A driver without hardware, inside the process of `rcsp ui`.
 *
 * @module
 */

import type { Connector, DialectOptions } from "@rcsp/rcsp";
import { memoryNetwork, Simulator } from "@rcsp/rcsp/simulator";

/** Milliseconds between two presses. */
const PRESS_EVERY = 3_000;

/** A running simulator. */
export interface SimulatedDriver {
  /** Connects to its RCSP server, whatever the address. */
  readonly connector: Connector;
  /** Connects to its solved hands, whatever the address. */
  readonly motionConnector: Connector;
  readonly simulator: Simulator;
}

/** Starts a simulator with gloves that press their buttons and hands that move. */
export async function startSimulatedDriver(
  dialect: DialectOptions | undefined,
  onError: (error: unknown) => void,
): Promise<SimulatedDriver> {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator({ dialect, pressEvery: PRESS_EVERY, motion: true, onError });
  const address = await simulator.serve(listen);
  const { hands } = await simulator.serveMotion(listen);
  return {
    simulator,
    connector: (_address, options) => connector(address, options),
    motionConnector: (_address, options) => connector(hands, options),
  };
}
