/** Runs a local registry instead of JSR, which serves the stand-ins and records the requests. */

import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { run, runtime, runtimeCommand } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
const packages = await stands() ? `${root}dev/std/` : undefined;

/** A copy made by `dev/test_jsr.ts` has no stand-ins. */
async function stands(): Promise<boolean> {
  return await readdir(`${root}dev/std`).then(() => true, () => false);
}

/** The response of JSR for a path, or `undefined`: <https://jsr.io/docs/api>. */
async function answerOf(path: string): Promise<string | undefined> {
  const [, scope, name, file = ""] = /^\/(@std)\/(\w+)\/(.+)$/.exec(path) ?? [];
  if (scope === undefined || !(await readdir(packages!)).includes(name!)) return undefined;
  const folder = `${packages}${name}/`;
  const { version, exports } = JSON.parse(await readFile(`${folder}deno.json`, "utf8"));
  if (file === "meta.json") return JSON.stringify({ scope, name, versions: { [version]: {} } });
  if (file === `${version}_meta.json`) {
    const manifest: Record<string, unknown> = {};
    for (const source of await readdir(folder)) {
      const bytes = await readFile(folder + source);
      const checksum = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
      manifest[`/${source}`] = { size: bytes.length, checksum };
    }
    return JSON.stringify({ manifest, exports });
  }
  return await readFile(folder + file.replace(`${version}/`, ""), "utf8");
}

test("test:jsr runs the tests and the examples that they start with the packages of JSR", async () => {
  if (runtime !== "deno" || packages === undefined) return;
  const asked: string[] = [];
  const jsr = createServer(async (request, response) => {
    asked.push(request.url!);
    const answer = await answerOf(request.url!);
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  });
  await new Promise<void>((resolve) => jsr.listen(0, "127.0.0.1", resolve));
  const cache = await mkdtemp(`${tmpdir()}/rcsp-deno-`);
  try {
    const { port } = jsr.address() as AddressInfo;
    const filter = ["--filter", "runs the steps of Rokoko", "--no-check", "tests/examples_test.ts"];
    const { code, stdout, stderr } = await run(
      runtimeCommand(`${root}dev/test_jsr.ts`, ...filter),
      { env: { JSR_URL: `http://127.0.0.1:${port}/`, DENO_DIR: cache } },
    );
    assertStringIncludes(stdout, "ok | 1 passed", stderr);
    assertEquals(code, 0);
    // The tests themselves do not use this one.
    assert(asked.some((path) => path.endsWith("/parse_args.ts")), `${asked}`);
  } finally {
    jsr.closeAllConnections();
    await new Promise((resolve) => jsr.close(resolve));
    await rm(cache, { recursive: true });
  }
});
