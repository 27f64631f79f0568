/** Steps about what is published: the JSR packages, and the npm tarballs as their users install them. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { COMMAND_TARBALL, LIBRARY_TARBALL, OLDEST_NODE, pack } from "../pack.ts";
import { packageFacts, projectText } from "./files.ts";
import { command, must, root, scratch, type Step, StepFailure } from "./step.ts";

/** Those that the command only has to refuse. */
const TOO_OLD_NODES = ["18", "20"] as const;

/** Most bytes of the library's tarball. */
const PACKED_BUDGET = 120_000;

/** Most bytes of a client with `fromStreams()`, minified and gzipped: what a page would load. */
const CORE_BUDGET = 15_700;

/** How `tsc` may find the types: each `moduleResolution` with a `module` that goes with it. */
const RESOLUTIONS = [["Node16", "Node16"], ["NodeNext", "NodeNext"], [
  "Bundler",
  "ESNext",
]] as const;

const consumer = `${scratch}consumer/`;
const bunConsumer = `${scratch}bun_consumer/`;
const denoConsumer = `${scratch}deno_consumer/`;

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
    // It refuses whatever the command does not import by the library's name.
    name: "cli: publish --dry-run",
    async run(): Promise<void> {
      await must(["deno", "publish", "--dry-run", "--allow-dirty"], { cwd: `${root}cli` });
    },
  },
  {
    name: "packed: installs with npm, and the library has no dependency",
    async run(): Promise<void> {
      await emptyProject(consumer, {});
      await pack();
      const quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
      await must(["npm", "install", ...quiet, LIBRARY_TARBALL, COMMAND_TARBALL], { cwd: consumer });
      const installed = JSON.parse(await readFile(await installedFile("package.json"), "utf8"));
      const dependencies = Object.keys(installed)
        .filter((key) => /dependencies$/i.test(key) && Object.keys(installed[key]).length > 0);
      if (dependencies.length > 0) throw new StepFailure(`The tarball has ${dependencies}`);
    },
  },
  {
    name: "packed: types for a user of tsc",
    async run() {
      const { name, exports } = await packageFacts("deno.json");
      const entries = Object.keys(exports).map((entry) => name + entry.slice(1));
      const imports = [...entries, "@rcsp/cli"]
        .map((entry, index) => `export * as _${index} from "${entry}";\n`);
      await writeFile(`${consumer}entries.ts`, imports.join(""));
      await writeFile(`${consumer}user.ts`, await projectText("dev/gate/packed_user.ts"));
      for (const [moduleResolution, module] of RESOLUTIONS) {
        const compilerOptions = {
          noEmit: true,
          strict: true,
          module,
          moduleResolution,
          // With the lib that goes with it, and `.d.ts` files are checked too.
          target: "ES2022",
          // Whoever installs the package need not have `@types/node`.
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
    name: "packed: size budget of the library",
    async run() {
      return withinBudget("The tarball", (await readFile(LIBRARY_TARBALL)).length, PACKED_BUDGET);
    },
  },
  {
    name: "core: size budget",
    async run() {
      const whole = await minified("core", 'export * from "@rcsp/rcsp/core";');
      const client = await minified(
        "client",
        'export { createClient, fromStreams } from "@rcsp/rcsp/core";',
      );
      const { note } = withinBudget("A client of './core'", client, CORE_BUDGET);
      return { note: `${note}; all of './core' ${whole}` };
    },
  },
  packedSmoke(`Node ${OLDEST_NODE}`, ["npx", "-y", `node@${OLDEST_NODE}`], consumer),
  packedSmoke("the pinned Node", ["node"], consumer),
  packedSmoke("Bun", ["bun", "run"], consumer),
  {
    name: "packed: the rcsp command on a Node that is too old",
    async run() {
      for (const version of TOO_OLD_NODES) {
        const line = ["npx", "-y", `node@${version}`, "node_modules/.bin/rcsp", "list"];
        const { code, output } = await command([...line, "--simulate"], { cwd: consumer });
        const sentence = /^rcsp: Cannot run on Node [\d.]+: Node 22 or newer is required\n$/;
        if (code === 69 && sentence.test(output)) continue;
        throw new StepFailure(`On Node ${version} it ends with ${code}`, { output });
      }
      return { note: TOO_OLD_NODES.join(", ") };
    },
  },
  {
    name: "packed: installs with Bun",
    async run(): Promise<void> {
      // Until the library is published: Bun looks for it in the registry otherwise.
      await emptyProject(bunConsumer, { overrides: { "@rcsp/rcsp": LIBRARY_TARBALL } });
      await must(["bun", "add", LIBRARY_TARBALL, COMMAND_TARBALL], { cwd: bunConsumer });
    },
  },
  packedSmoke("Bun, installed with Bun", ["bun", "run", "--bun"], bunConsumer),
  {
    name: "a Deno project with links",
    async run() {
      await rm(denoConsumer, { recursive: true, force: true });
      await mkdir(denoConsumer, { recursive: true });
      const { name, version } = await packageFacts("deno.json");
      const project = {
        imports: { [name]: `jsr:${name}@^${version}`, "@rcsp/cli": `jsr:@rcsp/cli@^${version}` },
        links: [root, `${root}cli`],
        nodeModulesDir: "none",
      };
      await writeFile(`${denoConsumer}deno.json`, JSON.stringify(project));
      await writeFile(`${denoConsumer}user.ts`, await projectText("dev/gate/packed_user.ts"));
      await must(["deno", "check", "user.ts"], { cwd: denoConsumer });
      return await listSimulated(["deno", "run", "-A", "jsr:@rcsp/cli"], denoConsumer);
    },
  },
];

/** How many bytes a module of the consumer's has once esbuild has bundled it for a browser. */
async function minified(name: string, source: string): Promise<number> {
  const [input, output] = [`${consumer}${name}.ts`, `${consumer}${name}.min.js`];
  await writeFile(input, source);
  const options = ["--bundle", "--minify", "--format=esm", "--platform=browser"];
  await must(["esbuild", input, ...options, `--outfile=${output}`], { cwd: consumer });
  return gzipSync(await readFile(output), { level: 9 }).length;
}

function withinBudget(what: string, size: number, budget: number): { note: string } {
  const note = `${size} of ${budget} bytes`;
  if (size > budget) throw new StepFailure(`${what} has ${note}: ${size - budget} too many`);
  return { note };
}

/** Uses every entry of the library, and runs the command. */
function packedSmoke(name: string, runtime: string[], folder: string): Step {
  return {
    name: `packed: every entry, a client and rcsp on ${name}`,
    async run() {
      await installedFile("package.json", folder);
      await writeFile(`${folder}packed_smoke.mjs`, await projectText("dev/gate/packed_smoke.mjs"));
      const { stdout } = await must([...runtime, "packed_smoke.mjs"], { cwd: folder });
      const rcsp = [...runtime, "node_modules/.bin/rcsp"];
      const { note } = await listSimulated(rcsp, folder);
      await writeFile(`${folder}packed_ui.mjs`, await projectText("dev/gate/packed_ui.mjs"));
      const page = await must(["node", "packed_ui.mjs", ...rcsp], { cwd: folder });
      return { note: `${stdout.trim()}; ${note}; ${page.stdout.trim()}` };
    },
  };
}

async function listSimulated(program: string[], cwd: string): Promise<{ note: string }> {
  const { stdout } = await must([...program, "list", "--simulate", "--json"], { cwd });
  const devices = stdout.trim().split("\n").map((line) => JSON.parse(line).Name);
  if (devices.length !== 4) throw new StepFailure(`'rcsp list' shows ${devices}`);
  return { note: `rcsp lists ${devices.length}` };
}

async function emptyProject(folder: string, manifest: object): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const facts = { type: "module", private: true, ...manifest };
  await writeFile(`${folder}package.json`, JSON.stringify(facts));
}

/** A file of the installed library. It is a failure if it is not the one in the scratch folder. */
async function installedFile(path: string, folder: string = consumer): Promise<string> {
  const { name } = await packageFacts("deno.json");
  const file = `${folder}node_modules/${name}/${path}`;
  await readFile(file).catch(() => {
    throw new StepFailure(`'${file.replace(root, "")}' is not there`);
  });
  return file;
}
