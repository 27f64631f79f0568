/**
 * `rcsp info`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { DEVICE_WORD, findDevice } from "../driver/device_argument.ts";

/** Shows what the driver knows about a device. */
export const info: Command = {
  name: "info",
  summary: "Show what the driver knows about a device",
  details: "The answer to GetDeviceInfo, as the driver sent it.",
  positionals: [DEVICE_WORD],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp info 1", "the device with DeviceId 1"],
    ["rcsp info 1 --json | jq .FirmwareVersion", "one field of a simulated device"],
  ],
  async run(context) {
    const rcsp = await context.connect();
    const { DeviceId } = await findDevice(rcsp, context.line.positionals[0]!);
    await context.out.value(await rcsp.getDeviceInfo(DeviceId));
  },
};
