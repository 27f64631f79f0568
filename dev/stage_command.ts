/**
 * Copies the command with its page built in: what is packed, and compiled into one executable.
 *
 * deno run -A dev/stage_command.ts FOLDER
 */

import { cp, rm } from "node:fs/promises";
import process from "node:process";
import { prebuildPage } from "./bundle_page.ts";
import { root } from "./gate/step.ts";

if (import.meta.main) await stageCommand(process.argv[2] ?? ".work/cli");

/** Copies `cli/` to a folder, which must be one of the checkout's: packages are looked up from there. */
export async function stageCommand(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(`${root}cli`, folder, { recursive: true });
  await prebuildPage(`${folder}/ui/prebuilt_page.ts`);
}
