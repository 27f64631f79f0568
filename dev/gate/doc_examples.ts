/**
 * Extracts the TypeScript blocks of docs and doc comments. Every block is type-checked, and run
 * unless its first line says `ts no-run`: it needs a device, or would never end.
 */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { projectText } from "./files.ts";
import { scratch, StepFailure } from "./step.ts";

const BLOCK_START = /^[\s*]*```(?:ts|typescript)\b(.*)$/;
const BLOCK_END = /^[\s*]*```\s*$/;

/** The files that hold the blocks to be run, and how many blocks there are. */
export interface RunnableExamples {
  files: string[];
  run: number;
  /** Blocks that are only type-checked. */
  checked: number;
}

/** Writes a Markdown file for every file that has blocks to be run, lines where they were. */
export async function writeRunnableExamples(paths: string[]): Promise<RunnableExamples> {
  const folder = `${scratch}examples/`;
  await rm(folder, { recursive: true, force: true });
  const examples: RunnableExamples = { files: [], run: 0, checked: 0 };
  for (const path of paths) {
    const { lines, run, checked } = runnableLines(path, await projectText(path));
    examples.run += run;
    examples.checked += checked;
    if (run === 0) continue;
    const file = `${folder}${path}.md`;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, lines.join("\n"));
    examples.files.push(file);
  }
  if (examples.run === 0) throw new StepFailure("No example can be run");
  return examples;
}

function runnableLines(path: string, text: string): {
  lines: string[];
  run: number;
  checked: number;
} {
  const inComment = path.endsWith(".ts");
  let block: "run" | "checked" | undefined;
  const count = { run: 0, checked: 0 };
  const lines = text.split("\n").map((line) => {
    const start = block === undefined ? BLOCK_START.exec(line) : null;
    if (start !== null) {
      block = runOrCheck(path, start[1] ?? "");
      count[block]++;
      return block === "run" ? "```ts" : "";
    }
    const running = block === "run";
    if (BLOCK_END.test(line)) {
      block = undefined;
      return running ? "```" : "";
    }
    if (!running) return "";
    return inComment ? line.replace(/^\s*\* ?/, "") : line;
  });
  return { lines, ...count };
}

function runOrCheck(path: string, attributes: string): "run" | "checked" {
  const words = attributes.trim();
  if (words === "") return "run";
  if (words === "no-run") return "checked";
  throw new StepFailure(`A block in '${path}' is marked '${words}': only 'no-run' is known`);
}
