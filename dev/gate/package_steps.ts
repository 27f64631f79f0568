/** Steps about what is published: the JSR package, and the npm tarball as its users install it. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { packageFacts, projectText } from "./files.ts";
import { must, root, scratch, type Step, StepFailure } from "./step.ts";

/**
 * The oldest Node that may import the package. Our own `package.json` has no `engines`: a checkout
 * brings its Node, and npm would warn whoever installs that with an older one.
 */
const OLDEST_NODE = "22.0.0";

/** Most bytes of the tarball. */
const PACKED_BUDGET = 100_000;

/** Most bytes of `./core`, all of it, minified and gzipped: what a page would load. */
const CORE_BUDGET = 12_000;

/** What `deno pack` leaves out of `package.json`; those that ours has are put in. */
const MISSING_FACTS = ["description", "repository", "sideEffects"] as const;

/** How `tsc` may find the types: each `moduleResolution` with a `module` that goes with it. */
const RESOLUTIONS = [["Node16", "Node16"], ["NodeNext", "NodeNext"], [
  "Bundler",
  "ESNext",
]] as const;

/** What `release.yml` sends to npm: what is published is what was tested here. */
const tarball = `${scratch}package.tgz`;
const consumer = `${scratch}consumer/`;
const bunConsumer = `${scratch}bun_consumer/`;

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
      await pack();
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
    async run() {
      const { name, exports } = await packageFacts("deno.json");
      const entries = Object.keys(exports).map((entry) => name + entry.slice(1));
      const imports = entries.map((entry, index) => `export * as _${index} from "${entry}";\n`);
      await writeFile(`${consumer}entries.ts`, imports.join(""));
      await writeFile(`${consumer}user.ts`, await projectText("dev/gate/packed_user.ts"));
      for (const [moduleResolution, module] of RESOLUTIONS) {
        // No `types`: whoever installs the package need not have `@types/node`.
        const compilerOptions = {
          noEmit: true,
          strict: true,
          module,
          moduleResolution,
          target: "ES2024",
          lib: ["ESNext", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
          types: [],
        };
        const project = { compilerOptions, files: ["entries.ts", "user.ts"] };
        await writeFile(`${consumer}tsconfig.json`, JSON.stringify(project));
        await must(["tsc", "-p", "."], { cwd: consumer });
      }
      return { note: RESOLUTIONS.map(([resolution]) => resolution).join(", ") };
    },
  },
  {
    // It refuses whatever the command does not import by the library's name.
    name: "cli: publish --dry-run",
    async run(): Promise<void> {
      await must(["deno", "publish", "--dry-run", "--allow-dirty"], { cwd: `${root}cli` });
    },
  },
  {
    name: "packed: size budget",
    async run() {
      return withinBudget("The tarball", (await readFile(tarball)).length, PACKED_BUDGET);
    },
  },
  {
    name: "core: size budget",
    async run() {
      const whole = await minified("core", `export * from "${root}src/mod.ts";`);
      const client = await minified(
        "client",
        `export { createClient } from "${root}src/mod.ts";`,
      );
      // What a bundler takes along for a client; whoever uses streams or frames too pays for these.
      const { note } = withinBudget("A client of './core'", client, CORE_BUDGET);
      return { note: `${note}; all of './core' ${whole}` };
    },
  },
  packedSmoke(`Node ${OLDEST_NODE}`, ["npx", "-y", `node@${OLDEST_NODE}`]),
  packedSmoke("the pinned Node", ["node"]),
  packedSmoke("Bun", ["bun", "run"]),
  {
    name: "packed: installs with Bun",
    async run() {
      await rm(bunConsumer, { recursive: true, force: true });
      await mkdir(bunConsumer, { recursive: true });
      await writeFile(`${bunConsumer}package.json`, '{ "type": "module", "private": true }\n');
      await must(["bun", "add", tarball], { cwd: bunConsumer });
      const smoke = await projectText("dev/gate/packed_smoke.mjs");
      await writeFile(`${bunConsumer}packed_smoke.mjs`, smoke);
      return {
        note: (await must(["bun", "packed_smoke.mjs"], { cwd: bunConsumer })).stdout.trim(),
      };
    },
  },
];

/** Makes the tarball, with what `deno pack` leaves out. */
async function pack(): Promise<void> {
  const folder = `${scratch}pack/`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  // Source maps would treble the size, and the sources are readable as they are.
  await must(["deno", "pack", "--allow-dirty", "--no-source-maps", "-o", tarball]);
  await must(["tar", "-xzf", tarball, "-C", folder]);
  const file = `${folder}package/package.json`;
  const packed = JSON.parse(await readFile(file, "utf8"));
  const ours = JSON.parse(await projectText("package.json"));
  for (const fact of MISSING_FACTS) packed[fact] = ours[fact];
  packed.engines = { node: `>=${parseInt(OLDEST_NODE)}` };
  await writeFile(file, `${JSON.stringify(packed, null, 2)}\n`);
  await must(["node", "dev/gate/strip_comments.mjs", `${folder}package`]);
  // Without the files that macOS keeps its attributes in.
  const tar = ["tar", "--format=ustar", "-cf", `${scratch}package.tar`, "-C", folder, "package"];
  await must(tar, { env: { COPYFILE_DISABLE: "1" } });
  await writeFile(tarball, gzipSync(await readFile(`${scratch}package.tar`), { level: 9 }));
}

/** How many bytes a module has once it is bundled for the web, minified and gzipped. */
async function minified(name: string, source: string): Promise<number> {
  const [input, output] = [`${scratch}${name}.ts`, `${scratch}${name}.min.js`];
  await mkdir(scratch, { recursive: true });
  await writeFile(input, source);
  const options = ["--minify", "--format=esm", "--target=browser", `--outfile=${output}`];
  await must(["bun", "build", ...options, input]);
  return gzipSync(await readFile(output), { level: 9 }).length;
}

function withinBudget(what: string, size: number, budget: number): { note: string } {
  const note = `${size} of ${budget} bytes`;
  if (size > budget) throw new StepFailure(`${what} has ${note}: ${size - budget} too many`);
  return { note };
}

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
