/** The program on a Node that is too old for it. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assertEquals } from "@std/assert";
import { run, runtime, runtimeCommand } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));

// What Node 18 and 20 do not have, and say of themselves.
const OLD_NODE = `import process from "node:process";
delete Promise.withResolvers;
delete Array.prototype.toSpliced;
const versions = { ...process.versions, node: process.env.OLD_NODE };
Object.defineProperty(process, "versions", { value: versions });
`;

for (const version of ["18.20.8", "20.20.2", "21.7.3"]) {
  test(`the program shows on Node ${version} which Node it needs`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
    try {
      const preload = join(folder, "old_node.mjs");
      await writeFile(preload, OLD_NODE);
      const flag = { deno: "--preload", bun: "--preload", node: "--import" }[runtime];
      const command = runtimeCommand(program, "list", "--simulate");
      command.splice(command.indexOf(program), 0, flag, preload);
      const { code, stdout, stderr } = await run(command, { env: { OLD_NODE: version } });
      const sentence = `rcsp: Cannot run on Node ${version}: Node 22 or newer is required\n`;
      assertEquals([code, stdout, stderr], [69, "", sentence]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}
