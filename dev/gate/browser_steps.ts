/** The step that runs the tests of `rcsp ui` in a real browser. */

import { command, type Step, StepFailure } from "./step.ts";

export const browserSteps: Step[] = [
  {
    // Fails where there is no browser: it says how to get one.
    name: "page in a browser, with Deno, Bun and Node as the bridge",
    async run() {
      const { code, output } = await command(["node", "tests/browser/main.ts"]);
      const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
      if (code === 0 && Number(passed) > 0) return { passed: Number(passed) };
      const reason = failed === undefined ? `it ended with code ${code}` : `${failed} failed`;
      throw new StepFailure(reason, {
        output: output.replaceAll(/^ok .*\n/gm, ""),
        passed: Number(passed ?? 0),
        failed: Math.max(Number(failed ?? 0), 1),
      });
    },
  },
];
