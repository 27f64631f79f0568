/** Steps that check text: the toolchain, format, lint, forbidden names and phrases. */

import { filesLike, packageFacts, projectFiles, projectText } from "./files.ts";
import { must, type Step, StepFailure } from "./step.ts";

/** Hosts of registries and folders of one machine. */
const MACHINE_TEXT =
  /\bregistry\.[a-z0-9-]+\.[a-z]{2,}|\bnpm\.jsr\.io|(?<![\w.}*])\/(?:work|root)\//;

/** Phrases that slow readers down. What to write instead: *is not a*, *faster*, *by default*, … */
const UNCLEAR_PHRASE = new RegExp(
  [
    "Free of any runtime",
    "See the (?:module|file)'s own text",
    "\\bquicker\\b",
    "(?<!\\bthere )\\bis no (?!longer\\b|more\\b)",
    "\\bunless (?:told|said)\\b",
    "\\bby chance\\b",
    "\\b(?:gives?|given) up\\b",
    "\\btakes? (?:it|them|\\w+ subscriptions?) back\\b",
    "\\bunheard\\b",
    "\\bwished\\b",
    "\\blives on\\b",
    "\\bcolours?\\b",
    "\\bstandard error\\b",
  ].join("|"),
  "i",
);

export const textSteps: Step[] = [
  {
    name: "toolchain",
    async run() {
      const { dependencies = {} } = await packageFacts("dev/toolchain/package.json");
      const found: string[] = [];
      for (const tool of ["deno", "bun", "node"]) {
        const { stdout } = await must([tool, "--version"]);
        const version = /\d+\.\d+\.\d+/.exec(stdout)?.[0];
        if (version !== dependencies[tool]) {
          throw new StepFailure(`${tool} is ${version} instead of ${dependencies[tool]}`);
        }
        found.push(`${tool} ${version}`);
      }
      return { note: found.join(", ") };
    },
  },
  {
    name: "format",
    async run(): Promise<void> {
      await must(["deno", "fmt", "--check"]);
    },
  },
  {
    name: "lint",
    async run(): Promise<void> {
      await must(["deno", "lint"]);
      const published = await filesLike(/^(?:[^/]+|(?:src|adapters|cli)\/.+)\.ts$/);
      await must(["deno", "lint", "--rules-include=no-console", ...published]);
    },
  },
  {
    name: "package facts agree",
    async run(): Promise<void> {
      const deno = await packageFacts("deno.json");
      const npm = await packageFacts("package.json");
      for (const fact of ["name", "version", "license", "exports"] as const) {
        const [ours, theirs] = [JSON.stringify(deno[fact]), JSON.stringify(npm[fact])];
        if (ours === theirs) continue;
        throw new StepFailure(`'${fact}' is ${ours} in deno.json, ${theirs} in package.json`);
      }
      const cli = await packageFacts("cli/deno.json");
      if (cli.version !== deno.version) {
        throw new StepFailure(`The version is ${deno.version}, that of cli/ ${cli.version}`);
      }
      if ("engines" in npm) {
        throw new StepFailure("'engines' in package.json: npm would warn whoever runs 'npm cit'");
      }
    },
  },
  {
    name: "no machine names",
    async run() {
      const files = await projectFiles();
      const hits: string[] = [];
      for (const file of files) {
        const lines = (await projectText(file)).split("\n");
        for (const [index, line] of lines.entries()) {
          if (MACHINE_TEXT.test(line)) hits.push(`${file}:${index + 1}: ${line.trim()}`);
        }
      }
      if (hits.length > 0) {
        throw new StepFailure("A file names a registry host or a machine's folder", {
          output: hits.join("\n"),
        });
      }
      return { note: `${files.length} files` };
    },
  },
  {
    name: "plain words",
    async run() {
      const files = (await projectFiles()).filter((file) => file !== "dev/gate/text_steps.ts");
      const hits: string[] = [];
      for (const file of files) {
        const lines = (await projectText(file)).split("\n");
        hits.push(
          ...lines.flatMap((line, index) =>
            UNCLEAR_PHRASE.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []
          ),
        );
      }
      if (hits.length > 0) {
        throw new StepFailure("Unclear phrases", { output: hits.join("\n") });
      }
      return { note: `${files.length} files` };
    },
  },
];
