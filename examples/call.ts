// Sends any command: deno run -A examples/call.ts --simulate GetDeviceInfo '{"DeviceId":1}'

import process from "node:process";
import { connect, escapeUnprintable } from "@rcsp/rcsp";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";

const USAGE = "Usage: call.ts [--host NAME] [--port NUMBER] [--timeout MS] [--simulate] " +
  "[COMMAND [ARGUMENTS]]";
const print = (text: string) =>
  process.stdout.write(`${escapeUnprintable(text, { layout: true })}\n`);
process.stdout.on("error", () => process.exit()); // nobody reads any more: `| head -1`

async function main() {
  const flags = parseArgs(process.argv.slice(2), {
    string: ["host", "port", "timeout"],
    boolean: ["simulate", "help"],
    alias: { help: "h" },
    default: { host: "localhost", port: "45451", timeout: "10000" },
    unknown(arg, key) {
      if (key !== undefined) throw new TypeError(`Unexpected argument '${arg}'. ${USAGE}`);
    },
  });
  if (flags.help !== false) return void print(USAGE);
  const [command = "ListDevices", json = "null", extra] = flags._.map(String);
  if (extra !== undefined) throw new TypeError(`Unexpected argument '${extra}'. ${USAGE}`);
  if (!/^(\{.*\}|null)$/s.test(json.trim())) throw new TypeError(`'${json}' is not a JSON object`);
  const [port, connectTimeout] = [Number(flags.port), Number(flags.timeout)];
  await using simulator = flags.simulate ? await startSimulator({ port: 0 }) : undefined;
  const options = { connectTimeout, commandTimeout: connectTimeout, ...simulator?.address };
  await using rcsp = await connect({ host: flags.host, port, ...options });
  print(JSON.stringify(await rcsp.call(command, JSON.parse(json)), null, 2));
}

await main().catch((error) => {
  const hint = error.sent === false ? ". Is the Rokoko SDK running? Or try --simulate" : "";
  console.error(escapeUnprintable(`${error.message}${hint}`));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
});
