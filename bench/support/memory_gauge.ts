/** Looks at this process's memory, in bytes. */

import { readFileSync } from "node:fs";
import process from "node:process";

/** The heap of a run. */
export interface HeapGauge {
  readonly before: number;
  /** The most that was seen. */
  peak: number;
  /** Looks once more. */
  readonly look: () => void;
}

/** Starts to look, after a collection. */
export async function startHeap(): Promise<HeapGauge> {
  const before = await settledHeap();
  const gauge: HeapGauge = {
    before,
    peak: before,
    look: () => {
      gauge.peak = Math.max(gauge.peak, heap());
    },
  };
  return gauge;
}

/** The heap, buffers included, when all that can be let go is let go. */
export async function settledHeap(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    collect();
    // What finalizers hold is let go in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return heap();
}

/** The largest resident set of this process since it began. */
export function peakRss(): number {
  try {
    // `maxRSS` begins with the parent's where a process is started without a copy of it.
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
  else throw new Error("There is no collector to call: start with --expose-gc");
}
