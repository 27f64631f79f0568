/**
 * `rcsp completions`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { script, SHELLS } from "../command_line/completion.ts";
import { oneOf } from "../command_line/suggest.ts";

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
    const expected = `Expected ${SHELLS.join(", ")}`;
    await out.text(script(oneOf(shell, SHELLS, "No completion script for", expected)));
  },
};
