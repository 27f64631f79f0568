/** Peak heap and resident set size under heavy load; each scenario has its own process. */

import process from "node:process";
import { run, runtime } from "../tests/support/runtime.ts";
import { figureText, finish, options } from "./support/report.ts";

interface Found {
  readonly heapBefore: number;
  readonly heapPeak: number;
  readonly heapEarly: number | null;
  readonly heapAfter: number;
  readonly rssBefore: number;
  readonly rssPeak: number;
  readonly seconds: number;
}

const { smoke, json } = options();
const scenarios: readonly [name: string, title: string, size: number, smokeSize: number][] = [
  ["events", "10^6 events", 1e6, 1e4],
  ["motion", "10^6 motion frames of two hands", 1e6, 1e4],
  ["commands", "10^5 commands pipelined", 1e5, 1e3],
  ["message1", "one 16 MiB message, 1 B chunks", 2 ** 24, 2 ** 16],
  ["message17", "one 16 MiB message, 17 B chunks", 2 ** 24, 2 ** 16],
  ["message1460", "one 16 MiB message, 1460 B chunks", 2 ** 24, 2 ** 16],
];
const rows: string[][] = [];
const summary: string[][] = [];
const metrics: Record<string, number> = {};

for (const [name, title, size, smokeSize] of scenarios) {
  const found = await measure(name, smoke ? smokeSize : size);
  rows.push([
    title,
    mebibytes(found.heapBefore),
    mebibytes(found.heapPeak),
    mebibytes(found.heapAfter),
    mebibytes(found.rssBefore),
    mebibytes(found.rssPeak),
    `${figureText(found.seconds)} s`,
  ]);
  const growth = mebibytes(found.heapPeak - found.heapBefore);
  summary.push([title, `+${growth}, ${mebibytes(found.rssPeak)}`]);
  if (found.heapEarly !== null) {
    metrics[`memory.${name}Growth`] = (found.heapAfter - found.heapEarly) / 1024;
  }
}

finish({
  bench: "memory",
  tables: [{
    title: "Memory in MiB; heap with buffers, before and after a full collection",
    columns: ["scenario", "heap before", "peak", "after", "RSS before", "peak", "took"],
    rows,
  }],
  summary: {
    title: "Memory in MiB: growth of the heap with buffers at its peak, peak RSS",
    columns: ["scenario", ""],
    rows: summary,
  },
  metrics,
  notes: [
    "The heap is sampled, so a short peak may be missed. Events come from a server in another process " +
    "and are read from an async iterator.",
  ],
}, { smoke, json });

async function measure(name: string, size: number): Promise<Found> {
  const how = {
    deno: ["run", "-A", "--v8-flags=--expose-gc"],
    bun: ["run"],
    node: ["--expose-gc"],
  }[runtime];
  const script = new URL("./memory/child.ts", import.meta.url).pathname;
  const command = [process.execPath, ...how, script, name, String(size)];
  const { code, stdout, stderr } = await run(command, { timeout: 120_000 });
  if (code !== 0) throw new Error(`Scenario '${name}' failed: ${stderr}`);
  return JSON.parse(stdout);
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
