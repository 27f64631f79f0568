/**
 * Foreign text made safe for a terminal.
 *
 * @module
 */

// Controls (C0, DEL, C1), format characters (bidi overrides among them), lone surrogates, private use
// and unassigned characters, and the two separators that end a line.
const UNPRINTABLE = /[\p{C}\u2028\u2029]/gu;

/**
 * Escapes every character that could steer a terminal or reorder its text, as `\u001b`: text that
 * was JSON stays the same JSON.
 *
 * With `layout: true` newlines and tabs stay, for text that was laid out by us, such as indented JSON.
 */
export function escapeUnprintable(text: string, options: { layout?: boolean } = {}): string {
  return text.replace(UNPRINTABLE, (character) => {
    if (options.layout && (character === "\n" || character === "\t")) return character;
    return Array.from({ length: character.length }, (_, i) => escape(character, i)).join("");
  });
}

/** A piece of foreign text for a message: quoted, escaped, cut after 40 characters. */
export function quote(text: string): string {
  return `'${escapeUnprintable(text.length > 40 ? `${text.slice(0, 40)}…` : text)}'`;
}

function escape(text: string, index: number): string {
  return `\\u${text.charCodeAt(index).toString(16).padStart(4, "0")}`;
}
