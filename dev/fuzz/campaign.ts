/** Case after case, each made of the seed, the target and its number alone. */

import process from "node:process";
import { seededRandom } from "../../src/simulator/random.ts";
import type { Random } from "./mutator.ts";
import { type Target, turn } from "./target.ts";

/** What became of the cases of one target. */
export interface Tally {
  cases: number;
  /** Frames that were changed. */
  frames: number;
  /** How many cases came to what. */
  readonly outcomes: Map<string, number>;
}

/** A case that went wrong. */
export class FuzzFailure extends Error {
  override readonly name = "FuzzFailure";
  readonly target: string;
  readonly seed: number;
  readonly iteration: number;
  /** The limit that it was tried with. */
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

/** The input of a case. */
export interface CaseInput {
  readonly iteration: number;
  readonly limit: number;
  readonly bytes: Uint8Array;
  readonly mutated: number;
  /** The chance that remains for the check: chunks, timeouts and the like. */
  readonly random: Random;
}

/** Makes the input of one case, the same for the same seed. */
export function makeCase(target: Target, seed: number, iteration: number): CaseInput {
  const random = seededRandom(caseSeed(target.name, seed, iteration));
  const limit = target.limits[Math.floor(random() * target.limits.length)]!;
  const { bytes, mutated } = target.make(random, limit);
  return { iteration, limit, bytes, mutated, random: checkRandom(target, seed, iteration) };
}

/** The chance of a case's check, which does not depend on how its bytes were made. */
export function checkRandom(target: Target, seed: number, iteration: number): Random {
  return seededRandom(caseSeed(`${target.name} check`, seed, iteration));
}

const uncaught: unknown[] = [];

/** From now on what nobody catches fails the case that is under way. */
export function watchUncaught(): void {
  process.on("unhandledRejection", (reason) => uncaught.push(reason));
  process.on("uncaughtException", (error) => uncaught.push(error));
}

/** Runs one case, and throws a {@link FuzzFailure} where it goes wrong. */
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
    // The bytes are the mutator's, which the next case uses again.
    throw new FuzzFailure(target.name, seed, { ...input, bytes: input.bytes.slice() }, cause);
  }
}

/** Nothing that no one has caught may be left of a case. */
export async function throwUncaught(): Promise<void> {
  await turn();
  if (uncaught.length > 0) throw new Error("Nobody caught this", { cause: uncaught.shift() });
  if (Object.keys(Object.prototype).length > 0) throw new Error("A prototype was changed");
}

/** A tally of nothing. */
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
