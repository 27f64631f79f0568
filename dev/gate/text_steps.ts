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

/** To do: files that still have such phrases. Remove a file from the list when it has none. */
const UNCLEAR_FILES = new Set<string>([
  "adapters/bun.ts",
  "cli/command_line/command.ts",
  "cli/command_line/parse.ts",
  "cli/commands/doctor.ts",
  "cli/commands/record.ts",
  "cli/commands/watch.ts",
  "cli/driver/device_subscriptions.ts",
  "cli/driver/session.ts",
  "cli/main.ts",
  "cli/probe/learn_dialect.ts",
  "cli/probe/raw_connection.ts",
  "cli/probe/subscription_keys.ts",
  "cli/process/io.ts",
  "cli/process/process_io.ts",
  "cli/process/stdio.ts",
  "cli/recording/format.ts",
  "cli/recording/frame_tap.ts",
  "cli/recording/read_recording.ts",
  "cli/recording/record_writer.ts",
  "cli/recording/recording_proxy.ts",
  "cli/recording/replay_client.ts",
  "cli/terminal/output.ts",
  "cli/terminal/styles.ts",
  "docs/cli.md",
  "tests/cli_commands_test.ts",
  "tests/cli_doctor_test.ts",
  "tests/cli_learn_odd_test.ts",
  "tests/cli_record_proxy_test.ts",
  "tests/cli_record_test.ts",
  "tests/cli_replay_exact_test.ts",
  "tests/cli_replay_hostile_test.ts",
  "tests/cli_watch_restart_test.ts",
  "tests/cli_watch_test.ts",
  "tests/cli_width_test.ts",
]);

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
      let toDo = 0;
      for (const file of files) {
        const lines = (await projectText(file)).split("\n");
        const found = lines.flatMap((line, index) =>
          UNCLEAR_PHRASE.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : []
        );
        if (!UNCLEAR_FILES.has(file)) hits.push(...found);
        else if (found.length > 0) toDo++;
      }
      if (hits.length > 0) {
        throw new StepFailure("Unclear phrases", { output: hits.join("\n") });
      }
      return { note: `${files.length} files, ${toDo} of them still to do` };
    },
  },
];
