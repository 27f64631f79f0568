/**
 * The tests of `rcsp ui` in a real browser, with each runtime as the bridge.
 *
 * node tests/browser/main.ts [deno] [bun] [node] [--only WORD]
 */

import process from "node:process";
import { parseArgs } from "@std/cli/parse-args";
import { type Runtime, RUNTIMES } from "./bridge.ts";
import { startBrowser } from "./browser.ts";
import { type BrowserCase, CaseContext, SharedBridge } from "./case.ts";
import { connectorCases } from "./connector_cases.ts";
import { lastingCases } from "./lasting_cases.ts";
import { pageCases } from "./page_cases.ts";
import { securityCases } from "./security_cases.ts";

const { _: words, only = "" } = parseArgs(process.argv.slice(2), { string: ["only"] });
const all = Object.keys(RUNTIMES) as Runtime[];
const runtimes = words.length === 0 ? all : all.filter((runtime) => words.includes(runtime));
const cases = [...pageCases, ...lastingCases, ...securityCases, ...connectorCases]
  .filter(({ name }) => name.includes(only));

const browser = await startBrowser().catch((error: Error) => {
  console.log(`${error.message}\n0 passed, 1 failed`);
  process.exit(1);
});
const counts = { passed: 0, failed: 0 };
// All at once: most of the time they wait for one another's processes.
await Promise.all(runtimes.map(async (runtime) => {
  const shared = new SharedBridge(browser, runtime);
  for (const browserCase of cases) {
    await runCase(browserCase, new CaseContext(browser, runtime, shared));
  }
  await shared.end();
}));
await browser.close();
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;

async function runCase({ name, run }: BrowserCase, context: CaseContext): Promise<void> {
  const start = performance.now();
  const { runtime } = context;
  let problem: string | undefined;
  try {
    await run(context);
    problem = context.complaints[0];
  } catch (error) {
    problem = error instanceof Error ? error.stack : String(error);
  } finally {
    await context.end();
  }
  const time = `${((performance.now() - start) / 1000).toFixed(1)} s`;
  counts[problem === undefined ? "passed" : "failed"]++;
  console.log(`${problem === undefined ? "ok" : "FAILED"} ${runtime}: ${name} (${time})`);
  if (problem !== undefined) console.log(problem);
}
