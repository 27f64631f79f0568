/**
 * The clients of the end-to-end bench that run in JavaScript, in a process of their own. Reads the
 * servers' ports, then one task a line, and answers each with the seconds that it took.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { openWays, type Way } from "../peers/clients.ts";

/** A task for this process. */
export interface Task {
  readonly way: string;
  /** How many commands or events. */
  readonly count: number;
  /** How many commands wait for their answer at a time. */
  readonly outstanding: number;
}

const lines = createInterface({ input: process.stdin });
let ways: Map<string, Way> | undefined;

for await (const line of lines) {
  if (ways === undefined) {
    ways = await openWays(JSON.parse(line));
    console.log(JSON.stringify({ ways: [...ways.keys()] }));
    continue;
  }
  const { way, count, outstanding }: Task = JSON.parse(line);
  const start = performance.now();
  await ways.get(way)!(count, outstanding);
  console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000 }));
}
process.exit();
