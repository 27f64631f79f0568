/** What is fuzzed, in the words of the campaign. */

import type { Random } from "./mutator.ts";

/** Bytes for a target; valid until the target makes the next. */
export interface MutatedInput {
  readonly bytes: Uint8Array;
  /** How many frames among them are not as they were. */
  readonly mutated: number;
}

/** One thing that takes bytes from outside. */
export interface Target {
  readonly name: string;
  /** Its share of the time. */
  readonly weight: number;
  /** The limits that it is tried with: of the bytes of a body, or of its depth. */
  readonly limits: readonly number[];
  /** Makes bytes that may be wrong in any way. */
  make(random: Random, limit: number): MutatedInput;
  /**
   * Feeds them, and throws where anything but the one right thing happens. Gives what became of them:
   * `clean`, or the code of an error.
   */
  check(bytes: Uint8Array, random: Random, limit: number): string | Promise<string>;
}

/** Throws where something does not hold. */
export function must(holds: boolean, what: () => string): void {
  if (!holds) throw new Error(what());
}

/** Lets everything run that waits for no timer. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
