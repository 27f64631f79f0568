/**
 * LED colors as people write them.
 *
 * @module
 */

import { quote } from "../escape.ts";

const NAMED: Readonly<Record<string, string>> = {
  red: "ff0000",
  green: "00ff00",
  blue: "0000ff",
  yellow: "ffff00",
  cyan: "00ffff",
  magenta: "ff00ff",
  orange: "ff8000",
  purple: "8000ff",
  pink: "ff4080",
  white: "ffffff",
  off: "000000",
};

/** The names that `parseColor()` knows. */
export const COLOR_NAMES: readonly string[] = Object.keys(NAMED);

/** A color. */
export interface Color {
  /** 0 to 255. */
  readonly Red: number;
  /** 0 to 255. */
  readonly Green: number;
  /** 0 to 255. */
  readonly Blue: number;
}

/**
 * Parses a name (`red`, `off`, …), `#ff8000` or `#f80` (also without the `#`), or `255,128,0`.
 *
 * @throws {TypeError} If it is none of these.
 */
export function parseColor(text: string): Color {
  const lower = text.trim().toLowerCase();
  const known = COLOR_NAMES.includes(lower) ? NAMED[lower]! : lower;
  const [Red, Green, Blue] = fromHex(known) ?? fromDecimals(known) ?? [];
  if (Red !== undefined && Green !== undefined && Blue !== undefined) return { Red, Green, Blue };
  throw new TypeError(
    `Invalid color ${quote(text)}: expected ${COLOR_NAMES.join(", ")}, #ff8000 or 255,128,0`,
  );
}

function fromHex(text: string): number[] | undefined {
  const [, digits = ""] = /^#?([\da-f]{6}|[\da-f]{3})$/.exec(text) ?? [];
  const channels = digits.match(digits.length === 3 ? /./g : /../g);
  return channels?.map((channel) => parseInt(channel.padEnd(2, channel), 16));
}

function fromDecimals(text: string): number[] | undefined {
  const parts = /^(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) ? parts : undefined;
}
