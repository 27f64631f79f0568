/**
 * Sets the colour of a device's LED.
 *
 *     deno run -A examples/set_led.ts --simulate --color ff8000
 */

import { connect } from "@rcsp/rcsp";
import {
  type CommandLine,
  deviceId,
  inline,
  print,
  runExample,
  UsageError,
} from "./support/command_line.ts";

const COLORS: ReadonlyMap<string, string> = new Map([
  ["off", "000000"],
  ["red", "ff0000"],
  ["green", "00ff00"],
  ["blue", "0000ff"],
  ["white", "ffffff"],
]);

const options = {
  usage: "set_led.ts [--device ID] [--led NAME] [--color COLOR | --red N --green N --blue N]\n\n" +
    "  --device ID      whose LED (the first device's)\n" +
    "  --led NAME       which LED (RingLed)\n" +
    `  --color COLOR    ${[...COLORS.keys()].join(", ")}, or six digits as ff8000 (red)\n` +
    "  --red N          0 to 255, as --green and --blue; those left out are 0",
  flags: ["device", "led", "color", "red", "green", "blue"],
};

await runExample(options, async (line) => {
  const LedId = line.text("led") ?? "RingLed";
  const color = colorOf(line);
  const wanted = line.text("device");

  await using rcsp = await connect(line.server);
  const id = wanted === undefined ? (await rcsp.listDevices())[0]?.DeviceId : deviceId(wanted);
  if (id === undefined) throw new Error("No devices connected");

  await rcsp.setColorLed(id, { LedId, ...color });
  const { Red, Green, Blue } = color;
  print(`Set ${inline(LedId)} of device ${inline(id)} to red ${Red}, green ${Green}, blue ${Blue}`);
});

function colorOf({ text, wholeNumber }: CommandLine): { Red: number; Green: number; Blue: number } {
  const [red, green, blue] = ["red", "green", "blue"].map((flag) => wholeNumber(flag, 0, 255));
  const parts = [red, green, blue].some((part) => part !== undefined);
  const named = text("color");
  if (parts && named !== undefined) {
    throw new UsageError("Cannot use '--color' together with '--red', '--green' or '--blue'");
  }
  if (parts) return { Red: red ?? 0, Green: green ?? 0, Blue: blue ?? 0 };

  const color = named ?? "red";
  const digits = COLORS.get(color) ?? color.replace(/^#/, "");
  if (!/^[0-9a-f]{6}$/i.test(digits)) {
    throw new UsageError(`'--color' must be a name or six digits as ff8000, not '${color}'`);
  }
  const [Red, Green, Blue] = [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
  return { Red: Red!, Green: Green!, Blue: Blue! };
}
