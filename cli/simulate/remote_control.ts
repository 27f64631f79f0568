/**
 * Commands that control a running `rcsp serve`. No driver has them: `rcsp serve` adds them to its
 * simulator, under names of its own.
 *
 * @module
 */

import { CommandError, type DeviceId, type JsonObject, type PressType } from "@rcsp/rcsp";
import type { HandlerContext } from "@rcsp/rcsp/server";
import type { SimulatedDevice, Simulator } from "@rcsp/rcsp/simulator";
import { parseFaults } from "./faults_flag.ts";

/** The commands. */
export const REMOTE = {
  press: "Simulator.Press",
  add: "Simulator.AddDevice",
  remove: "Simulator.RemoveDevice",
  fault: "Simulator.SetFaults",
} as const;

/** The code of their errors; any other comes from what is not a simulator. */
export const REMOTE_ERROR = "SimulatorError";

/** Adds the commands to a simulator. */
export function allowRemoteControl(simulator: Simulator): void {
  const handle = (
    name: string,
    act: (args: JsonObject, context: HandlerContext) => JsonObject | void,
  ): void => {
    simulator.server.handle(name, ({ Arguments }, context) => {
      try {
        return act(Arguments, context);
      } catch (error) {
        throw new CommandError({ Code: REMOTE_ERROR, Message: (error as Error).message });
      }
    });
  };
  handle(REMOTE.press, ({ DeviceId, PressType }) => ({
    Clients: simulator.press(DeviceId as DeviceId, PressType as PressType),
  }));
  handle(REMOTE.add, (device) => simulator.addDevice(device as unknown as SimulatedDevice));
  handle(REMOTE.remove, ({ DeviceId }) => {
    if (simulator.removeDevice(DeviceId as DeviceId)) return;
    throw new RangeError(`Cannot remove device: no device ${JSON.stringify(DeviceId)}`);
  });
  handle(REMOTE.fault, ({ Faults }, { client }) => {
    const faults = parseFaults(String(Faults));
    // The response must get through: the new faults begin when this client has left.
    simulator.faults = {};
    client.closed.then(() => simulator.faults = faults);
  });
}
