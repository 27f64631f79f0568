/**
 * Runs the tests in Deno on the real `@std` packages. Needs JSR, which not every machine can reach:
 * that is why it is no part of the gate, and why the stand-ins in `dev/std/` exist.
 *
 * The configuration is that of `deno.json` without its `links`, written where Deno takes it as one
 * of another folder, so `exports` become `imports`.
 */

import { mkdir, writeFile } from "node:fs/promises";
import process from "node:process";
import { packageFacts, projectText } from "./gate/files.ts";
import { command, scratch } from "./gate/step.ts";

const { links: _links, exports: _exports, name: _name, version: _version, imports, ...kept } = JSON
  .parse(await projectText("deno.json"));
const { name, exports } = await packageFacts("deno.json");
const entries = Object.entries(exports).map(([entry, file]) => [name + entry.slice(1), file]);
const ownImports = entries.map(([entry, file = ""]) => [entry, file.replace("./", "../../")]);

const config = `${scratch}deno_jsr.json`;
await mkdir(scratch, { recursive: true });
await writeFile(
  config,
  JSON.stringify({ ...kept, imports: { ...imports, ...Object.fromEntries(ownImports) } }, null, 2),
);

const line = ["deno", "test", "-A", "--no-lock", "-c", config, "tests/"];
const { code, output } = await command(line, { timeout: 600_000 });
console.log(output);
process.exitCode = code;
