/** Counts tests and their files from the output of the three test runners. */

import { readFile } from "node:fs/promises";

/** Result of one test run. */
export interface TestCount {
  passed: number;
  failed: number;
  /** Includes todo tests. */
  skipped: number;
  /** The files that ran at least one test. */
  files: Set<string>;
}

/** Reads the human-readable output of `deno test`. */
export function readDeno(output: string): TestCount {
  const summary = [...output.matchAll(/^(?:ok|FAILED) \| (.*)$/gm)].at(-1)?.[1] ?? "";
  const number = (word: string): number =>
    Number(new RegExp(`(\\d+) ${word}`).exec(summary)?.[1] ?? 0);
  const files = [...output.matchAll(/^running [1-9]\d* tests? from (?:\.\/)?(.+)$/gm)];
  return {
    passed: number("passed"),
    failed: number("failed"),
    skipped: number("ignored") + number("filtered out"),
    files: new Set(files.map(([, file = ""]) => file)),
  };
}

/** Reads the JUnit report of `bun test`; undefined if the runner crashed before writing it. */
export async function readBun(path: string): Promise<TestCount> {
  const report = await readFile(path, "utf8").catch(() => "");
  const total = attributes(/<testsuites ([^>]*)>/.exec(report)?.[1]);
  const suites = [...report.matchAll(/<testsuite ([^>]*)>/g)].map(([, text]) => attributes(text));
  const [tests, failed, skipped] = ["tests", "failures", "skipped"].map((name) =>
    Number(total.get(name) ?? 0)
  ) as [number, number, number];
  return {
    passed: tests - failed - skipped,
    failed,
    skipped,
    files: new Set(
      suites.filter((suite) => Number(suite.get("tests")) > 0).map((suite) =>
        (suite.get("file") ?? suite.get("name") ?? "").replace(/^\.\//, "")
      ),
    ),
  };
}

/** Reads the file of `node_reporter.ts`; undefined if the runner crashed before writing it. */
export async function readNode(path: string, root: string): Promise<TestCount> {
  const report = await readFile(path, "utf8").catch(() => "");
  const count: TestCount = { passed: 0, failed: 0, skipped: 0, files: new Set() };
  for (const [, outcome, file = ""] of report.matchAll(/^(passed|failed|skipped) (.*)$/gm)) {
    count[outcome as "passed" | "failed" | "skipped"]++;
    count.files.add(file.replace(root, ""));
  }
  return count;
}

function attributes(text = ""): Map<string, string> {
  const pairs = text.matchAll(/([\w-]+)="([^"]*)"/g);
  return new Map([...pairs].map(([, name = "", value = ""]) => [name, value]));
}
