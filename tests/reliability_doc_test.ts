/** Checks that the tests named in docs/internals/evidence.md exist. */

import { assert, assertEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import { test } from "./support/test.ts";

const ROOT = new URL("../", import.meta.url);
const page = await readFile(new URL("docs/reliability.md", ROOT), "utf8");
const text = await readFile(new URL("docs/internals/evidence.md", ROOT), "utf8");
const rows = text.split("\n").filter((line) => line.includes("`tests/"));
const NAMED = /`(tests\/\w+_test\.ts)`: "([^"]+)"/g;

/** The names of tests in a file as the document writes them: `…` for what is filled in. */
async function namesIn(file: string): Promise<string> {
  const source = await readFile(new URL(file, ROOT), "utf8");
  return source.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, "…");
}

test("docs/reliability.md and its evidence have their sections, and a test in every row", () => {
  for (const section of ["How a connection is replaced", "What is counted and shown"]) {
    assert(page.includes(`\n## ${section}\n`), section);
  }
  for (const section of ["Hostile inputs", "Fuzzing", "Chaos"]) {
    assert(text.includes(`\n## ${section}\n`), section);
  }
  const inputs = text.split("\n### ").slice(1).flatMap((part) =>
    part.split("\n## ")[0]!.split("\n").filter((line) => /^\| (?!input|---)/.test(line))
  );
  assert(inputs.length > 50);
  for (const line of inputs) {
    // Nothing but test names may be in the last cell, so that typos show.
    const cell = line.split(" | ").at(-1)!.replace(/ \|$/, "");
    assertEquals(cell.replaceAll(NAMED, "").replaceAll("<br>", ""), "", line);
    assert(cell !== "", line);
  }
});

const named = rows.flatMap((row) =>
  [...row.matchAll(NAMED)].map(([, file, name]) => [file!, name!])
);

test("every test that docs/internals/evidence.md names is in its file", async () => {
  assert(named.length > 80);
  const missing: string[] = [];
  for (const [file, name] of named as [string, string][]) {
    const names = await namesIn(file);
    const written = [`"${name}"`, `\`${name}\``].some((literal) => names.includes(literal));
    if (!written) missing.push(`${file}: ${name}`);
  }
  assertEquals(missing, []);
});
