/**
 * All clients of the end-to-end bench in one process. Reads the ports from the first line of stdin and a
 * task from each further line; answers each task with its seconds.
 */

import process from "node:process";
import { createInterface } from "node:readline";
import { openClients } from "./clients.ts";
import type { Task } from "./tasks.ts";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { value: ports = "" } = await lines.next();
const clients = await openClients(JSON.parse(ports));
const names = Object.entries(clients).map(([work, byName]) => [work, [...byName.keys()]]);
console.log(JSON.stringify(Object.fromEntries(names)));

for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  const { work, client, count, outstanding }: Task = JSON.parse(line);
  const start = performance.now();
  await clients[work].get(client)!(count, outstanding);
  console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000 }));
}
process.exit();
