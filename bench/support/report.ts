/** The report of a bench: tables for people, figures for the bars. */

import process from "node:process";
import { parseArgs } from "node:util";
import { type Bar, BARS } from "../bars.ts";
import { describeMachine, type Machine, RUNTIME_NAMES } from "./machine.ts";

/** Rows of text under a heading. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a bench measured. */
export interface Report {
  readonly bench: string;
  readonly machine: Machine;
  /** All details, for the terminal. */
  readonly tables: readonly Table[];
  /** The essence, for the page of results: the first column names the row. */
  readonly summary: Table;
  /** The figures for the bars, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What a reader must know. */
  readonly notes: readonly string[];
}

/** A bar applied to a figure. */
export interface Verdict {
  readonly bar: Bar;
  readonly limit: number;
  readonly figure: number;
  readonly passed: boolean;
}

/** Command line of a bench. */
export interface Options {
  /** Run everything once and measure nothing. */
  readonly smoke: boolean;
  /** Print the report as JSON. */
  readonly json: boolean;
}

/** Parses the command line of a bench. */
export function options(): Options {
  const { smoke, json } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  }).values;
  return { smoke, json };
}

/** Prints the report of a bench. Smoke runs have no meaningful figures, so no bar applies to them. */
export function finish(found: Omit<Report, "machine">, { smoke, json }: Options): void {
  const report: Report = { ...found, machine: describeMachine() };
  if (json) {
    console.log(JSON.stringify(report));
    return;
  }
  console.log(reportText(report, smoke));
  if (smoke) return;
  const verdicts = judge(report);
  if (verdicts.length > 0) console.log(`\n${verdicts.map(verdictLine).join("\n")}`);
  if (verdicts.some(({ passed }) => !passed)) process.exitCode = 1;
}

/** The whole report as text; of a smoke run only that it passed. */
export function reportText({ bench, machine, tables, notes }: Report, smoke: boolean): string {
  const { runtime, version, hardware } = machine;
  const head = `${bench} on ${RUNTIME_NAMES[runtime]} ${version}; ${hardware}`;
  if (smoke) return `${head}\nok: ${tables.length} tables, all variants agree`;
  return [head, ...tables.map((table) => `${table.title}\n${tableText(table)}`), ...notes]
    .join("\n\n");
}

/** Applies the bars of its runtime to a report. */
export function judge({ machine, metrics }: Report): Verdict[] {
  return BARS.flatMap((bar): Verdict[] => {
    const figure = metrics[bar.metric];
    if (figure === undefined) return [];
    const limit = bar.limits[machine.runtime];
    return [{
      bar,
      limit,
      figure,
      passed: bar.kind === "at least" ? figure >= limit : figure <= limit,
    }];
  });
}

/** One line: `pass   framing …: 4.2 (at least 3)`. */
export function verdictLine({ bar, limit, figure, passed }: Verdict): string {
  const verdict = passed ? "pass " : "short";
  return `${verdict}  ${bar.what}: ${figureText(figure)} (${bar.kind} ${limit})`;
}

/** A figure with three significant digits. */
export function figureText(figure: number): string {
  if (figure >= 999.5e6) return `${(figure / 1e9).toFixed(2)} G`;
  if (figure >= 999_500) return `${(figure / 1e6).toPrecision(3)} M`;
  if (figure >= 1e4) return `${(figure / 1e3).toPrecision(3)} k`;
  if (figure >= 100) return figure.toFixed(0);
  return String(Number(figure.toPrecision(3)));
}

/** A time in the unit that fits. */
export function timeText(nanoseconds: number): string {
  if (nanoseconds >= 1e7) return `${figureText(nanoseconds / 1e6)} ms`;
  if (nanoseconds >= 1e4) return `${figureText(nanoseconds / 1e3)} µs`;
  return `${figureText(nanoseconds)} ns`;
}

/** A share as a percentage. */
export function percentText(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function tableText({ columns, rows }: Table): string {
  const widths = columns.map((name, i) =>
    Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0))
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
      .join("  ").trimEnd();
  return [columns, ...rows].map(line).join("\n");
}
