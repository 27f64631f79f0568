/**
 * `rcsp led`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { textFlag } from "../command_line/flags.ts";
import {
  askEach,
  DEVICE_WORD,
  deviceName,
  findAllDevices,
  findDevice,
} from "../driver/device_argument.ts";
import { COLOR_NAMES, formatColor, parseColor } from "../driver/led_color.ts";

/** Sets the color of an LED. */
export const led: Command = {
  name: "led",
  summary: "Set the color of an LED of a device",
  details: `A color is a name, six or three digits as in '#ff8000' (a shell needs the
quotes, or leave out the #), or red, green and blue as in 255,128,0. The names:
${COLOR_NAMES.join(", ")}.`,
  positionals: [{ ...DEVICE_WORD, about: `${DEVICE_WORD.about}, or all` }, {
    name: "color",
    about: "a name, '#ff8000' or 255,128,0",
    choices: COLOR_NAMES,
  }],
  flags: [textFlag("--led NAME", "which LED, by its LedId", { default: "RingLed" })],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp led 1 red", "the ring of device 1 becomes red"],
    ["rcsp led 1 '#ff8000' --led RingLed", "by digits, and the LED by its name"],
    ["rcsp led 1 off", "no light"],
    ["rcsp led all red", "every device"],
  ],
  async run(context) {
    const { line, out, log } = context;
    const [wanted = "", text = ""] = line.positionals;
    const color = parseColor(text);
    const LedId = line.text("led") ?? "RingLed";
    const rcsp = await context.connect();
    const devices = wanted === "all"
      ? await findAllDevices(rcsp)
      : [await findDevice(rcsp, wanted)];
    await askEach(devices, log, async (device) => {
      const response = await rcsp.setColorLed(device, { LedId, ...color });
      if (out.json) await out.value(response);
      else await log(`${LedId} of device ${deviceName(device)} is ${formatColor(color)}`);
    });
  },
};
