/** What a runtime reports as uncaught would fail the test itself, so it happens in a child process. */

import { evalCommand, run } from "./runtime.ts";

const PRELUDE = `
const reported = [];
if ("Deno" in globalThis) {
  addEventListener("error", (told) => {
    told.preventDefault();
    reported.push(told.error.message);
  });
} else {
  process.on("uncaughtException", (error) => reported.push(error.message));
}
let answer;
`;

const END = `
await new Promise((resolve) => setTimeout(resolve, 0));
console.log(JSON.stringify({ answer, reported }));
`;

/**
 * Runs a script with the exports of a module of tests/ in scope; gives the `answer` that it set and the
 * messages of the errors that were reported as uncaught meanwhile.
 */
export async function uncaughtIn(
  module: string,
  names: string,
  script: string,
): Promise<{ answer: unknown; reported: string[] }> {
  const url = JSON.stringify(new URL(`../${module}`, import.meta.url).href);
  const source = `const ${names} = await import(${url});${PRELUDE}${script}${END}`;
  const { stdout, stderr } = await run(evalCommand(source));
  return JSON.parse(stdout || stderr);
}
