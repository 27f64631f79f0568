/** The interface between fuzz targets and the campaign. */

import type { Random } from "./mutator.ts";

/** Bytes for a target; valid until the target generates the next. */
export interface MutatedInput {
  readonly bytes: Uint8Array;
  /** Number of mutated frames in them. */
  readonly mutated: number;
}

/** A component that reads untrusted bytes. */
export interface Target {
  readonly name: string;
  /** Share of the run time. */
  readonly weight: number;
  /** The limits to test with: bytes or depth of a body. */
  readonly limits: readonly number[];
  /** Generates bytes that may be invalid in any way. */
  make(random: Random, limit: number): MutatedInput;
  /**
   * Feeds the bytes, and throws if anything but the expected result happens. Returns the outcome:
   * `clean`, or an error code.
   */
  check(bytes: Uint8Array, random: Random, limit: number): string | Promise<string>;
}

/** Throws if the condition is false. */
export function must(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(what());
}

/** Runs everything that does not wait for a timer. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
