/**
 * Runs the tests in Deno on the real `@std` packages. Needs JSR, which not every machine can reach:
 * that is why it is not part of the gate, and why the stand-ins in `dev/std/` exist.
 *
 *     deno run -A dev/test_jsr.ts [what `deno test` takes: files, --filter …]
 *
 * The tests run in a copy of the project that has no stand-ins and does not know of them, so that the
 * programs which they start, such as the examples, get the real packages too.
 */

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { filesLike, projectFiles, projectText } from "./gate/files.ts";
import { command, must, root } from "./gate/step.ts";

const copy = `${await mkdtemp(`${tmpdir()}/rcsp-jsr-`)}/`;
try {
  for (const file of await projectFiles()) {
    if (!/^(?:dev\/std\/|deno\.lock$)/.test(file)) await cp(root + file, copy + file);
  }
  const { links: _links, ...deno } = JSON.parse(await projectText("deno.json"));
  await writeFile(`${copy}deno.json`, JSON.stringify(deno));
  const { devDependencies: _packages, ...npm } = JSON.parse(await projectText("package.json"));
  await writeFile(`${copy}package.json`, JSON.stringify(npm));
  // Deno reports downloads on stderr, which the tests expect to be empty.
  const programs = await filesLike(/^(?:examples\/\w+|dev\/gate)\.ts$/);
  await must(["deno", "cache", ...programs], { cwd: copy });
  const wanted = process.argv.slice(2);
  const line = ["deno", "test", "-A", ...(wanted.length > 0 ? wanted : ["tests/"])];
  const { code, output } = await command(line, { cwd: copy, timeout: 900_000 });
  console.log(output);
  process.exitCode = code;
} finally {
  await rm(copy, { recursive: true });
}
