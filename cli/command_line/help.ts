/**
 * Help, made of what commands say of themselves.
 *
 * @module
 */

import { EXIT } from "../exit_codes.ts";
import type { Paint } from "../terminal/styles.ts";
import type { Command } from "./command.ts";
import { flagGroups } from "./flags.ts";
import type { Flag, Positional } from "./parse.ts";

/** How wide help is, whatever the terminal. */
const COLUMNS = 80;

const EXIT_CODES: readonly (readonly [code: number, about: string])[] = [
  [EXIT.ok, "all went well"],
  [EXIT.refused, "the driver answered with an error, or has no such device"],
  [EXIT.usage, "the command line is wrong, or a file that it names"],
  [EXIT.connection, "no connection"],
  [EXIT.timeout, "no answer in time"],
  [EXIT.protocol, "the other side does not follow the protocol"],
  [EXIT.runtime, "Node is too old"],
  [EXIT.fault, "a fault of rcsp itself"],
  [EXIT.output, "the output could not be written, as on a full disk"],
  [EXIT.interrupted, "interrupted by Ctrl-C or SIGTERM before there was a result"],
];

/** `rcsp led <device> <colour> [flags]` */
export function synopsis({ name, positionals: words = [] }: Command): string {
  return ["rcsp", name, ...words.map(wordSynopsis), "[flags]"].join(" ");
}

/** The help of all. */
export function overview(commands: readonly Command[], paint: Paint): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  const variables = [
    ["RCSP_HOST, RCSP_PORT", "where the driver is, as --host and --port"],
    ["RCSP_TIMEOUT", "how long to wait, as --timeout"],
    ["RCSP_DIALECT", "a dialect file, as --dialect"],
    ["NO_COLOR", "if not empty, no colours"],
  ] as const;
  return [
    "rcsp talks to Rokoko motion-capture hardware by RCSP (Rokoko Command Server Protocol).",
    "",
    `${paint("strong", "Usage:")} rcsp <command> [arguments] [flags]`,
    "       rcsp help <command>",
    "       rcsp --version",
    "",
    section("Commands", rows, paint),
    section("Environment", variables, paint),
    section("Exit codes", EXIT_CODES.map(([code, about]) => [`${code}`, about] as const), paint),
    "Without hardware at hand: rcsp list --simulate",
    "",
  ].join("\n");
}

/** The help of one command. */
export function commandHelp(command: Command, paint: Paint): string {
  const { summary, details, positionals: words = [], examples } = command;
  const parts = [
    `${paint("strong", "Usage:")} ${synopsis(command)}\n`,
    `${summary}.\n`,
    ...(details === undefined ? [] : [`${details.trim()}\n`]),
  ];
  if (words.length > 0) {
    parts.push(section("Arguments", words.map((word) => [`<${word.name}>`, word.about]), paint));
  }
  for (const [title, flags] of flagGroups(command)) {
    parts.push(section(title, flags.map((flag) => [flagName(flag), flagAbout(flag)]), paint));
  }
  parts.push(
    `${paint("strong", "Examples:")}\n` +
      examples.map(([line, about]) => `  ${paint("faint", `# ${about}`)}\n  ${line}\n`).join(""),
  );
  return parts.join("\n");
}

function wordSynopsis({ name, optional, multiple: many }: Positional): string {
  const word = `<${name}>${many ? "…" : ""}`;
  return optional ? `[${word}]` : word;
}

function flagName({ name, short, kind, value }: Flag): string {
  const long = kind === "boolean" ? `--${name}` : `--${name} ${value ?? "VALUE"}`;
  return short === undefined ? long : `-${short}, ${long}`;
}

function flagAbout({ about, default: otherwise, choices, multiple: many, env }: Flag): string {
  const notes = [
    ...(choices === undefined ? [] : [choices.join(", ")]),
    ...(many ? ["may be repeated"] : []),
    ...(otherwise === undefined ? [] : [`default: ${otherwise}`]),
    ...(env === undefined ? [] : [env]),
  ];
  return notes.length === 0 ? about : `${about} (${notes.join("; ")})`;
}

function section(
  title: string,
  rows: readonly (readonly [left: string, right: string])[],
  paint: Paint,
): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => {
    const [first = "", ...more] = wrap(right, COLUMNS - width - 4);
    const hanging = more.map((line) => `${" ".repeat(width + 4)}${line}\n`);
    return `  ${left.padEnd(width)}  ${first}\n${hanging.join("")}`;
  });
  return `${paint("strong", `${title}:`)}\n${lines.join("")}`;
}

function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    if (last === "") lines[lines.length - 1] = word;
    else if (last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
