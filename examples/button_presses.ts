// Prints presses of a button until Ctrl-C: deno run -A examples/button_presses.ts --simulate
import process from "node:process";
import { connect, escapeUnprintable } from "@rcsp/rcsp";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";
const USAGE = "Usage: button_presses.ts --host --port --timeout --simulate --device ID --count N";
async function main() {
  const flags = parseArgs(process.argv.slice(2), {
    string: ["host", "port", "timeout", "device", "count"],
    boolean: ["simulate", "help"],
    alias: { help: "h" },
    unknown(arg) {
      throw new TypeError(`Unexpected argument '${arg}'. ${USAGE}`);
    },
  });
  if (flags.help !== false) return console.log(USAGE);
  let left = Number(flags.count ?? (flags.simulate ? 3 : Infinity));
  if (!(left >= 1)) throw new RangeError(`'--count' must be at least 1, not '${flags.count}'`);
  const [port, connectTimeout] = [Number(flags.port ?? 45451), Number(flags.timeout ?? 10_000)];
  await using fake = flags.simulate ? await startSimulator({ port: 0, pressEvery: 9 }) : undefined;
  const options = { connectTimeout, commandTimeout: connectTimeout, ...fake?.address };
  await using rcsp = await connect({ host: flags.host, port, ...options });
  const devices = await rcsp.listDevices();
  const device = devices.find(({ DeviceId }) => `${DeviceId}` === (flags.device ?? `${DeviceId}`));
  if (!device) throw new Error(devices[0] ? `No device '${flags.device}'` : "No devices connected");
  await using presses = rcsp.buttonPresses(device);
  console.error(escapeUnprintable(`Waiting for presses of device ${device.DeviceId}: Ctrl-C ends`));
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => presses.unsubscribe());
  process.stdout.on("error", () => presses.unsubscribe()); // the reader has gone: `| head -1`
  using _status = rcsp.on("status", ({ state }) => console.error(`Connection: ${state}`));
  for await (const { type, deviceId } of presses) {
    process.stdout.write(`${type} on device ${escapeUnprintable(`${deviceId}`)}\n`);
    if (--left < 1) break;
  }
}
await main().catch((error) => {
  const hint = error.sent === false ? ". Is the Rokoko SDK running? Or try --simulate" : "";
  console.error(escapeUnprintable(`${error.message}${hint}`));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
});
