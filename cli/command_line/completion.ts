/**
 * Scripts that complete command lines, made of what commands say of themselves.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { allFlags } from "./flags.ts";
import type { Flag } from "./parse.ts";

/** A shell that there is a script for. */
export type Shell = "bash" | "zsh" | "fish";

/** The shells that there are scripts for. */
export const SHELLS: readonly Shell[] = ["bash", "zsh", "fish"];

/** What can stand in the first place of a command, where that is known beforehand. */
const FIRST_WORDS: Readonly<Record<string, (commands: readonly Command[]) => readonly string[]>> = {
  help: (commands) => commands.map(({ name }) => name),
  completions: () => SHELLS,
};

/** The script for a shell. */
export function script(shell: Shell, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](commands);
}

function bash(commands: readonly Command[]): string {
  const cases = commands.map((command) => {
    const words = [
      ...allFlags(command).map(({ name }) => `--${name}`),
      ...firstWords(command, commands),
    ];
    return `    ${command.name}) words='${words.join(" ")}' ;;\n`;
  });
  const files = filesPattern(commands, "|");
  return `# rcsp completions for bash
_rcsp() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words i
  COMPREPLY=()
  case "$previous" in
    ${files}) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  words='${names(commands)} --help --version'
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
${indent(cases.join(""), 2)}      *) continue ;;
    esac
    break
  done
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _rcsp rcsp
`;
}

function zsh(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    '${name}:${zshText(summary)}'\n`).join("");
  const cases = commands.map((command) => {
    const flags = allFlags(command).map(zshFlag);
    const first = firstWords(command, commands);
    const words = first.length === 0 ? "'*:argument:_files'" : `'1:argument:(${first.join(" ")})'`;
    return `      ${command.name})\n        _arguments ${[...flags, words].join(" ")} ;;\n`;
  });
  return `#compdef rcsp
# rcsp completions for zsh
_rcsp() {
  local -a commands
  commands=(
${list}  )
  if ((CURRENT == 2)); then
    _describe command commands
  else
    local command=$words[2]
    shift words
    ((CURRENT--))
    case $command in
${cases.join("")}    esac
  fi
}
compdef _rcsp rcsp
`;
}

function fish(commands: readonly Command[]): string {
  const lines = [
    "# rcsp completions for fish",
    "complete -c rcsp -f",
    "complete -c rcsp -n __fish_use_subcommand -l version -d 'show the version'",
    "complete -c rcsp -n __fish_use_subcommand -s h -l help -d 'show the help'",
  ];
  for (const command of commands) {
    const { name, summary } = command;
    lines.push(`complete -c rcsp -n __fish_use_subcommand -a ${name} -d '${fishText(summary)}'`);
    const here = `complete -c rcsp -n '__fish_seen_subcommand_from ${name}'`;
    for (const flag of allFlags(command)) {
      const short = flag.short === undefined ? "" : ` -s ${flag.short}`;
      const value = flag.kind === "boolean" ? "" : takesFile(flag) ? " -r -F" : " -x";
      const choices = flag.choices === undefined ? "" : ` -a '${flag.choices.join(" ")}'`;
      lines.push(`${here}${short} -l ${flag.name}${value}${choices} -d '${fishText(flag.about)}'`);
    }
    const first = firstWords(command, commands);
    if (first.length > 0) lines.push(`${here} -a '${first.join(" ")}'`);
  }
  return `${lines.join("\n")}\n`;
}

function firstWords({ name }: Command, commands: readonly Command[]): readonly string[] {
  return FIRST_WORDS[name]?.(commands) ?? [];
}

function names(commands: readonly Command[]): string {
  return commands.map(({ name }) => name).join(" ");
}

function filesPattern(commands: readonly Command[], separator: string): string {
  const flags = commands.flatMap(allFlags).filter(takesFile).map(({ name }) => `--${name}`);
  return [...new Set(flags)].join(separator);
}

function takesFile({ value = "" }: Flag): boolean {
  return value === "FILE";
}

function zshFlag({ name, short, kind, about, value, multiple: many, choices }: Flag): string {
  const action = choices !== undefined
    ? `(${choices.join(" ")})`
    : value === "FILE"
    ? "_files"
    : " ";
  const argument = kind === "boolean" ? "" : `:${value ?? "value"}:${action}`;
  const text = `[${zshText(about)}]${argument}`;
  const repeat = many ? "*" : "";
  if (short === undefined) return `'${repeat}--${name}${text}'`;
  const others = many ? "*" : `(-${short} --${name})`;
  return `'${others}-${short}${text}' '${others}--${name}${text}'`;
}

function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, "\\$&").replaceAll("'", "'\\''");
}

function fishText(text: string): string {
  return text.replace(/[\\']/g, "\\$&");
}

function indent(text: string, columns: number): string {
  return text.replace(/^(?=.)/gm, " ".repeat(columns));
}
