/** Runs every bench on every runtime, or those whose paths hold one of the given words. */

import process from "node:process";
import { command } from "./gate/step.ts";
import { filesLike } from "./gate/files.ts";

const words = process.argv.slice(2);
const files = (await filesLike(/^bench\/[^/]+\.ts$/))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)));

for (const file of files) {
  for (const runtime of [["deno", "run", "-A"], ["bun", "run"], ["node"]]) {
    console.log(`\n== ${[...runtime, file].join(" ")}`);
    const { code, output } = await command([...runtime, file], { timeout: 600_000 });
    console.log(output);
    if (code !== 0) process.exitCode = 1;
  }
}
