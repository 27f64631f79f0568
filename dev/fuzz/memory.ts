/** Memory use of this process after garbage collection. */

import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const collect = collector();

/** Bytes of the heap, and of the buffers outside of it. */
export async function settledHeap(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    // Finalizers run in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function collector(): () => void {
  const { Bun } = globalThis as unknown as { Bun?: { gc(synchronous: boolean): void } };
  if (Bun !== undefined) return () => Bun.gc(true);
  // Node and Deno, without a flag on the command line.
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}
