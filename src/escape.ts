/**
 * Escaping of untrusted text.
 *
 * @module
 */

// Controls (C0, DEL, C1), format characters (bidi overrides among them), lone surrogates, private use
// and unassigned characters, and the two separators that end a line.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;
const UNPRINTABLE_BUT_LAYOUT = /(?![\n\t])[\p{C}\u2028\u2029]/gu;

/**
 * Escapes every character that could control a terminal or reorder its text, as `\u001b`. JSON stays
 * equivalent JSON.
 *
 * With `layout: true`, keeps newlines and tabs, for text that we have formatted, such as indented JSON.
 */
export function escapeUnprintable(text: string, options: { layout?: boolean } = {}): string {
  return text.replace(options.layout ? UNPRINTABLE_BUT_LAYOUT : UNPRINTABLE, escape);
}

/** Quotes untrusted text for a message: escaped, and shortened to 40 characters. */
export function quote(text: string): string {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return `'${shown.replace(UNPRINTABLE, escape)}'`;
}

function escape(character: string): string {
  const units = character.split("").map((unit) => unit.charCodeAt(0).toString(16));
  return units.map((unit) => `\\u${unit.padStart(4, "0")}`).join("");
}
