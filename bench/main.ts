/**
 * Runs all benches and holds them to the bars: `pass` or `short` for each, and exit code 1 if one is
 * short. By default on the runtime that runs this file.
 *
 * --all       on Deno, Bun and Node, those that are on the PATH
 * --only=a,b  these benches
 * --json      the reports, for machines
 * --markdown  writes them to bench/RESULTS.md
 * --smoke     a quick run that looks at no bar
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { run, runtimeCommand } from "../tests/support/runtime.ts";
import { machineLine } from "./support/machine.ts";
import { resultsPage } from "./support/page.ts";
import { judge, type Report, tableText, verdictLine } from "./support/report.ts";

const BENCHES = ["header", "reassembly", "payload", "end_to_end", "memory"];
const RUNTIMES = [["deno", "run", "-A"], ["bun", "run"], ["node"]];
// Milliseconds that a bench may take.
const MOST = 15 * 60_000;

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
    if (!values.json) print(report);
  }
}

if (values.json) console.log(JSON.stringify(reports));
if (values.markdown) {
  const how = process.argv.slice(2).join(" ");
  const page = new URL("./RESULTS.md", import.meta.url);
  writeFileSync(page, resultsPage(reports, `deno run -A bench/main.ts ${how}`));
}
if (!values.smoke && !values.json) {
  console.log("\nBars");
  for (const report of reports) {
    for (const verdict of judge(report)) {
      console.log(`${report.machine.runtime.padEnd(4)}  ${verdictLine(verdict)}`);
    }
  }
}
const short = reports.flatMap(judge).some(({ verdict }) => verdict === "short");
if (short && !values.smoke) process.exitCode = 1;

async function runBench(bench: string, runtime: string[] | undefined): Promise<Report> {
  const script = new URL(`./${bench}.ts`, import.meta.url).pathname;
  const args = values.smoke ? ["--json", "--smoke"] : ["--json"];
  const command = runtime === undefined
    ? runtimeCommand(script, ...args)
    : [...runtime, script, ...args];
  const { code, stdout, stderr } = await run(command, { timeout: MOST });
  if (code !== 0) throw new Error(`'${command.join(" ")}' ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

function print(report: Report): void {
  console.log(`\n== ${report.bench} on ${machineLine(report.machine)}`);
  if (values.smoke) return;
  for (const table of report.tables) console.log(`\n${table.title}\n${tableText(table)}`);
  for (const note of report.notes) console.log(`\n${note}`);
}
