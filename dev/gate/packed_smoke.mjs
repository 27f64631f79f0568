// Runs where only the packed package is installed: imports all of it, then uses it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import process from "node:process";

const folder = new URL("./node_modules/@rcsp/rcsp/", import.meta.url);
const { name, exports } = JSON.parse(await readFile(new URL("package.json", folder), "utf8"));

for (const entry of Object.keys(exports)) {
  const names = Object.keys(await import(name + entry.slice(1)));
  assert.notEqual(names.length, 0, `'${entry}' exports nothing`);
}

const { connect } = await import("@rcsp/rcsp");
const { startSimulator } = await import("@rcsp/rcsp/simulator");

const simulator = await startSimulator({ port: 0 });
const client = await connect({ host: simulator.address.host, port: simulator.address.port });
const devices = await client.listDevices();
await client.close();
await simulator.close();
assert.equal(devices.length, 4);

const runtime = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.version}`;
console.log(`${Object.keys(exports).length} entries, ${devices.length} devices, ${runtime}`);
