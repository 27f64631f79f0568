/** Lists the project's files. */

import { readdir, readFile } from "node:fs/promises";
import { root, StepFailure } from "./step.ts";

/** Ignored files, and files in a clean checkout that do not belong to the project. */
const FOREIGN = /(?:^|\/)(?:node_modules|coverage|\.work|\.git|__pycache__)(?:\/|$)|\.tgz$/;

/** All files of the project, relative to its folder, sorted. */
export async function projectFiles(folder = ""): Promise<string[]> {
  const entries = await readdir(root + folder, { withFileTypes: true });
  const nested = await Promise.all(entries.map((entry) => {
    const path = folder + entry.name;
    if (FOREIGN.test(path)) return [];
    return entry.isDirectory() ? projectFiles(`${path}/`) : [path];
  }));
  return nested.flat().sort();
}

/** The files whose paths match. Throws if there are none. */
export async function filesLike(pattern: RegExp): Promise<string[]> {
  const files = (await projectFiles()).filter((path) => pattern.test(path));
  if (files.length === 0) throw new StepFailure(`No file is like ${pattern}`);
  return files;
}

/** The part of `deno.json` and `package.json` that the gate reads. */
export interface PackageFacts {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  dependencies?: Record<string, string>;
}

export async function packageFacts(file: string): Promise<PackageFacts> {
  return JSON.parse(await projectText(file));
}

/** The published entry files: `mod.ts` and the like. */
export async function entryFiles(): Promise<string[]> {
  const { exports } = await packageFacts("deno.json");
  return Object.values(exports).map((path) => path.replace(/^\.\//, ""));
}

export function projectText(path: string): Promise<string> {
  return readFile(root + path, "utf8");
}
