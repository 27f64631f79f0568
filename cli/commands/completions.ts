/**
 * `rcsp completions`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { script, type Shell, SHELLS } from "../command_line/completion.ts";
import { hint } from "../command_line/suggest.ts";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

/** Prints a completion script. */
export const completions: Command = {
  name: "completions",
  summary: "Print a script that completes command lines in your shell",
  positionals: [{ name: "shell", about: SHELLS.join(", "), choices: SHELLS }],
  examples: [
    [`eval "$(rcsp completions bash)"`, "in ~/.bashrc"],
    [`eval "$(rcsp completions zsh)"`, "in ~/.zshrc, after compinit"],
    ["rcsp completions fish > ~/.config/fish/completions/rcsp.fish", "once"],
    ["rcsp completions powershell >>$PROFILE", "once"],
  ],
  async run({ line, out }) {
    const [shell = ""] = line.positionals;
    if (!isShell(shell)) {
      const shells = `Expected ${SHELLS.join(", ")}`;
      throw new UsageError(
        `No completion script for ${quote(shell)}${hint(shell, SHELLS, shells)}`,
      );
    }
    await out.text(script(shell));
  },
};

function isShell(name: string): name is Shell {
  return (SHELLS as readonly string[]).includes(name);
}
