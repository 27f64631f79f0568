/** The page of results: the bars and one table for each bench, with the runtimes side by side. */

import { type Machine, RUNTIME_NAMES } from "./machine.ts";
import { figureText, judge, type Report, type Verdict } from "./report.ts";

const MAX_LINES = 150;

/** The page as Markdown. */
export function resultsPage(reports: readonly Report[], command: string): string {
  const machines = [...new Map(reports.map(({ machine }) => [machine.runtime, machine])).values()];
  const versions = machines.map(({ runtime, version }) => `${RUNTIME_NAMES[runtime]} ${version}`);
  const benches = [...new Set(reports.map(({ bench }) => bench))];
  const lines = [
    "# Results",
    "",
    `The last full run, written by \`${command}\`. All variants take turns in each round; ratios are`,
    "medians over the rounds. Compare ratios, not times.",
    "",
    `${versions.join(", ")}; ${machines[0]?.hardware}.`,
    "",
    "## Bars",
    "",
    ...barsTable(reports, machines),
    "",
    ...benches.flatMap((bench) => section(reports.filter((report) => report.bench === bench))),
  ];
  if (lines.length > MAX_LINES) throw new RangeError(`The page has ${lines.length} lines`);
  return lines.join("\n").trimEnd() + "\n";
}

/** The summaries of one bench on all runtimes as one table. */
function section(reports: readonly Report[]): string[] {
  const { title, columns: [name, ...columns], rows } = reports[0]!.summary;
  const heads = reports.flatMap(({ machine }) =>
    columns.map((column) => `${RUNTIME_NAMES[machine.runtime]} ${column}`.trim())
  );
  const cells = (key: string): string[] =>
    reports.flatMap(({ summary }) => {
      const row = summary.rows.find(([first]) => first === key);
      return row === undefined ? columns.map(() => "–") : row.slice(1);
    });
  const notes = new Set(reports.flatMap(({ notes }) => notes));
  return [
    `## ${title}`,
    "",
    ...markdownTable([name!, ...heads], rows.map(([key]) => [key!, ...cells(key!)])),
    "",
    ...[...notes].flatMap((note) => [note, ""]),
  ];
}

/** A row for each bar, a column for each runtime. */
function barsTable(reports: readonly Report[], machines: readonly Machine[]): string[] {
  const verdicts = reports.flatMap((report) =>
    judge(report).map((verdict) => ({ ...verdict, runtime: report.machine.runtime }))
  );
  const bars = [...new Set(verdicts.map(({ bar }) => bar))];
  const rows = bars.map((bar) => [
    bar.what,
    ...machines.map(({ runtime }) =>
      verdictText(verdicts.find((verdict) => verdict.bar === bar && verdict.runtime === runtime))
    ),
  ]);
  return markdownTable(["bar", ...machines.map(({ runtime }) => RUNTIME_NAMES[runtime])], rows);
}

function verdictText(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "–";
  const { figure, limit, bar, passed } = verdict;
  const sign = bar.kind === "at least" ? "≥" : "≤";
  return `${figureText(figure)} (${sign} ${limit})${passed ? "" : " **short**"}`;
}

function markdownTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_, i) => i === 0 ? "---" : "---:");
  return [columns, rule, ...rows].map(line);
}
