/**
 * Runs one memory scenario in its own process, which needs a callable garbage collector. Arguments: name
 * and size. Prints one line of JSON.
 */

import process from "node:process";
import { MEMORY_SCENARIOS } from "./scenarios.ts";
import { peakRss, settledHeap, startHeap } from "./gauge.ts";

const [name, size] = process.argv.slice(2);
const scenario = MEMORY_SCENARIOS[name!];
if (scenario === undefined) throw new RangeError(`Unknown scenario '${name}'`);

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
