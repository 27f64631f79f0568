/**
 * Figures of a server under 1,000 clients on real loopback sockets, clients and server in one process:
 *
 *     deno run -A dev/thousand.ts [--calls N]     (or: bun run, node)
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { networkAdapters } from "../tests/support/adapters.ts";
import { runtime } from "../tests/support/runtime.ts";
import { runThousand, THOUSAND } from "../tests/support/thousand.ts";

const { values } = parseArgs({ options: { calls: { type: "string", default: "50" } } });
const start = performance.now();
const result = await runThousand(networkAdapters[0]!, THOUSAND, Number(values.calls));
const seconds = (performance.now() - start) / 1_000;

const at = (share: number): string =>
  `${result.times[Math.floor((result.times.length - 1) * share)]!.toFixed(1)} ms`;
const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
const { before, connected, most } = result.rss;
console.log(`thousand on ${runtime}, ${seconds.toFixed(1)} s`);
console.log(`clients  ${JSON.stringify(THOUSAND)}`);
console.log(`answers  ${result.times.length}, wrong ${result.wrong}`);
console.log(`time     p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`);
console.log(`cut      ${result.cut} of ${THOUSAND.deaf} that never read; ${result.left} are left`);
console.log(`events   ${result.published} of 64 KiB to each, every one read by those who listen`);
console.log(
  `rss      ${mebibytes(before)} before, ${mebibytes(connected)} connected, ${
    mebibytes(most)
  } at most`,
);
process.exitCode = result.wrong === 0 && result.cut === THOUSAND.deaf ? 0 : 1;
