/** Steps that start what a user would: every example against the simulator, every bench for once. */

import { filesLike } from "./files.ts";
import { must, type Step, StepFailure } from "./step.ts";

const runtimes: [name: string, command: string[]][] = [
  ["Deno", ["deno", "run", "-A"]],
  ["Bun", ["bun", "run"]],
  ["Node", ["node"]],
];

export const smokeSteps: Step[] = [
  ...runtimes.flatMap(([name, command]) => [
    smoke(`examples on ${name}`, command, /^examples\/[^/]+\.ts$/, "--simulate"),
    smoke(`benches on ${name}`, command, /^bench\/[^/]+\.ts$/, "--smoke"),
  ]),
  endure("chaos", ["dev/chaos.ts", "--seconds", "30"]),
  endure("fuzz", ["dev/fuzz.ts", "--seconds", "5"]),
];

/** A program must end well in time and say something. */
function smoke(name: string, runtime: string[], pattern: RegExp, flag: string): Step {
  return {
    name,
    async run() {
      const files = await filesLike(pattern);
      for (const file of files) {
        const { stdout, output } = await must([...runtime, file, flag], { timeout: 60_000 });
        if (stdout.trim() === "") throw new StepFailure(`'${file}' wrote nothing`, { output });
      }
      return { passed: files.length, note: files.join(", ") };
    },
  };
}

/** A program that wears the module out, on all runtimes at once. */
function endure(name: string, script: string[]): Step {
  return {
    name: `${name} on ${runtimes.map(([runtime]) => runtime).join(", ")}`,
    async run() {
      const results = await Promise.all(
        runtimes.map(([, command]) => must([...command, ...script], { timeout: 120_000 })),
      );
      const silent = results.find(({ stdout }) => stdout.trim() === "");
      if (silent) throw new StepFailure(`'${script[0]}' wrote nothing`, silent);
      return { passed: results.length };
    },
  };
}
