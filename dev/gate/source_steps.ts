/** Steps that check the sources: types, no runtime in the core, docs. */

import { entryFiles, filesLike, projectText } from "./files.ts";
import { imports } from "./imports.ts";
import { must, type Step, StepFailure } from "./step.ts";

/** A runtime's global in use: `Deno.`, `process?.`, `"Bun" in`. */
const RUNTIME_GLOBAL = /\b(?:Deno|Bun|process|Buffer)\s*(?:\?\.|\.|\[)|["'](?:Deno|Bun)["']\s+in\b/;

/** The only files that may import from `node:`. */
const NODE_IMPORTERS = /^adapters\/node\.ts$/;

export const sourceSteps: Step[] = [
  {
    name: "types",
    async run() {
      const files = await filesLike(/\.m?ts$/);
      await must(["deno", "check", "--frozen", ...files]);
      return { note: `${files.length} files` };
    },
  },
  {
    name: "core types under a DOM-only lib",
    async run() {
      const files = await filesLike(/^src\/.*\.ts$/);
      await must(["tsc", "-p", "dev/gate/tsconfig.dom.json"]);
      return { note: `${files.length} files` };
    },
  },
  {
    name: "core imports nothing but itself",
    async run() {
      const files = await filesLike(/^src\/.*\.ts$/);
      const foreign = (await imports(files)).filter(({ to }) => !to.startsWith("src/"));
      refuse(foreign.map(({ from, to }) => `${from} imports '${to}'`));
      return { note: `${files.length} files` };
    },
  },
  {
    name: "core uses no runtime's global",
    async run() {
      const files = await filesLike(/^src\/.*\.ts$/);
      const hits: string[] = [];
      for (const file of files) {
        for (const [index, line] of withoutComments(await projectText(file)).entries()) {
          if (RUNTIME_GLOBAL.test(line)) hits.push(`${file}:${index + 1}: ${line.trim()}`);
        }
      }
      refuse(hits);
      return { note: `${files.length} files` };
    },
  },
  {
    name: "published modules have no dependency",
    async run() {
      const all = await imports(await entryFiles());
      const foreign = all.filter(({ from, to }) =>
        to.startsWith("node:")
          ? !NODE_IMPORTERS.test(from)
          : !/^(?:[^/:]+\.ts|(?:src|adapters)\/[^:]+\.ts)$/.test(to)
      );
      refuse(foreign.map(({ from, to }) => `${from} imports '${to}'`));
      return { note: `${new Set(all.flatMap(({ from, to }) => [from, to])).size} modules` };
    },
  },
  {
    name: "doc lint",
    async run() {
      const entries = await entryFiles();
      await must(["deno", "doc", "--lint", ...entries]);
      // Alone, as it is a package of its own: its types must not lean on the library's entries.
      await must(["deno", "doc", "--lint", "cli/mod.ts"]);
      return { note: `${entries.length + 1} entries` };
    },
  },
];

function refuse(hits: string[]): void {
  if (hits.length === 0) return;
  throw new StepFailure(hits[0] ?? "", { output: hits.join("\n") });
}

/** The lines of a source; those of block comments are blank, line comments are cut off. */
function withoutComments(source: string): string[] {
  return source
    .replace(/\/\*[^]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ""))
    .split("\n")
    .map((line) => line.replace(/(?<!:)\/\/.*$/, ""));
}
