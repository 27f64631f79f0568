import { assertEquals, assertMatch } from "@std/assert";
import { readFile } from "node:fs/promises";
import { VERSION } from "../src/version.ts";
import { test } from "./support/test.ts";

for (const file of ["deno.json", "package.json"]) {
  test(`VERSION is the version in ${file}`, async () => {
    const { version } = JSON.parse(await readFile(new URL(`../${file}`, import.meta.url), "utf8"));
    assertEquals(VERSION, version);
  });
}

test("VERSION is a semantic version", () => {
  assertMatch(VERSION, /^\d+\.\d+\.\d+(-[0-9a-z.-]+)?$/);
});
