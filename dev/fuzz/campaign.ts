/** Runs cases, each generated only from the seed, the target and its number. */

import process from "node:process";
import { seededRandom } from "../../src/simulator/random.ts";
import type { Random } from "./mutator.ts";
import { type Target, turn } from "./target.ts";

/** Outcomes of the cases of one target. */
export interface Tally {
  cases: number;
  /** Frames that were changed. */
  frames: number;
  /** Number of cases by outcome. */
  readonly outcomes: Map<string, number>;
}

/** A failed case. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
  readonly target: string;
  readonly seed: number;
  readonly iteration: number;
  /** The limit of this case. */
  readonly limit: number;
  readonly bytes: Uint8Array;

  constructor(target: string, seed: number, input: CaseInput, cause: unknown) {
    const what = cause instanceof Error ? cause.stack ?? cause.message : String(cause);
    const { iteration, limit } = input;
    super(`--target ${target} --seed ${seed} --iteration ${iteration}: ${what}`, { cause });
    this.target = target;
    this.seed = seed;
    this.iteration = iteration;
    this.limit = limit;
    this.bytes = input.bytes;
  }
}

export interface CaseInput {
  readonly iteration: number;
  readonly limit: number;
  readonly bytes: Uint8Array;
  readonly mutated: number;
  /** Random numbers for the check: chunk sizes, timeouts and the like. */
  readonly random: Random;
}

/** Generates the input of one case, the same for the same seed. */
export function makeCase(target: Target, seed: number, iteration: number): CaseInput {
  const random = seededRandom(caseSeed(target.name, seed, iteration));
  const limit = target.limits[Math.floor(random() * target.limits.length)]!;
  const { bytes, mutated } = target.make(random, limit);
  return { iteration, limit, bytes, mutated, random: checkRandom(target, seed, iteration) };
}

/** Random numbers for a case's check, independent of how its bytes were generated. */
export function checkRandom(target: Target, seed: number, iteration: number): Random {
  return seededRandom(caseSeed(`${target.name} check`, seed, iteration));
}

const uncaught: unknown[] = [];

/** From now on an uncaught error fails the running case. */
export function watchUncaught(): void {
  process.on("unhandledRejection", (reason) => uncaught.push(reason));
  process.on("uncaughtException", (error) => uncaught.push(error));
}

/** Runs one case, and throws a {@link FuzzFailure} if it fails. */
export async function runCase(
  target: Target,
  seed: number,
  iteration: number,
  tally: Tally = newTally(),
): Promise<void> {
  const input = makeCase(target, seed, iteration);
  try {
    const outcome = target.check(input.bytes, input.random, input.limit);
    const code = typeof outcome === "string" ? outcome : await outcome;
    if (typeof outcome !== "string") await throwUncaught();
    tally.cases++;
    tally.frames += input.mutated;
    tally.outcomes.set(code, (tally.outcomes.get(code) ?? 0) + 1);
  } catch (cause) {
    // Copy: the mutator reuses its buffer for the next case.
    throw new FuzzFailure(target.name, seed, { ...input, bytes: input.bytes.slice() }, cause);
  }
}

/** A case may leave no uncaught error. */
export async function throwUncaught(): Promise<void> {
  await turn();
  if (uncaught.length > 0) throw new Error("Nobody caught this", { cause: uncaught.shift() });
  if (Object.keys(Object.prototype).length > 0) throw new Error("A prototype was changed");
}

/** An empty tally. */
export function newTally(): Tally {
  return { cases: 0, frames: 0, outcomes: new Map() };
}

function caseSeed(target: string, seed: number, iteration: number): number {
  let hash = 0x811c9dc5;
  for (const letter of `${target}:${seed}:${iteration}`) {
    hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  }
  return hash >>> 0;
}
