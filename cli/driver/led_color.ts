/**
 * Colours of an LED as people write them.
 *
 * @module
 */

import { hint } from "../command_line/suggest.ts";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

/** A colour, 0 to 255 each. */
export interface Color {
  readonly Red: number;
  readonly Green: number;
  readonly Blue: number;
}

const NAMES: Readonly<Record<string, readonly [red: number, green: number, blue: number]>> = {
  red: [255, 0, 0],
  green: [0, 255, 0],
  blue: [0, 0, 255],
  yellow: [255, 255, 0],
  cyan: [0, 255, 255],
  magenta: [255, 0, 255],
  orange: [255, 128, 0],
  purple: [128, 0, 255],
  pink: [255, 64, 128],
  white: [255, 255, 255],
  off: [0, 0, 0],
};

/** The names that a colour may be given by. */
export const COLOR_NAMES: readonly string[] = Object.keys(NAMES);

/**
 * Reads a name, `#ff8000` (the `#` may be left out, as shells take it for a comment), `#f80`, or
 * `255,128,0`.
 *
 * @throws {UsageError} If it is no colour.
 */
export function parseColor(text: string): Color {
  const lower = text.toLowerCase();
  const named = Object.hasOwn(NAMES, lower) ? NAMES[lower] : undefined;
  const [Red, Green, Blue] = named ?? fromHex(lower) ?? fromDecimals(text) ?? [];
  if (Red !== undefined && Green !== undefined && Blue !== undefined) return { Red, Green, Blue };
  const forms = `a colour is ${COLOR_NAMES.join(", ")}, '#ff8000' or 255,128,0`;
  throw new UsageError(`${quote(text)} is no colour${hint(lower, COLOR_NAMES, forms)}`);
}

/** `#ff8000` */
export function formatColor({ Red, Green, Blue }: Color): string {
  return `#${[Red, Green, Blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function fromHex(text: string): number[] | undefined {
  const [, digits = ""] = /^#?([\da-f]{6}|[\da-f]{3})$/.exec(text) ?? [];
  if (digits === "") return undefined;
  const long = digits.length === 3 ? digits.replace(/./g, "$&$&") : digits;
  return [0, 2, 4].map((at) => parseInt(long.slice(at, at + 2), 16));
}

function fromDecimals(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length !== 3 || !parts.every((part) => /^\d{1,3}$/.test(part))) return undefined;
  const numbers = parts.map(Number);
  return numbers.every((number) => number <= 255) ? numbers : undefined;
}
