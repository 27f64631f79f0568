/**
 * How wide text is in a terminal.
 *
 * @module
 */

import stringWidth from "string-width";

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

const ASCII = /^[\x20-\x7e]*$/;
const MARKS_FIRST = /^\p{M}/u;
/** Most code units that one character on the screen may take: some pile up marks without end. */
const CLUSTER = 16;

/** The columns that text takes; it must hold no control characters. */
export function displayWidth(text: string): number {
  return ASCII.test(text) ? text.length : stringWidth(text);
}

/**
 * Text that takes at most `columns`; what is cut off leaves an ellipsis. Piled up marks are thinned
 * out, and a mark that stands first gets something to stand on.
 */
export function fit(text: string, columns: number): string {
  if (ASCII.test(text) && text.length <= columns) return text;
  let fitting = "";
  let width = 0;
  // Where the ellipsis would go.
  let short = "";
  const steady = MARKS_FIRST.test(text) ? `\u25cc${text}` : text;
  for (const { segment } of segmenter.segment(steady)) {
    const cluster = segment.length > CLUSTER ? thin(segment) : segment;
    width += stringWidth(cluster);
    if (width > columns) return columns > 0 ? `${short}…` : "";
    fitting += cluster;
    if (width <= columns - 1) short = fitting;
  }
  return fitting;
}

/** Breaks text between words into lines of at most `columns`; a word that is longer has its own. */
export function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)!;
    if (last === "") lines[lines.length - 1] = word;
    else if (displayWidth(`${last} ${word}`) <= columns) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** Fills text up with spaces; with `right` from the left. */
export function pad(text: string, columns: number, right = false): string {
  const spaces = " ".repeat(Math.max(0, columns - displayWidth(text)));
  return right ? spaces + text : text + spaces;
}

function thin(cluster: string): string {
  const kept = cluster.slice(0, CLUSTER);
  // Not in the middle of a surrogate pair.
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}
