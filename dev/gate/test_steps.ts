/** Steps that run the tests: the same files on three runtimes, the coverage, the doc examples. */

import { mkdir, rm } from "node:fs/promises";
import { lineCoverage } from "./coverage.ts";
import { writeRunnableExamples } from "./doc_examples.ts";
import { entryFiles, filesLike } from "./files.ts";
import { command, must, root, scratch, type Step, StepFailure, type StepReport } from "./step.ts";
import { readBun, readDeno, readNode, type TestCount } from "./test_count.ts";

/** For all tests of one runtime, in milliseconds. */
const SUITE_TIMEOUT = 900_000;

/** Minimum line coverage, in percent. */
const LINE_COVERAGE = 90;

/** Lines about passed tests in the output of the three runners. */
const PASSED_TEST = /^(?:.* \.\.\. ok \(.*\)|\(pass\) .*|\s*✔ .*)\n/gm;

const coverageFolder = `${scratch}coverage`;

/** Runs first, so that a missing Python shows at once and not after minutes. */
export const pythonStep: Step = {
  name: "python3",
  vital: true,
  async run() {
    const problem = await command(["python3", "-B", "tests/interop/client.py", "--help"]).then(
      ({ code, output }) => code === 0 ? undefined : output,
      ({ message }) => message,
    );
    if (problem === undefined) return;
    throw new StepFailure(
      "The tests need Python 3 with its standard library, as the command 'python3': " +
        "install it and run this again",
      { output: problem },
    );
  },
};

export const testSteps: Step[] = [
  {
    name: "tests on Deno",
    parallel: true,
    async run() {
      await rm(coverageFolder, { recursive: true, force: true });
      const files = await testFiles();
      const coverage = [`--coverage=${coverageFolder}`, "--coverage-raw-data-only"];
      // Types have their own step, which runs before.
      const line = ["deno", "test", "-A", "--no-check", ...coverage, ...files];
      const { code, output } = await command(line, { timeout: SUITE_TIMEOUT });
      return judge(files, code, output, readDeno(output));
    },
  },
  {
    name: "tests on Bun",
    parallel: true,
    async run() {
      const files = await testFiles();
      const junit = `${scratch}bun.xml`;
      await mkdir(scratch, { recursive: true });
      await rm(junit, { force: true });
      const report = ["--reporter=junit", `--reporter-outfile=${junit}`];
      const line = [
        "bun",
        "test",
        "--isolate",
        ...report,
        ...files.map((f) => `./${f}`),
      ];
      const { code, output } = await command(line, { timeout: SUITE_TIMEOUT });
      return judge(files, code, output, await readBun(junit));
    },
  },
  {
    name: "tests on Node",
    parallel: true,
    async run() {
      const files = await testFiles();
      const counts = `${scratch}node.txt`;
      await mkdir(scratch, { recursive: true });
      await rm(counts, { force: true });
      const reporters = [
        ["--test-reporter=spec", "--test-reporter-destination=stdout"],
        [
          `--test-reporter=${root}dev/gate/node_reporter.ts`,
          `--test-reporter-destination=${counts}`,
        ],
      ];
      const line = ["node", "--test", ...reporters.flat(), ...files];
      const { code, output } = await command(line, { timeout: SUITE_TIMEOUT });
      return judge(files, code, output, await readNode(counts, root));
    },
  },
  {
    name: "line coverage of src/ and adapters/",
    async run() {
      const sources = await filesLike(/^(?:src|adapters)\/.*\.ts$/);
      const { percent, lines, report } = await lineCoverage(sources, coverageFolder);
      if (percent < LINE_COVERAGE) {
        throw new StepFailure(`${percent.toFixed(1)} % is below ${LINE_COVERAGE} %`, {
          output: report,
        });
      }
      return { note: `${percent.toFixed(1)} % of ${lines} lines` };
    },
  },
  {
    name: "doc examples",
    async run() {
      const published = await filesLike(/^(?:[^/]+\.ts|(?:src|adapters|cli)\/.*\.ts)$/);
      const texts = await filesLike(/^(?:[^/]+|docs\/.*)\.md$/);
      await must(["deno", "check", "--doc-only", ...texts, ...published]);
      const examples = await writeRunnableExamples([...texts, ...published]);
      const line = ["deno", "test", "-A", "--doc", ...examples.files];
      const { code, output } = await command(line);
      const count = readDeno(output);
      if (code !== 0 || count.failed > 0 || count.skipped > 0 || count.passed !== examples.run) {
        throw new StepFailure(`${count.passed} of ${examples.run} examples ran`, { output });
      }
      return { note: `${examples.run} ran, ${examples.checked} only checked` };
    },
  },
  {
    name: "every entry imports in Deno",
    async run() {
      for (const entry of [...await entryFiles(), "cli/mod.ts"]) {
        await must(["deno", "eval", `await import(${JSON.stringify(`./${entry}`)})`]);
      }
    },
  },
];

function testFiles(): Promise<string[]> {
  return filesLike(/^tests\/.*_test\.ts$/);
}

/**
 * A file without tests, a skipped test or a nonzero exit without a failed test fails the step too.
 */
function judge(files: string[], code: number, output: string, count: TestCount): StepReport {
  const idle = files.filter((file) => !count.files.has(file));
  const problems = [
    ...idle.map((file) => `'${file}' ran no test`),
    ...(count.skipped > 0 ? [`${count.skipped} skipped`] : []),
    ...(count.passed === 0 ? ["no test passed"] : []),
    ...(code !== 0 && count.failed === 0 ? [`the runner ended with code ${code}`] : []),
  ];
  if (problems.length + count.failed > 0) {
    throw new StepFailure([`${count.failed} failed`, ...problems].join(", "), {
      output: output.replaceAll(PASSED_TEST, ""),
      passed: count.passed,
      failed: count.failed + problems.length,
    });
  }
  return { passed: count.passed, note: `${count.passed} tests in ${files.length} files` };
}
