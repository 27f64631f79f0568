/**
 * Tables for people.
 *
 * @module
 */

import { escapeUnprintable } from "@rcsp/rcsp";
import type { Paint } from "./styles.ts";
import { displayWidth, fit, pad } from "./text_width.ts";

const GAP = "  ";
/** No column is made narrower than this; rather the last ones are left out. */
const NARROWEST = 6;

/** A column of a table. */
export interface Column {
  /** Its heading: our text or foreign text. */
  readonly name: string;
  /** Whether its cells are aligned to the right. */
  readonly right?: boolean | undefined;
}

/** A table as lines, and how many of its columns had no room. */
export interface Layout {
  readonly lines: readonly string[];
  readonly hidden: number;
}

/**
 * Lays out a table in lines of at most `width` columns: first cells are cut, then columns left out.
 * Cells and headings may be foreign text.
 */
export function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: Paint,
): Layout {
  // What does not fit in a line is not looked at: a name may be very long.
  const safe = (text = ""): string =>
    fit(escapeUnprintable(text.length > width ? `${text.slice(0, width)}…` : text), width);
  const cells = rows.map((row) => columns.map((_, i) => safe(row[i])));
  const names = columns.map(({ name }) => safe(name));
  const natural = names.map((name, i) =>
    Math.max(displayWidth(name), ...cells.map((row) => displayWidth(row[i]!)))
  );
  const widths = shrink(natural, width);
  const line = (row: readonly string[], heading: boolean): string =>
    widths.map((columnWidth, i) => {
      const cell = fit(row[i]!, columnWidth);
      // Nothing is filled up at the end of a line.
      const last = i === widths.length - 1 && !columns[i]!.right;
      const shown = heading ? paint("heading", cell) : cell;
      if (last) return shown;
      const filled = pad(cell, columnWidth, columns[i]!.right);
      return heading ? filled.replace(cell, () => shown) : filled;
    }).join(GAP).trimEnd();
  return {
    lines: [line(names, true), ...cells.map((row) => line(row, false))],
    hidden: columns.length - widths.length,
  };
}

function shrink(natural: readonly number[], width: number): number[] {
  const least = natural.map((column) => Math.min(column, NARROWEST));
  let shown = natural.length;
  while (shown > 1 && total(least.slice(0, shown)) > width) shown--;
  const widths = natural.slice(0, shown);
  while (total(widths) > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= 1) break;
    widths[widest]!--;
  }
  return widths;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
}
