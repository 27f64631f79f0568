/**
 * Starts `rcsp ui` of the installed package and fetches its page, in the folder of a user's project.
 *
 * node packed_ui.mjs PROGRAM…
 */

import { spawn } from "node:child_process";
import process from "node:process";

const FILES = [["/", "<rcsp-devices"], ["/page.js", "rcsp-devices"], ["/page.css", "rcsp-devices"]];

const [program, ...args] = process.argv.slice(2);
const line = [...args, "ui", "--simulate", "--port", "0", "--no-open"];
// In a process group of its own: npx does not pass a signal on to what it started.
const rcsp = spawn(program, line, { detached: true, stdio: ["ignore", "pipe", "inherit"] });
const ended = new Promise((resolve) => rcsp.once("close", resolve));
try {
  const address = await new Promise((resolve, reject) => {
    rcsp.stdout.once("data", (bytes) => resolve(String(bytes).trim()));
    ended.then((code) => reject(new Error(`'rcsp ui' ended with code ${code}`)));
  });
  for (const [path, part] of FILES) {
    const text = await (await fetch(new URL(path, address))).text();
    if (!text.includes(part)) throw new Error(`'${path}' has no '${part}': ${text.slice(0, 200)}`);
  }
  console.log(`its page has ${FILES.length} files`);
} finally {
  process.kill(-rcsp.pid);
  await ended;
}
