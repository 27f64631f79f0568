// Runs a simulated driver until Ctrl-C: deno run -A examples/simulate.ts --port 0 --press 1000

import process from "node:process";
import { connect, escapeUnprintable } from "@rcsp/rcsp";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";

const USAGE = "Usage: simulate.ts [--host NAME] [--port NUMBER] [--timeout MS] [--simulate] " +
  "[--press MS]. With --simulate it lists its own devices, and ends.";
async function main() {
  const flags = parseArgs(process.argv.slice(2), {
    string: ["host", "port", "timeout", "press"],
    boolean: ["simulate", "help"],
    alias: { help: "h" },
    default: { host: "127.0.0.1", port: "45451", timeout: "5000" },
    unknown(arg) {
      throw new TypeError(`Unexpected argument '${arg}'. ${USAGE}`);
    },
  });
  if (flags.help !== false) return console.log(USAGE);
  const stopped = new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, resolve);
    process.stdout.on("error", resolve); // nobody reads any more
  });
  await using simulator = await startSimulator({
    host: flags.host,
    port: flags.simulate ? 0 : Number(flags.port),
    closeTimeout: Number(flags.timeout),
    pressEvery: flags.press === undefined ? undefined : Number(flags.press),
  });
  const { host, port } = simulator.address;
  process.stdout.write(`RCSP simulator listening on ${host}:${port}\n`);
  if (!flags.simulate) return void await stopped;
  await using rcsp = await connect(simulator.address);
  console.log(`${(await rcsp.listDevices()).length} devices`);
}
await main().catch((error) => {
  console.error(escapeUnprintable(error.message));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
});
