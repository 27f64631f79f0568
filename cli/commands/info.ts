/**
 * `rcsp info`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { askEach, DEVICE_WORD, findAllDevices, findDevice } from "../driver/device_argument.ts";

/** Shows what the driver knows about a device. */
export const info: Command = {
  name: "info",
  summary: "Show what the driver knows about a device, or about all",
  details: "The answer to GetDeviceInfo, as the driver sent it.",
  positionals: [{ ...DEVICE_WORD, optional: true }],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp info 1", "the device with DeviceId 1"],
    ["rcsp info", "all devices"],
    ["rcsp info 1 --simulate --json", "without hardware, in one line"],
  ],
  async run(context) {
    const rcsp = await context.connect();
    const [wanted] = context.line.positionals;
    const devices = wanted === undefined
      ? await findAllDevices(rcsp)
      : [await findDevice(rcsp, wanted)];
    await askEach(
      devices,
      context.log,
      async (device) => await context.out.value(await rcsp.getDeviceInfo(device)),
    );
  },
};
