/**
 * One memory scenario in a process of its own, which must be started with a collector that can be
 * called: the name and the size are its arguments, what it found its only line of output.
 */

import process from "node:process";
import { MEMORY_SCENARIOS } from "./memory_scenarios.ts";
import { peakRss, settledHeap, startHeap } from "./memory_gauge.ts";

const [name, size] = process.argv.slice(2);
const scenario = MEMORY_SCENARIOS[name!];
if (scenario === undefined) throw new RangeError(`There is no scenario '${name}'`);

const run = await scenario(Number(size));
const heap = await startHeap();
const { rss } = process.memoryUsage();
const start = performance.now();
const { heapEarly } = await run.run(heap);
const seconds = (performance.now() - start) / 1000;
const heapAfter = await settledHeap();
await run.end();
console.log(JSON.stringify({
  heapBefore: heap.before,
  heapPeak: heap.peak,
  heapEarly: heapEarly ?? null,
  heapAfter,
  rssBefore: rss,
  rssPeak: peakRss(),
  seconds,
}));
process.exit();
