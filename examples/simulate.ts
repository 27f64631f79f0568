/**
 * Runs a driver without hardware until Ctrl-C, for any RCSP client to talk to.
 *
 *     deno run -A examples/simulate.ts --port 0 --press 1000
 */

import { connect } from "@rcsp/rcsp";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { interruption, print, runExample } from "./support/command_line.ts";

const options = {
  usage: "simulate.ts [--press MS]\n\n" +
    "  --press MS       time between presses of a button (none are pressed)\n" +
    "  --host, --port   where to listen (127.0.0.1, 45451; port 0: any free one)\n" +
    "  --timeout        for the last answers to get out at the end\n" +
    "  --simulate       only try it: take a free port, list the devices once, and end",
  flags: ["press"],
  simulator: false,
} as const;

await runExample(options, async ({ server, simulate, wholeNumber }) => {
  const interrupted = interruption();
  await using simulator = await startSimulator({
    host: simulate ? undefined : server.host,
    port: simulate ? 0 : server.port,
    closeTimeout: server.commandTimeout,
    pressEvery: wholeNumber("press", 1, 2 ** 31 - 1),
  });
  const { host, port } = simulator.address;
  print(`RCSP simulator listening on ${host}:${port}`);

  if (simulate) {
    await using rcsp = await connect(simulator.address);
    print(`${(await rcsp.listDevices()).length} devices`);
  } else if (!interrupted.aborted) {
    await new Promise((resolve) => interrupted.addEventListener("abort", resolve));
  }
});
