/**
 * Completion of command lines: what can come next, and the scripts that have a shell ask for it.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { allFlags, GENERAL_FLAGS } from "./flags.ts";
import type { Flag } from "./parse.ts";

/**
 * What a script calls: the word at the cursor after a `=`, as some shells drop empty arguments, then
 * the words before it.
 */
export const COMPLETE = "__complete";

const SCRIPTS = {
  bash: `_rcsp() {
  local IFS=$'\\n'
  COMPREPLY=($(rcsp ${COMPLETE} "=$2" "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null | cut -f 1))
}
complete -o default -F _rcsp rcsp
`,
  zsh: `#compdef rcsp
_rcsp() {
  local -a found
  found=("\${(@f)$(rcsp ${COMPLETE} "=$words[CURRENT]" "\${(@)words[2,CURRENT-1]}" 2>/dev/null)}")
  if [[ -n $found[1] ]]; then compadd -- "\${(@)found%%$'\\t'*}"; else _files; fi
}
compdef _rcsp rcsp
`,
  fish: `function __rcsp_complete
  set -l word (commandline -ct)
  set -l found (rcsp ${COMPLETE} "=$word" (commandline -opc)[2..] 2>/dev/null)
  if set -q found[1]
    printf '%s\\n' $found
  else
    __fish_complete_path "$word"
  end
end
complete -c rcsp -f -a '(__rcsp_complete)'
`,
  powershell: `Register-ArgumentCompleter -Native -CommandName rcsp -ScriptBlock {
  param($word, $ast, $cursor)
  $before = @($ast.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursor } | ForEach-Object { "$_" })
  rcsp ${COMPLETE} "=$word" @before 2>$null | ForEach-Object {
    $name, $about = $_ -split "\`t", 2
    if (-not $about) { $about = $name }
    [System.Management.Automation.CompletionResult]::new($name, $name, 'ParameterValue', $about)
  }
}
`,
} as const;

/** A shell that there is a script for. */
export type Shell = keyof typeof SCRIPTS;

/** The shells that there are scripts for. */
export const SHELLS = Object.keys(SCRIPTS) as readonly Shell[];

/** The script for a shell. */
export function script(shell: Shell): string {
  return SCRIPTS[shell];
}

/**
 * What can come at the cursor, one per line: the word, and after a tab what it is. Nothing where a file
 * can come, or where nobody knows.
 */
export function complete(args: readonly string[], commands: readonly Command[]): string {
  const [word = "=", ...before] = args;
  const typed = word.slice(1);
  return candidates(typed, before, commands)
    .filter(([name]) => name.startsWith(typed))
    .map(([name, about]) => `${name}${about === undefined ? "" : `\t${about}`}\n`)
    .join("");
}

type Candidate = readonly [word: string, about?: string];

function candidates(
  typed: string,
  before: readonly string[],
  commands: readonly Command[],
): readonly Candidate[] {
  const names = commands.map(({ name, summary }): Candidate => [name, summary]);
  const first = before.find((word) => commands.some(({ name }) => name === word));
  const command = commands.find(({ name }) => name === first);
  const flags = command === undefined ? GENERAL_FLAGS : allFlags(command);
  const taking = flags.find((flag) => takesNext(flag) && isNamed(flag, before.at(-1)));
  if (taking !== undefined) return words(taking.choices);
  if (typed.startsWith("-")) {
    const shown = flags.map(({ name, about }): Candidate => [`--${name}`, about]);
    return command === undefined ? [...shown, ["--version", "show the version"]] : shown;
  }
  if (command === undefined) return names;
  const given = before.slice(before.indexOf(command.name) + 1)
    .filter((word, i, all) =>
      !word.startsWith("-") &&
      !flags.some((flag) => takesNext(flag) && isNamed(flag, all[i - 1]))
    );
  const positional = command.positionals?.[given.length];
  return positional?.name === "command" && command.name === "help"
    ? names
    : words(positional?.choices);
}

function isNamed({ name, short }: Flag, word: string | undefined): boolean {
  return word === `--${name}` || short !== undefined && word === `-${short}`;
}

function words(choices: readonly string[] = []): Candidate[] {
  return choices.map((word) => [word]);
}

/** Whether the next word is the value of a flag. */
function takesNext({ kind, optional }: Flag): boolean {
  return kind !== "boolean" && !optional;
}
