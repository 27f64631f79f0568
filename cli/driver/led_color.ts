/**
 * Colors of an LED as arguments.
 *
 * @module
 */

import { type Color, COLOR_NAMES, parseColor as parse } from "@rcsp/rcsp/server";
import { hint } from "../command_line/suggest.ts";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

export { COLOR_NAMES };

/**
 * Parses a color as `setColorLed()` does.
 *
 * @throws {UsageError} If it is not a color.
 */
export function parseColor(text: string): Color {
  try {
    return parse(text);
  } catch (cause) {
    const forms = `Expected ${COLOR_NAMES.join(", ")}, '#ff8000' or 255,128,0`;
    const meant = hint(text.toLowerCase(), COLOR_NAMES, forms);
    throw new UsageError(`Invalid color ${quote(text)}${meant}`, { cause });
  }
}

/** `#ff8000` */
export function formatColor({ Red, Green, Blue }: Color): string {
  return `#${[Red, Green, Blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
