/** The import graph as the compiler sees it: static, dynamic and type imports. */

import { mkdir, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { must, root, scratch, StepFailure } from "./step.ts";

/** One import. Files of the project are relative to its folder, anything else is as written. */
export interface Import {
  from: string;
  to: string;
}

interface GraphNode {
  specifier: string;
  error?: string;
  dependencies?: { specifier: string; code?: Resolution; type?: Resolution }[];
}

interface Resolution {
  specifier?: string;
  error?: string;
}

/** All imports of the files, transitively. */
export async function imports(files: string[]): Promise<Import[]> {
  const all = `${scratch}all_imports.ts`;
  await mkdir(scratch, { recursive: true });
  await writeFile(all, files.map((file) => `import "${pathToFileURL(root + file)}";\n`).join(""));
  const { stdout } = await must(["deno", "info", "--json", all]);
  const { modules } = JSON.parse(stdout) as { modules: GraphNode[] };
  const broken = modules.find((module) => module.error !== undefined);
  if (broken) throw new StepFailure(`Cannot read '${broken.specifier}': ${broken.error}`);
  return modules
    .filter(({ specifier }) => specifier !== pathToFileURL(all).href)
    .flatMap((module) =>
      (module.dependencies ?? []).map(({ specifier, code, type }) => ({
        from: relative(module.specifier),
        to: relative(code?.specifier ?? type?.specifier ?? specifier),
      }))
    );
}

function relative(specifier: string): string {
  const base = pathToFileURL(root).href;
  return specifier.startsWith(base) ? specifier.slice(base.length) : specifier;
}
