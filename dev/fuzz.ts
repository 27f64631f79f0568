/**
 * Feeds random and mutated bytes to the decoder, to the readers of bodies, to a client, to a server and
 * to what reads the motion stream, and compares each with a slow model of it.
 *
 *     deno run -A dev/fuzz.ts --seconds 60 --seed 1     (or: bun run, node)
 *
 * `--frames N` ends as soon as so many frames were changed; `--target NAME --iteration N` runs one
 * case alone. A case that fails is written to `tests/vectors/`; the exit code is then 1.
 */

import process from "node:process";
import { parseArgs } from "node:util";
import { runtime } from "../tests/support/runtime.ts";
import { bodyTarget } from "./fuzz/body_target.ts";
import {
  FuzzFailure,
  newTally,
  runCase,
  type Tally,
  throwUncaught,
  watchUncaught,
} from "./fuzz/campaign.ts";
import { clientTarget } from "./fuzz/client_target.ts";
import { decoderTarget } from "./fuzz/decoder_target.ts";
import { settledHeap } from "./fuzz/memory.ts";
import { motionTarget } from "./fuzz/motion_target.ts";
import { serverTarget } from "./fuzz/server_target.ts";
import type { Target } from "./fuzz/target.ts";
import { keepVector } from "./fuzz/vector.ts";
import { startWatchdog } from "./fuzz/watchdog.ts";

const VECTORS = new URL("../tests/vectors/", import.meta.url);
/** Per case: the longest takes a few milliseconds. */
const HANG = 30_000;
/** Milliseconds of one turn of a target, multiplied by its weight. */
const SLICE = 20;
/** Code is compiled and caches fill up at first. */
const WARM_UP = 0.2;
/** More than the garbage collector leaves at random. */
const MAX_GROWTH = 16 * 1024 * 1024;
const HEAP_EVERY = 5_000;

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    seed: { type: "string" },
    frames: { type: "string", default: "Infinity" },
    target: { type: "string" },
    iteration: { type: "string" },
  },
});
const seconds = Number(values.seconds);
const most = Number(values.frames);
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const targets = [decoderTarget(), bodyTarget(), clientTarget(), serverTarget(), motionTarget()]
  .filter(({ name }) => values.target === undefined || values.target === name);
if (!(seconds > 0 && most > 0 && Number.isInteger(seed) && targets.length > 0)) {
  console.error(
    "fuzz: --seconds, --frames and --seed must be numbers, --target one of decoder, " +
      "bodies, client, server, motion",
  );
  process.exit(2);
}

watchUncaught();
try {
  if (values.iteration === undefined) await fuzz();
  else {
    for (const target of targets) await runCase(target, seed, Number(values.iteration));
    console.log("the case does as it must");
  }
} catch (error) {
  console.error(`fuzz: FAILED ${error instanceof Error ? error.message : error}`);
  if (error instanceof FuzzFailure) {
    console.error(error.cause);
    console.error(`fuzz: kept as ${await keepVector(error, VECTORS)}`);
  }
  process.exitCode = 1;
}

async function fuzz(): Promise<void> {
  // A stack trace costs more than most cases; `--iteration` shows it.
  Error.stackTraceLimit = 0;
  const started = performance.now();
  const tallies = targets.map(newTally);
  const watchdog = startWatchdog(targets.map(({ name }) => name), seed, HANG);
  const heaps: number[] = [];
  const elapsed = (): number => (performance.now() - started) / 1_000;
  const frames = (): number => tallies.reduce((sum, tally) => sum + tally.frames, 0);
  let nextHeap = Math.min(seconds * WARM_UP * 1_000, HEAP_EVERY);
  try {
    while (elapsed() < seconds && frames() < most) {
      for (const [i, target] of targets.entries()) {
        await runSlice(target, tallies[i]!, (iteration) => watchdog.begin(i, iteration));
      }
      if (elapsed() * 1_000 < nextHeap) continue;
      nextHeap = elapsed() * 1_000 + HEAP_EVERY;
      heaps.push(await settledHeap());
    }
    heaps.push(await settledHeap());
  } finally {
    await watchdog.stop();
  }
  report(tallies, heaps, elapsed());
  const growth = heaps.at(-1)! - heaps[0]!;
  if (growth > MAX_GROWTH) throw new Error(`the heap grew by ${mebibytes(growth)}, seed ${seed}`);
}

/** Runs a target's turn; case numbers continue from turn to turn. */
async function runSlice(
  target: Target,
  tally: Tally,
  begin: (iteration: number) => void,
): Promise<void> {
  const end = performance.now() + SLICE * target.weight;
  while (performance.now() < end) {
    const iteration = tally.cases;
    begin(iteration);
    await runCase(target, seed, iteration, tally);
  }
  await throwUncaught();
}

function report(tallies: readonly Tally[], heaps: readonly number[], elapsed: number): void {
  const total = tallies.reduce((sum, { frames }) => sum + frames, 0);
  console.log(`fuzz on ${runtime}, seed ${seed}, ${elapsed.toFixed(1)} s`);
  for (const [i, { cases, frames, outcomes }] of tallies.entries()) {
    const sorted = [...outcomes].sort(([, one], [, other]) => other - one);
    console.log(
      `${targets[i]!.name.padEnd(8)}${frames} frames mutated in ${cases} cases: ` +
        sorted.map(([code, count]) => `${code} ${count}`).join(", "),
    );
  }
  console.log(`total   ${total} frames mutated, none failed`);
  console.log(
    `heap    ${mebibytes(heaps[0]!)} at start, ${mebibytes(Math.max(...heaps))} at most, ` +
      `${mebibytes(heaps.at(-1)!)} at end (${heaps.length} looks, after collection)`,
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
