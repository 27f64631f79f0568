// Prints curls of fingers and presses on one clock: deno run -A examples/hands.ts --simulate
import process from "node:process";
import { connect, escapeUnprintable } from "@rcsp/rcsp";
import { connectMotion, FINGERS } from "@rcsp/rcsp/motion";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";
const USAGE = "Usage: hands.ts --host --port --motion-port --timeout --simulate --count N";
async function main() {
  const flags = parseArgs(process.argv.slice(2), {
    string: ["host", "port", "motion-port", "timeout", "count"],
    boolean: ["simulate", "help", "h"],
    unknown(arg) {
      throw new TypeError(`Unexpected argument '${arg}'. ${USAGE}`);
    },
  });
  if (flags.help || flags.h) return console.log(USAGE);
  process.stdout.on("error", () => process.exit()); // the reader has gone: `| head -1`
  const anyPort = { port: 0, motionPort: 0, rawPort: 0, motion: true, pressEvery: 90 };
  await using fake = flags.simulate ? await startSimulator(anyPort) : undefined;
  const options = { host: flags.host, connectTimeout: Number(flags.timeout ?? 5_000) };
  const [port, motionPort] = [flags.port ?? 45451, flags["motion-port"] ?? 12277].map(Number);
  await using rcsp = await connect({ ...options, port, ...fake?.address });
  const hands = fake?.motion?.hands.addresses[0] ?? { port: motionPort };
  await using motion = await connectMotion({ ...options, ...hands });
  const rows: string[] = [];
  await rcsp.on("press", ({ receivedAt, type }) => rows.push(`${receivedAt} ${type}\n`)).ready;
  for (let left = Number(flags.count ?? (flags.simulate ? 5 : Infinity)); left > 0; left--) {
    for (const { hand, lastSeen } of motion.devices()) {
      const degrees = FINGERS.map((finger) => hand?.measure()?.curls[finger].toFixed(0));
      rows.push(`${lastSeen} ${hand?.side} ${degrees.join(" ")}\n`);
    }
    process.stdout.write(rows.splice(0).sort().join(""));
    await new Promise((wake) => setTimeout(wake, 100));
  }
}
await main().catch((error) => {
  const hint = error.sent === false ? ". Is the Rokoko SDK running? Or try --simulate" : "";
  console.error(escapeUnprintable(`${error.message}${hint}`));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
});
