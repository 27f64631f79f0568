/** Measures the memory of this process, in bytes. */

import { readFileSync } from "node:fs";
import process from "node:process";

/** Heap sizes of a run. */
export interface HeapGauge {
  readonly before: number;
  /** Largest sample. */
  peak: number;
  /** Takes a sample. */
  readonly sample: () => void;
}

/** Starts a gauge after a garbage collection. */
export async function startHeap(): Promise<HeapGauge> {
  const before = await settledHeap();
  const gauge: HeapGauge = {
    before,
    peak: before,
    sample: () => {
      gauge.peak = Math.max(gauge.peak, heap());
    },
  };
  return gauge;
}

/** Size of the heap with buffers, after full garbage collections. */
export async function settledHeap(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect();
    // Finalizers run in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return heap();
}

/** Peak resident set size of this process. */
export function peakRss(): number {
  try {
    // `maxRSS` can include the parent process.
    const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (line !== null) return Number(line[1]) * 1024;
  } catch {
    // Not on Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

function heap(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function collect(): void {
  const { gc, Bun } = globalThis as unknown as {
    gc?: () => void;
    Bun?: { gc(synchronous: boolean): void };
  };
  if (Bun !== undefined) Bun.gc(true);
  else if (gc !== undefined) gc();
  else throw new Error("No garbage collector to call: start with --expose-gc");
}
