/**
 * How wide text is in a terminal.
 *
 * @module
 */

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

// Of East Asian width "wide" or "fullwidth", by Unicode's annex 11; emoji are told by their property.
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1aff0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

const ASCII = /^[\x20-\x7e]*$/;
// Marks, and the parts of a Hangul syllable that follow its first.
const NO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff\ud7b0-\ud7ff]$/u;
const EMOJI = /\p{Emoji_Presentation}|\p{Emoji}\ufe0f/u;
const MARKS_FIRST = /^\p{M}/u;
/** Most code units that one character on the screen may take: some pile up marks without end. */
const CLUSTER = 16;

/** The columns that text takes; it must hold no control characters. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += clusterWidth(segment);
  return width;
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
    width += clusterWidth(cluster);
    if (width > columns) return columns > 0 ? `${short}…` : "";
    fitting += cluster;
    if (width <= columns - 1) short = fitting;
  }
  return fitting;
}

/** Fills text up with spaces; with `right` from the left. */
export function pad(text: string, columns: number, right = false): string {
  const spaces = " ".repeat(Math.max(0, columns - displayWidth(text)));
  return right ? spaces + text : text + spaces;
}

function clusterWidth(cluster: string): number {
  if (EMOJI.test(cluster)) return 2;
  let width = 0;
  for (const character of cluster) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (NO_WIDTH.test(character)) return 0;
  const code = character.codePointAt(0)!;
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

function thin(cluster: string): string {
  const kept = cluster.slice(0, CLUSTER);
  // Not in the middle of a surrogate pair.
  return kept.isWellFormed() ? kept : kept.slice(0, -1);
}
