/** Runs code whose errors are uncaught in a child process, as they would fail the test itself. */

import { evalCommand, run } from "./runtime.ts";

const PRELUDE = `
const reported = [];
if ("Deno" in globalThis) {
  addEventListener("error", (event) => {
    event.preventDefault();
    reported.push(event.error.message);
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
 * Runs a script with the exports of a module of tests/ in scope; returns the `answer` that it set
 * and the messages of the uncaught errors.
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
