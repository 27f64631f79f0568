/** Line coverage of given files. A file that no test has loaded counts as not covered. */

import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { must, root, scratch, StepFailure } from "./step.ts";

/** The share of lines that the tests ran. */
export interface LineCoverage {
  percent: number;
  lines: number;
  /** One line per file. */
  report: string;
}

/** Reads the raw data that `deno test --coverage` has left in the folder. */
export async function lineCoverage(sources: string[], folder: string): Promise<LineCoverage> {
  // Import every file, so that files that no test loads appear as lines never run.
  const loader = `${scratch}load_all.ts`;
  const loads = sources.map((file) => `await import("${pathToFileURL(root + file)}");\n`);
  await writeFile(loader, loads.join(""));
  await must(["deno", "run", "-A", `--coverage=${folder}`, loader]);

  const { stdout } = await must(["deno", "coverage", "--lcov", folder]);
  const perFile = new Map<string, { found: number; hit: number }>();
  for (const record of stdout.split("end_of_record")) {
    const path = /^SF:(.*)$/m.exec(record)?.[1]?.replace(root, "");
    if (path === undefined || !sources.includes(path)) continue;
    perFile.set(path, { found: lcovNumber(record, "LF"), hit: lcovNumber(record, "LH") });
  }
  if (perFile.size === 0) throw new StepFailure("There is no coverage data", { output: stdout });

  const all = [...perFile.values()];
  const found = all.reduce((sum, file) => sum + file.found, 0);
  const hit = all.reduce((sum, file) => sum + file.hit, 0);
  const share = (part: number, whole: number) => whole === 0 ? 100 : part / whole * 100;
  const rows = [...perFile].map(([path, file]) => ({ path, percent: share(file.hit, file.found) }));
  rows.sort((a, b) => a.percent - b.percent);
  return {
    percent: share(hit, found),
    lines: found,
    report: rows.map(({ path, percent }) => `${percent.toFixed(1).padStart(6)} % ${path}`)
      .join("\n"),
  };
}

function lcovNumber(record: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)$`, "m").exec(record)?.[1] ?? 0);
}
