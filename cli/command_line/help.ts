/**
 * Help, generated from the commands' own data.
 *
 * @module
 */

import { EXIT } from "../exit_codes.ts";
import type { TextOutput } from "../process/io.ts";
import type { Paint } from "../terminal/styles.ts";
import { wrap } from "../terminal/text_width.ts";
import type { Command } from "./command.ts";
import { allFlags, COMMON_FLAGS } from "./flags.ts";
import type { Flag, Positional } from "./parse.ts";

/** Longer lines are hard to read, however wide the terminal is. */
const MAX_COLUMNS = 100;
/** A description narrower than this goes below its term. */
const MIN_DESCRIPTION = 36;

type Row = readonly [term: string, description: string];

const EXIT_CODES: readonly Row[] = ([
  [EXIT.ok, "success"],
  [EXIT.refused, "the driver answered with an error, or has no such device"],
  [EXIT.usage, "invalid command line, or an invalid file that it names"],
  [EXIT.connection, "no connection"],
  [EXIT.timeout, "no answer in time"],
  [EXIT.protocol, "the other side does not follow the protocol"],
  [EXIT.runtime, "Node is too old"],
  [EXIT.fault, "internal error"],
  [EXIT.output, "cannot write the output, for example because the disk is full"],
  [EXIT.interrupted, "interrupted by Ctrl-C or SIGTERM before there was a result"],
] as const).map(([code, about]) => [`${code}`, about]);

/** How and where help is shown. */
export interface HelpStyle {
  readonly columns: number;
  readonly paint: Paint;
}

/** Help as wide as the terminal; 80 columns in a pipe. */
export function helpStyle({ isTerminal, columns }: TextOutput, paint: Paint): HelpStyle {
  return { columns: isTerminal ? Math.min(columns, MAX_COLUMNS) : 80, paint };
}

/** `rcsp help`: all commands, and the flags that they share. */
export function overview(commands: readonly Command[], style: HelpStyle): string {
  const { paint } = style;
  const about = "rcsp talks to Rokoko motion-capture hardware via RCSP (Rokoko Command Server " +
    "Protocol). To try it without hardware: rcsp list --simulate";
  return [
    hanging("", about, style),
    `${paint("strong", "Usage:")} rcsp <command> [arguments]\n` +
    "       rcsp help <command>\n",
    section("Commands", commands.map(({ name, summary }) => [name, summary]), style),
    section("Common flags", flagRows(COMMON_FLAGS), style),
    hanging("", "A name such as RCSP_HOST is the environment variable that sets the flag.", style),
    section("Exit codes", EXIT_CODES, style),
  ].join("\n");
}

/** `rcsp help COMMAND` */
export function commandHelp(command: Command, style: HelpStyle): string {
  const { name, summary, details = "", positionals = [], examples } = command;
  const usage = ["rcsp", name, ...positionals.map(synopsis), "[flags]"].join(" ");
  const all = allFlags(command);
  const common = COMMON_FLAGS.filter((flag) => all.some((other) => isSame(flag, other)));
  const own = all.filter((flag) => !common.some((other) => isSame(flag, other)));
  const parts = [
    hanging("Usage: ", usage, style),
    ...`${summary}.\n\n${details}`.trim().split("\n\n").map((text) => hanging("", text, style)),
  ];
  if (positionals.length > 0) {
    const rows = positionals.map(({ name, about }): Row => [`<${name}>`, about]);
    parts.push(section("Arguments", rows, style));
  }
  if (own.length > 0) parts.push(section("Flags", flagRows(own), style));
  const names = common.map(({ name }) => `--${name}`).join(", ");
  parts.push(hanging("Common flags: ", `${names} (see 'rcsp help')`, style));
  const lines = examples.map((example) => exampleText(example, style));
  parts.push(`${style.paint("strong", "Examples:")}\n${lines.join("")}`);
  return parts.join("\n");
}

function isSame(one: Flag, other: Flag): boolean {
  return one.name === other.name && one.about === other.about;
}

function synopsis({ name, optional, multiple }: Positional): string {
  const word = `<${name}>${multiple ? "…" : ""}`;
  return optional ? `[${word}]` : word;
}

function flagRows(flags: readonly Flag[]): Row[] {
  return flags.map(({ name, short, kind, value = "VALUE", optional, about, ...rest }) => {
    const shown = optional ? `[=${value}]` : ` ${value}`;
    const long = kind === "boolean" ? `--${name}` : `--${name}${shown}`;
    const notes = [
      ...(rest.choices === undefined ? [] : [rest.choices.join(", ")]),
      ...(rest.multiple ? ["can be repeated"] : []),
      ...(rest.default === undefined ? [] : [`default: ${rest.default}`]),
      ...(rest.env === undefined ? [] : [rest.env]),
    ];
    return [
      short === undefined ? long : `-${short}, ${long}`,
      notes.length === 0 ? about : `${about} (${notes.join("; ")})`,
    ];
  });
}

function section(title: string, rows: readonly Row[], { columns, paint }: HelpStyle): string {
  const width = Math.max(...rows.map(([term]) => term.length));
  const isBelow = columns - width - 4 < MIN_DESCRIPTION && width > 4;
  const indent = isBelow ? 6 : width + 4;
  const lines = rows.map(([term, about]) => {
    const text = wrap(about, columns - indent).join(`\n${" ".repeat(indent)}`);
    const gap = isBelow ? `\n${" ".repeat(indent)}` : " ".repeat(indent - 2 - term.length);
    return `  ${term}${gap}${text}\n`;
  });
  return `${paint("strong", `${title}:`)}\n${lines.join("")}`;
}

/** A paragraph behind a title that may be empty. */
function hanging(title: string, text: string, { columns, paint }: HelpStyle): string {
  const lines = wrap(text, columns - title.length);
  return `${title && paint("strong", title)}${lines.join(`\n${" ".repeat(title.length)}`)}\n`;
}

/** A long line continues behind a backslash, so that it can still be pasted. */
function exampleText([line, about]: Row, { columns, paint }: HelpStyle): string {
  const notes = wrap(about, columns - 4).map((text) => `  ${paint("faint", `# ${text}`)}\n`);
  const parts = line.length + 2 <= columns ? [line] : wrap(line, columns - 6);
  return `${notes.join("")}  ${parts.join(" \\\n    ")}\n`;
}
