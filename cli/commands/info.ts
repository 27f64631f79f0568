/**
 * `rcsp info`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { askEach, DEVICE_WORD, findAllDevices, findDevice } from "../driver/device_argument.ts";
import { isRecording, showRecording } from "../recording/show_recording.ts";

/** Shows what the driver knows about a device. */
export const info: Command = {
  name: "info",
  summary: "Show what is known of a device, or what is in a recording",
  details: `Prints the answer to GetDeviceInfo as the driver sent it: of one device, or of all.

Of a recording (a name that ends in .mcap, .ndjson or .jsonl, or begins
with / or ./): its topics with counts, rates and gaps, and its presses. It then
connects to nothing.`,
  positionals: [{
    name: "device|file",
    about: `${DEVICE_WORD.about}, or a recording`,
    optional: true,
  }],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp info 1", "the device with DeviceId 1"],
    ["rcsp info", "all devices"],
    ["rcsp info 1 --simulate --json", "without hardware, in one line"],
    ["rcsp info take.mcap", "what 'rcsp record' wrote"],
  ],
  async run(context) {
    const [wanted] = context.line.positionals;
    if (wanted !== undefined && isRecording(wanted)) return await showRecording(context, wanted);
    const rcsp = await context.connect();
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
