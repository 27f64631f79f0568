/** Runs the benches on Bun after `bun run bench`, and on Node after `npm run bench`. */

import { spawnSync } from "node:child_process";
import process from "node:process";

const byBun = process.env["npm_config_user_agent"]?.startsWith("bun/");
const runtime = byBun ? ["bun", "run"] : ["node"];
const [program, ...args] = [...runtime, "bench/main.ts", ...process.argv.slice(2)];
const { status } = spawnSync(program, args, { stdio: "inherit" });
process.exitCode = status ?? 1;
