/**
 * `rcsp help`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { commandHelp, helpStyle, overview } from "../command_line/help.ts";
import { findCommand } from "../command_line/suggest.ts";

/** Shows help. */
export const help: Command = {
  name: "help",
  summary: "Show what a command does, its flags and examples",
  positionals: [{ name: "command", about: "its name; without it, all are listed", optional: true }],
  examples: [["rcsp help led", "the same as rcsp led --help"]],
  async run({ line, out, io, commands }) {
    const style = helpStyle(io.stdout, out.paint);
    const [name] = line.positionals;
    await out.text(
      name === undefined
        ? overview(commands, style)
        : commandHelp(findCommand(commands, name), style),
    );
  },
};
