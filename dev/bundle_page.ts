/**
 * Bundles the page of `rcsp ui`.
 *
 * deno run -A dev/bundle_page.ts          writes it into cli/ui/prebuilt_page.ts, to publish cli/
 */

import { readFile, writeFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";

const folder = fileURLToPath(new URL("../cli/ui/page/", import.meta.url));

/** What the browsers must understand: those with `light-dark()` and `Promise.withResolvers()`. */
const TARGETS = ["chrome123", "firefox121", "safari17.5"];

if (import.meta.main) await prebuildPage(process.argv[2] ?? "cli/ui/prebuilt_page.ts");

/** Returns the texts of the page's files by their path. */
export async function bundlePage(): Promise<Record<string, string>> {
  try {
    const { outputFiles } = await build({
      entryPoints: [`${folder}page.ts`, `${folder}page.css`],
      outdir: folder,
      bundle: true,
      minify: true,
      write: false,
      format: "esm",
      platform: "browser",
      target: TARGETS,
      // The adapters of the runtimes, which the page does not use: their imports are dropped.
      external: ["node:*"],
      logLevel: "silent",
    });
    const html = await readFile(`${folder}index.html`, "utf8");
    const built = outputFiles.map(({ path, text }) => [path.replace(/^.*[\\/]/, "/"), text]);
    return { "/": html, ...Object.fromEntries(built) };
  } finally {
    await stop();
  }
}

/** Writes the page as a module in place of `cli/ui/prebuilt_page.ts`. */
export async function prebuildPage(file: string): Promise<void> {
  const texts = JSON.stringify(await bundlePage());
  await writeFile(
    file,
    `/** The page, bundled. */\nexport const PREBUILT: Readonly<Record<string, string>> = ${texts};\n`,
  );
}
