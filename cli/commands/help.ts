/**
 * `rcsp help`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { commandHelp, overview } from "../command_line/help.ts";
import { hint } from "../command_line/suggest.ts";
import { UsageError } from "../exit_codes.ts";
import { quote } from "../text/values.ts";

/** Shows help. */
export const help: Command = {
  name: "help",
  summary: "Show what a command does, its flags and examples",
  positionals: [{ name: "command", about: "its name; without it, all are listed", optional: true }],
  examples: [["rcsp help led", "the same as rcsp led --help"]],
  async run({ line, out, commands }) {
    const [name] = line.positionals;
    if (name === undefined) return await out.text(overview(commands, out.paint));
    const command = commands.find((command) => command.name === name);
    if (command === undefined) {
      const meant = hint(name, commands.map(({ name }) => name), "'rcsp help' shows all");
      throw new UsageError(`There is no command ${quote(name)}${meant}`);
    }
    await out.text(commandHelp(command, out.paint));
  },
};
