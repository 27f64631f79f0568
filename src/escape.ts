/**
 * Escaping of untrusted text.
 *
 * @module
 */

// Controls (C0, DEL, C1), format characters (bidi overrides among them), lone surrogates, private use
// and unassigned characters, and the two separators that end a line.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/**
 * Escapes every character that could control a terminal or reorder its text, as `\u001b`. JSON stays
 * equivalent JSON.
 *
 * With `layout: true`, keeps newlines and tabs, for text that we have formatted, such as indented JSON.
 */
export function escapeUnprintable(text: string, options: { layout?: boolean } = {}): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (options.layout && (character === "\n" || character === "\t")) return character;
    return character.split("").map(escapeUnit).join("");
  });
}

/** Quotes untrusted text for a message: escaped, and shortened to 40 characters. */
export function quote(text: string): string {
  return `'${escapeUnprintable(text.length > 40 ? `${text.slice(0, 40)}…` : text)}'`;
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
