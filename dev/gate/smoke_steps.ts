/** Steps that run what a user would: every example against the simulator, all benches once. */

import { filesLike } from "./files.ts";
import { command, must, root, type Step, StepFailure, type StepReport } from "./step.ts";

const runtimes: [name: string, command: string[]][] = [
  ["Deno", ["deno", "run", "-A"]],
  ["Bun", ["bun", "run"]],
  ["Node", ["node"]],
];

export const smokeSteps: Step[] = [
  ...runtimes.flatMap(([name, command]) => [
    smoke(`examples on ${name}`, command, /^examples\/[^/]+\.ts$/, "--simulate"),
    smoke(`benches on ${name}`, command, /^bench\/main\.ts$/, "--smoke"),
  ]),
  { name: "binary: rcsp without a runtime", run: binary },
  endure("chaos", ["dev/chaos.ts", "--seconds", "30"]),
  endure("fuzz", ["dev/fuzz.ts", "--seconds", "5"]),
];

/** A program must exit with 0 in time and print something. */
function smoke(name: string, runtime: string[], pattern: RegExp, flag: string): Step {
  return {
    name,
    async run() {
      const files = await filesLike(pattern);
      for (const file of files) {
        const { stdout, output } = await must([...runtime, file, flag]);
        if (stdout.trim() === "") throw new StepFailure(`'${file}' wrote nothing`, { output });
      }
      return { passed: files.length, note: files.join(", ") };
    },
  };
}

/** The command as one executable must work, and fail correctly, without a runtime. */
async function binary(): Promise<StepReport> {
  await must(["npm", "run", "--silent", "build:binary"]);
  const rcsp = `${root}.work/rcsp`;
  const env = { PATH: "" };
  const { stdout } = await must([rcsp, "list", "--simulate", "--json"], { env });
  const devices = stdout.trim().split("\n");
  // Nothing listens on port 1.
  const refused = await command([rcsp, "list", "--port", "1"], { env });
  if (devices.length !== 4 || refused.code !== 3) {
    throw new StepFailure(`${devices.length} devices, exit code ${refused.code} without a driver`);
  }
  return { passed: 2, note: `${devices.length} devices` };
}

/** A long-running stress program, on all runtimes at once. */
function endure(name: string, script: string[]): Step {
  return {
    name: `${name} on ${runtimes.map(([runtime]) => runtime).join(", ")}`,
    async run() {
      const results = await Promise.all(
        runtimes.map(([, command]) => must([...command, ...script])),
      );
      const silent = results.find(({ stdout }) => stdout.trim() === "");
      if (silent) throw new StepFailure(`'${script[0]}' wrote nothing`, silent);
      return { passed: results.length };
    },
  };
}
