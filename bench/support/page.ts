/** The page of results, made from reports and from nothing else. */

import { type Machine, machineLine } from "./machine.ts";
import { figureText, judge, type Report, tableMarkdown, type Verdict } from "./report.ts";

const NAMES = { deno: "Deno", bun: "Bun", node: "Node" };

/** The page as Markdown. */
export function resultsPage(reports: readonly Report[], command: string): string {
  return [
    "# Results",
    "",
    `The last full run, written by the benches themselves: \`${command}\`.`,
    "Ratios are taken round by round, with all variants taking turns in each, and are medians; read",
    "them, not the times. `spread` is the distance of the quartiles over the median.",
    "",
    ...machines(reports).map((machine) => `- ${machineLine(machine)}`),
    "",
    "## Bars",
    "",
    barsTable(reports),
    "",
    ...reports.flatMap(section),
  ].join("\n").trimEnd() + "\n";
}

function section(report: Report): string[] {
  return [
    `## ${report.bench.replaceAll("_", " ")}, ${NAMES[report.machine.runtime]}`,
    "",
    ...report.tables.flatMap((table) => [`**${table.title}**`, "", tableMarkdown(table), ""]),
    ...report.notes.flatMap((note) => [note, ""]),
  ];
}

function machines(reports: readonly Report[]): Machine[] {
  const byRuntime = new Map(reports.map(({ machine }) => [machine.runtime, machine]));
  return [...byRuntime.values()];
}

/** A row for each bar, a column for each runtime. */
function barsTable(reports: readonly Report[]): string {
  const runtimes = machines(reports).map(({ runtime }) => runtime);
  const verdicts = reports.flatMap((report) =>
    judge(report).map((verdict) => ({ ...verdict, runtime: report.machine.runtime }))
  );
  const bars = new Set(verdicts.map(({ bar }) => bar));
  const rows = [...bars].map((bar) => [
    bar.what,
    ...runtimes.map((runtime) =>
      cell(verdicts.find((verdict) => verdict.bar === bar && verdict.runtime === runtime))
    ),
  ]);
  const columns = ["what", ...runtimes.map((runtime) => NAMES[runtime])];
  return tableMarkdown({ title: "", columns, rows });
}

function cell(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "–";
  const { figure, limit, bar, verdict: held } = verdict;
  const sign = bar.kind === "at least" ? "≥" : "≤";
  return `${figureText(figure)} (${sign} ${limit})${held === "short" ? " **short**" : ""}`;
}
