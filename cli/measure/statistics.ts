/**
 * What many measurements come to.
 *
 * @module
 */

/** The spread of some numbers. */
export interface Summary {
  readonly min: number;
  readonly median: number;
  /** The least number that 99 of 100 do not exceed. */
  readonly p99: number;
  readonly max: number;
}

/** Summarizes numbers, of which there must be at least one. */
export function summarize(numbers: readonly number[]): Summary {
  const sorted = numbers.toSorted((one, other) => one - other);
  const at = (index: number): number => sorted[index]!;
  const middle = sorted.length / 2;
  return {
    min: at(0),
    median: (at(Math.ceil(middle) - 1) + at(Math.floor(middle))) / 2,
    p99: at(Math.ceil(sorted.length * 0.99) - 1),
    max: at(sorted.length - 1),
  };
}
