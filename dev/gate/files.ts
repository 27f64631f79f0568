/** The project's files, and what `deno.json` says of them. */

import { readdir, readFile } from "node:fs/promises";
import { root, StepFailure } from "./step.ts";

/** What `.gitignore` leaves out, and what lies in a clean checkout without belonging to it. */
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

/** The files whose paths match. It is a failure if there are none. */
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

/** Reads a `deno.json` or `package.json`. */
export async function packageFacts(file: string): Promise<PackageFacts> {
  return JSON.parse(await projectText(file));
}

/** The published entry files: `mod.ts` and the like. */
export async function entryFiles(): Promise<string[]> {
  const { exports } = await packageFacts("deno.json");
  return Object.values(exports).map((path) => path.replace(/^\.\//, ""));
}

/** A file of the project as text. */
export function projectText(path: string): Promise<string> {
  return readFile(root + path, "utf8");
}
