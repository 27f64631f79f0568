/** What a bench found: tables for people, figures for machines, and the bars that it meets or not. */

import process from "node:process";
import { parseArgs } from "node:util";
import { type Bar, BARS } from "../bars.ts";
import { describeMachine, type Machine, machineLine } from "./machine.ts";

/** Rows of text under a heading. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What a bench found. */
export interface Report {
  readonly bench: string;
  readonly machine: Machine;
  readonly tables: readonly Table[];
  /** The figures that bars are about, by name. */
  readonly metrics: Readonly<Record<string, number>>;
  /** What a reader must know. */
  readonly notes: readonly string[];
}

/** A bar, and where the figure stands. */
export interface Verdict {
  readonly bar: Bar;
  readonly limit: number;
  readonly figure: number;
  readonly verdict: "pass" | "short";
}

/** How a bench was asked to run. */
export interface Options {
  readonly smoke: boolean;
  readonly json: boolean;
}

/** Reads the command line of a bench. */
export function options(): Options {
  const { smoke, json } = parseArgs({
    options: {
      smoke: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
    },
  }).values;
  return { smoke, json };
}

/** Prints what a bench found. In a smoke run the figures mean nothing, so no bar is looked at. */
export function finish(found: Omit<Report, "machine">, { smoke, json }: Options): void {
  const report: Report = { ...found, machine: describeMachine() };
  if (json) {
    console.log(JSON.stringify(report));
    return;
  }
  console.log(`${report.bench} on ${machineLine(report.machine)}`);
  if (smoke) {
    console.log(`ok: ${report.tables.length} tables, all variants agree`);
    return;
  }
  for (const table of report.tables) console.log(`\n${table.title}\n${tableText(table)}`);
  for (const note of report.notes) console.log(`\n${note}`);
  const verdicts = judge(report);
  if (verdicts.length > 0) console.log(`\n${verdicts.map(verdictLine).join("\n")}`);
  if (verdicts.some(({ verdict }) => verdict === "short")) process.exitCode = 1;
}

/** Holds a report against the bars of its runtime. */
export function judge({ machine, metrics }: Report): Verdict[] {
  return BARS.flatMap((bar): Verdict[] => {
    const figure = metrics[bar.metric];
    if (figure === undefined) return [];
    const limit = bar.limits[machine.runtime];
    const held = bar.kind === "at least" ? figure >= limit : figure <= limit;
    return [{ bar, limit, figure, verdict: held ? "pass" : "short" }];
  });
}

/** One line: `pass   framing …: 4.2 (at least 3)`. */
export function verdictLine({ bar, limit, figure, verdict }: Verdict): string {
  return `${verdict.padEnd(5)}  ${bar.what}: ${figureText(figure)} (${bar.kind} ${limit})`;
}

/** A figure with three digits that matter. */
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

/** A table for a terminal. */
export function tableText({ columns, rows }: Table): string {
  const widths = columns.map((name, i) =>
    Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0))
  );
  const line = (cells: readonly string[]): string =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))
      .join("  ").trimEnd();
  return [columns, ...rows].map(line).join("\n");
}

/** A table for a page. */
export function tableMarkdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = columns.map((_, i) => i === 0 ? "---" : "---:");
  return [columns, rule, ...rows].map(line).join("\n");
}
