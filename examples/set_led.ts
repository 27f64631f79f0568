// Sets the color of an LED: deno run -A examples/set_led.ts --simulate --color ff8000

import process from "node:process";
import { connect, escapeUnprintable } from "@rcsp/rcsp";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";

const USAGE = "Usage: set_led.ts [--host NAME] [--port NUMBER] [--timeout MS] [--simulate] " +
  "[--device ID] [--color red|ff8000|255,128,0]";
const print = (text: string) => process.stdout.write(`${escapeUnprintable(text)}\n`);

async function main() {
  const flags = parseArgs(process.argv.slice(2), {
    string: ["host", "port", "timeout", "device", "color"],
    boolean: ["simulate", "help"],
    alias: { help: "h" },
    default: { host: "localhost", port: "45451", timeout: "10000", color: "red" },
    unknown(arg) {
      throw new TypeError(`Unexpected argument '${arg}'. ${USAGE}`);
    },
  });
  if (flags.help !== false) return void print(USAGE);
  const [port, connectTimeout] = [Number(flags.port), Number(flags.timeout)];
  await using simulator = flags.simulate ? await startSimulator({ port: 0 }) : undefined;
  const options = { connectTimeout, commandTimeout: connectTimeout, ...simulator?.address };
  await using rcsp = await connect({ host: flags.host, port, ...options });
  const devices = await rcsp.listDevices();
  const device = devices.find(({ DeviceId }) => `${DeviceId}` === (flags.device ?? `${DeviceId}`));
  if (!device) throw new Error(devices[0] ? `No device '${flags.device}'` : "No devices connected");
  await rcsp.setColorLed(device, flags.color);
  print(`Set RingLed of device ${device.DeviceId} to ${flags.color}`);
}
await main().catch((error) => {
  const hint = error.sent === false ? ". Is the Rokoko SDK running? Or try --simulate" : "";
  console.error(escapeUnprintable(`${error.message}${hint}`));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
});
