/**
 * Runs all benches and applies the bars: prints `pass` or `short` for each, and exits with 1 if one is
 * short. By default on the runtime that runs this file.
 *
 * --all       on Deno, Bun and Node, which must be on the PATH
 * --only=a,b  only these benches
 * --json      print the reports as JSON
 * --markdown  write bench/RESULTS.md
 * --smoke     run everything once, without figures and bars
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { run, runtimeCommand } from "../tests/support/runtime.ts";
import { RUNTIME_NAMES } from "./support/machine.ts";
import { resultsPage } from "./support/page.ts";
import { judge, type Report, reportText, verdictLine } from "./support/report.ts";

const BENCHES = ["header", "reassembly", "payload", "end_to_end", "memory", "motion"];
const RUNTIMES = [["deno", "run", "-A"], ["bun", "run"], ["node"]];
// Timeout of one bench in milliseconds.
const BENCH_TIMEOUT = 15 * 60_000;

const { values } = parseArgs({
  options: {
    all: { type: "boolean", default: false },
    only: { type: "string", default: BENCHES.join(",") },
    json: { type: "boolean", default: false },
    markdown: { type: "boolean", default: false },
    smoke: { type: "boolean", default: false },
  },
});
const runtimes = values.all ? RUNTIMES : [undefined];
const reports: Report[] = [];

for (const bench of values.only.split(",")) {
  for (const runtime of runtimes) {
    const report = await runBench(bench, runtime);
    reports.push(report);
    if (!values.json) console.log(`\n== ${reportText(report, values.smoke)}`);
  }
}

if (values.json) console.log(JSON.stringify(reports));
if (values.markdown) {
  const args = process.argv.slice(2).join(" ");
  const page = new URL("./RESULTS.md", import.meta.url);
  writeFileSync(page, resultsPage(reports, `deno run -A bench/main.ts ${args}`));
}
if (!values.smoke) {
  const verdicts = reports.flatMap((report) =>
    judge(report).map((verdict) => ({ ...verdict, name: RUNTIME_NAMES[report.machine.runtime] }))
  );
  if (!values.json) {
    console.log("\nBars");
    for (const verdict of verdicts) {
      console.log(`${verdict.name.padEnd(4)}  ${verdictLine(verdict)}`);
    }
  }
  if (verdicts.some(({ passed }) => !passed)) process.exitCode = 1;
}

async function runBench(bench: string, runtime: string[] | undefined): Promise<Report> {
  const script = new URL(`./${bench}.ts`, import.meta.url).pathname;
  const args = values.smoke ? ["--json", "--smoke"] : ["--json"];
  const command = runtime === undefined
    ? runtimeCommand(script, ...args)
    : [...runtime, script, ...args];
  const { code, stdout, stderr } = await run(command, { timeout: BENCH_TIMEOUT });
  if (code !== 0) throw new Error(`'${command.join(" ")}' exited with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}
