// Lists the devices, and asks what is known about the first: deno run -A examples/list.ts --simulate

import process from "node:process";
import { connect, type Device, escapeUnprintable } from "@rcsp/rcsp";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";

const USAGE = "Usage: list.ts [--host NAME] [--port NUMBER] [--timeout MS] [--simulate]";
const print = (text: string) =>
  process.stdout.write(`${escapeUnprintable(text, { layout: true })}\n`);
process.stdout.on("error", () => process.exit()); // nobody reads any more: `| head -1`

async function main() {
  const flags = parseArgs(process.argv.slice(2), {
    string: ["host", "port", "timeout"],
    boolean: ["simulate", "help"],
    alias: { help: "h" },
    default: { host: "localhost", port: "45451", timeout: "10000" },
    unknown(arg) {
      throw new TypeError(`Unexpected argument '${arg}'. ${USAGE}`);
    },
  });
  if (flags.help !== false) return void print(USAGE);
  const connectTimeout = Number(flags.timeout);
  await using simulator = flags.simulate ? await startSimulator({ port: 0 }) : undefined;
  const { host, port } = simulator?.address ?? { host: flags.host, port: Number(flags.port) };
  await using rcsp = await connect({ host, port, connectTimeout, commandTimeout: connectTimeout });
  print(`Connected to RCSP server at ${host}:${port}\n`);
  const response = await rcsp.call("ListDevices");
  print(`ListDevices response:\n${JSON.stringify(response, null, 2)}`);
  const [device] = (response["Devices"] ?? []) as unknown as Device[];
  if (device === undefined) return void print("\nNo devices connected");
  print(`\nQuerying GetDeviceInfo for DeviceId=${escapeUnprintable(`${device.DeviceId}`)}...`);
  print(`GetDeviceInfo response:\n${JSON.stringify(await rcsp.getDeviceInfo(device), null, 2)}`);
}
await main().catch((error) => {
  const hint = error.sent === false ? ". Is the Rokoko SDK running? Or try --simulate" : "";
  console.error(escapeUnprintable(`${error.message}${hint}`));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
});
