/**
 * Child process for the tests of `runtime.ts`: echoes its input, then exits with the given code.
 */

import process from "node:process";
import { runtime } from "./runtime.ts";

const exit = process.argv.find((argument) => argument.startsWith("--exit="));

console.log(runtime);
if (process.argv.includes("--stay")) setInterval(() => {}, 1_000);
for await (const chunk of process.stdin) process.stdout.write(chunk);
console.error("the input ended");
process.exitCode = Number(exit?.slice("--exit=".length) ?? 0);
