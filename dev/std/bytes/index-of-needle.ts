import { startsWith } from "./starts-with.ts";

/** Where `needle` first occurs at or after `start`, or -1. A negative `start` counts from the end. */
export function indexOfNeedle(source: Uint8Array, needle: Uint8Array, start = 0): number {
  const first = start < 0 ? Math.max(0, source.length + start) : start;
  for (let index = first; index < source.length; index++) {
    if (startsWith(source.subarray(index), needle)) return index;
  }
  return -1;
}
