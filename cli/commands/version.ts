/**
 * `rcsp version`
 *
 * @module
 */

import { VERSION } from "@rcsp/rcsp";
import type { Command } from "../command_line/command.ts";

/** Prints the version. */
export const version: Command = {
  name: "version",
  summary: "Print the version",
  examples: [["rcsp version", "the same as rcsp --version"]],
  async run({ out }) {
    await out.text(`rcsp ${VERSION}\n`);
  },
};
