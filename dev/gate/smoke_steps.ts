/** Steps that start what a user would: every example against the simulator, every bench for once. */

import { filesLike } from "./files.ts";
import { must, type Step, StepFailure } from "./step.ts";

const runtimes: [name: string, command: string[]][] = [
  ["Deno", ["deno", "run", "-A"]],
  ["Bun", ["bun", "run"]],
  ["Node", ["node"]],
];

export const smokeSteps: Step[] = runtimes.flatMap(([name, command]) => [
  smoke(`examples on ${name}`, command, /^examples\/[^/]+\.ts$/, "--simulate"),
  smoke(`benches on ${name}`, command, /^bench\/[^/]+\.ts$/, "--smoke"),
]);

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
