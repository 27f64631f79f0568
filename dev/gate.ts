/**
 * The project's own check. Runs every step, or those whose names hold one of the given words, and
 * ends with one line: `N passed, N failed`. A test counts as one, any other step as one.
 *
 * deno run -A dev/gate.ts [--static] [word…]
 */

import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { browserSteps } from "./gate/browser_steps.ts";
import { packageSteps } from "./gate/package_steps.ts";
import { smokeSteps } from "./gate/smoke_steps.ts";
import { sourceSteps } from "./gate/source_steps.ts";
import { type Step, StepFailure } from "./gate/step.ts";
import { pythonStep, testSteps } from "./gate/test_steps.ts";
import { textSteps } from "./gate/text_steps.ts";

const options = parseArgs(process.argv.slice(2), { boolean: ["static"] });
const words = options._.map(String);
const staticSteps: Step[] = [...textSteps, ...sourceSteps];
const steps =
  (options.static
    ? staticSteps
    : [pythonStep, ...staticSteps, ...testSteps, ...packageSteps, ...browserSteps, ...smokeSteps])
    .filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));

const totals = { passed: 0, failed: steps.length === 0 ? 1 : 0 };
const start = performance.now();

for (let next = 0; next < steps.length;) {
  const until = steps.findIndex((step, i) => i > next && !(step.parallel && steps[next]!.parallel));
  const group = steps.slice(next, until === -1 ? undefined : until);
  const passed = await Promise.all(group.map(runStep));
  if (group.some(({ vital }, i) => vital && !passed[i])) break;
  next += group.length;
}

/** Runs a step, counts and reports it. Returns whether it passed. */
async function runStep(step: Step): Promise<boolean> {
  const stepStart = performance.now();
  const seconds = () => `${((performance.now() - stepStart) / 1000).toFixed(1)} s`;
  try {
    const { passed = 1, note } = await step.run() ?? {};
    totals.passed += passed;
    console.log(`ok      ${step.name}${note ? `: ${note}` : ""} (${seconds()})`);
    return true;
  } catch (error) {
    const failure = error instanceof StepFailure ? error : new StepFailure(String(error), {
      output: error instanceof Error ? error.stack : undefined,
    });
    totals.passed += failure.passed;
    totals.failed += failure.failed;
    if (failure.output) console.log(`\n${failure.output.trimEnd()}\n`);
    console.log(`FAILED  ${step.name}: ${failure.message} (${seconds()})`);
    return false;
  }
}

const minutes = ((performance.now() - start) / 60_000).toFixed(1);
console.log(`\n${steps.length} steps in ${minutes} minutes`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;
