/**
 * Makes the npm tarballs of the library and of the command, in `dist/`.
 *
 * deno run -A dev/pack.ts, or npm run pack
 */

import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { projectText } from "./gate/files.ts";
import { must, root, scratch } from "./gate/step.ts";
import { stageCommand } from "./stage_command.ts";

/** The oldest Node that may import the packages. */
export const OLDEST_NODE = "22.0.0";

/** The library's tarball: what `release.yml` sends to npm. */
export const LIBRARY_TARBALL = `${root}dist/rcsp.tgz`;
/** The command's tarball. */
export const COMMAND_TARBALL = `${root}dist/rcsp-cli.tgz`;

/** What `deno pack` leaves out of `package.json`; those that ours has are put in. */
const MISSING_FACTS = ["description", "repository", "sideEffects"] as const;
// Our own `package.json` has none: a checkout brings its Node, and npm would warn whoever installs
// that with an older one.
const ENGINES = { node: `>=${parseInt(OLDEST_NODE)}` };

type Manifest = Record<string, unknown> & { devDependencies: Record<string, string> };

if (import.meta.main) await pack();

/** Makes both tarballs. */
export async function pack(): Promise<void> {
  await mkdir(`${root}dist`, { recursive: true });
  const ours = JSON.parse(await projectText("package.json")) as Manifest;
  await packLibrary(ours);
  await packCommand(ours);
}

async function packLibrary(ours: Manifest): Promise<void> {
  const folder = await emptyFolder("pack_library");
  const raw = `${scratch}pack_library/raw.tgz`;
  // Source maps would treble the size, and the sources are readable as they are.
  await must(["deno", "pack", "--allow-dirty", "--no-source-maps", "-o", raw]);
  await must(["tar", "-xzf", raw, "-C", `${scratch}pack_library`]);
  const packed = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  for (const fact of MISSING_FACTS) packed[fact] = ours[fact];
  await writeManifest(folder, { ...packed, engines: ENGINES });
  await must(["node", "dev/pack_files.mjs", folder]);
  await archive("pack_library", LIBRARY_TARBALL);
}

async function packCommand(ours: Manifest): Promise<void> {
  const folder = await emptyFolder("pack_command");
  const { name, version, license, imports } = JSON.parse(await projectText("cli/deno.json"));
  const others = Object.keys(imports).filter((name) => name !== ours.name);
  const staged = `${scratch}pack_command/cli`;
  await stageCommand(staged);
  const options = ["--splitting", "--format=esm", "--platform=node", "--target=node22"];
  await must([
    ...["esbuild", `${staged}/mod.ts`, "--bundle", "--minify", "--packages=external", ...options],
    `--outdir=${folder}`,
  ]);
  await must(["node", "dev/pack_files.mjs", folder, "cli/mod.ts", "cli/process/io.ts"]);
  for (const file of ["LICENSE", "README.md"]) await copyFile(root + file, `${folder}/${file}`);
  await writeManifest(folder, {
    name,
    version,
    description: "rcsp: Rokoko devices and their simulator from the command line",
    license,
    repository: ours["repository"],
    type: "module",
    bin: { rcsp: "./mod.js" },
    exports: { ".": { types: "./mod.d.ts", default: "./mod.js" } },
    engines: ENGINES,
    dependencies: Object.fromEntries([
      [ours.name, version],
      ...others.map((name) => [name, ours.devDependencies[name]]),
    ]),
  });
  await archive("pack_command", COMMAND_TARBALL);
}

/** An empty folder for the files of a package, in one for all that belongs to it. */
async function emptyFolder(name: string): Promise<string> {
  await rm(scratch + name, { recursive: true, force: true });
  await mkdir(`${scratch}${name}/package`, { recursive: true });
  return `${scratch}${name}/package`;
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  await writeFile(`${folder}/package.json`, `${JSON.stringify(manifest, null, 2)}\n`);
}

async function archive(name: string, tarball: string): Promise<void> {
  const tar = `${scratch}${name}/package.tar`;
  const line = ["tar", "--format=ustar", "-cf", tar, "-C", scratch + name, "package"];
  // Without the files that macOS keeps its attributes in.
  await must(line, { env: { COPYFILE_DISABLE: "1" } });
  await writeFile(tarball, gzipSync(await readFile(tar), { level: 9 }));
}
