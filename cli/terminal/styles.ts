/**
 * Terminal colors.
 *
 * @module
 */

import { styleText } from "node:util";
import type { TextOutput } from "../process/io.ts";

/** What text is, in the command's own terms. */
export type Style = "heading" | "strong" | "faint" | "good" | "bad";

const FORMATS: Readonly<Record<Style, Parameters<typeof styleText>[0]>> = {
  heading: ["bold", "underline"],
  strong: "bold",
  faint: "dim",
  good: "green",
  bad: "red",
};

/** Puts a style on text that is safe already, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** Paints where it is wanted: in a terminal, unless `--no-color`, `NO_COLOR` or `TERM=dumb` say no. */
export function painter(
  output: TextOutput,
  env: (name: string) => string | undefined,
  noColor: boolean,
): Paint {
  const plain = noColor || !output.isTerminal || Boolean(env("NO_COLOR")) || env("TERM") === "dumb";
  if (plain) return (_style, text) => text;
  return (style, text) => styleText(FORMATS[style], text, { validateStream: false });
}
