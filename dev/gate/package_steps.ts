/** Steps about what is published: the JSR package, and the npm tarball as its users install it. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { packageFacts, projectText } from "./files.ts";
import { must, root, scratch, type Step, StepFailure } from "./step.ts";

/** The oldest Node that may import the package: the floor of `engines` in `package.json`. */
const OLDEST_NODE = "22.0.0";

const tarball = `${scratch}package.tgz`;
const consumer = `${scratch}consumer/`;

export const packageSteps: Step[] = [
  {
    name: "publish --dry-run",
    async run() {
      const { output } = await must(["deno", "publish", "--dry-run", "--allow-dirty"]);
      const files = output.match(/^\s+file:.*$/gm) ?? [];
      for (const needed of ["README.md", "LICENSE", "mod.ts", "deno.json"]) {
        if (files.some((file) => file.includes(`/${needed} `))) continue;
        throw new StepFailure(`'${needed}' would not be published`, { output });
      }
      return { note: `${files.length} files` };
    },
  },
  {
    name: "packed: installs with npm and has no dependency",
    async run(): Promise<void> {
      await rm(consumer, { recursive: true, force: true });
      await mkdir(consumer, { recursive: true });
      await must(["deno", "pack", "--allow-dirty", "-o", tarball]);
      await writeFile(`${consumer}package.json`, '{ "type": "module", "private": true }\n');
      const quiet = ["--no-audit", "--no-fund", "--ignore-scripts"];
      await must(["npm", "install", "--offline", ...quiet, tarball], { cwd: consumer });
      const installed = JSON.parse(await readFile(await installedFile("package.json"), "utf8"));
      const dependencies = Object.keys(installed)
        .filter((key) => /dependencies$/i.test(key) && Object.keys(installed[key]).length > 0);
      if (dependencies.length > 0) throw new StepFailure(`The tarball has ${dependencies}`);
      await writeFile(
        `${consumer}packed_smoke.mjs`,
        await projectText("dev/gate/packed_smoke.mjs"),
      );
    },
  },
  {
    name: "packed: types for a user of tsc",
    async run(): Promise<void> {
      const { name, exports } = await packageFacts("deno.json");
      const entries = Object.keys(exports).map((entry) => name + entry.slice(1));
      const imports = entries.map((entry, index) => `export * as _${index} from "${entry}";\n`);
      await writeFile(`${consumer}entries.ts`, imports.join(""));
      await writeFile(`${consumer}user.ts`, await projectText("dev/gate/packed_user.ts"));
      // No `types`: whoever installs the package need not have `@types/node`.
      const compilerOptions = {
        noEmit: true,
        strict: true,
        module: "NodeNext",
        target: "ES2024",
        lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
        types: [],
      };
      const project = { compilerOptions, files: ["entries.ts", "user.ts"] };
      await writeFile(`${consumer}tsconfig.json`, JSON.stringify(project));
      await must(["tsc", "-p", "."], { cwd: consumer });
    },
  },
  packedSmoke(`Node ${OLDEST_NODE}`, ["npx", "-y", `node@${OLDEST_NODE}`]),
  packedSmoke("the pinned Node", ["node"]),
  packedSmoke("Bun", ["bun", "run"]),
];

function packedSmoke(name: string, runtime: string[]): Step {
  return {
    name: `packed: every entry and a client on ${name}`,
    async run() {
      await installedFile("package.json");
      const line = [...runtime, "packed_smoke.mjs"];
      return { note: (await must(line, { cwd: consumer })).stdout.trim() };
    },
  };
}

/** A file of the installed package. It is a failure if it is not the one in the scratch folder. */
async function installedFile(path: string): Promise<string> {
  const { name } = await packageFacts("deno.json");
  const file = `${consumer}node_modules/${name}/${path}`;
  await readFile(file).catch(() => {
    throw new StepFailure(`'${file.replace(root, "")}' is not there`);
  });
  return file;
}
