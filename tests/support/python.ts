/**
 * Runs the Python client and server of `tests/interop`, which are written independently of `src/`.
 */

import { fileURLToPath } from "node:url";
import type { Address } from "../../src/socket/socket.ts";
import { run, type RunResult, start } from "./runtime.ts";

// -B: no cache files beside the sources.
const python = (script: string, ...args: string[]): string[] => [
  "python3",
  "-B",
  fileURLToPath(new URL(`../interop/${script}`, import.meta.url)),
  ...args,
];

/** One key each: see `client.py`. */
export type Step =
  | { send: Record<string, unknown> }
  | { raw: string }
  | { receive: number }
  | { receive_until_type: number }
  | { slice: number }
  | { half_close: true }
  | { expect_end: true };

/** Result of a step. */
export interface StepResult {
  type?: number;
  body?: Record<string, unknown>;
  end?: true;
  bytes?: number;
  reset?: true;
}

/** Runs the Python client against a server. */
export function runPythonClient(
  { host, port }: Address,
  args: string[] = [],
  stdin = "",
): Promise<RunResult> {
  return run(python("client.py", "--host", host, "--port", String(port), ...args), { stdin });
}

/** Runs steps in the Python client; rejects with its message if one fails. */
export async function runSteps(address: Address, steps: Step[]): Promise<StepResult[]> {
  const result = await runPythonClient(address, ["--steps", "-"], JSON.stringify(steps));
  if (result.code !== 0) throw new Error(`client.py ended with ${result.code}: ${result.stderr}`);
  return result.stdout.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

/** Runs `use` with a Python server with this behaviour, then stops it. */
export async function withPythonServer(
  behaviour: string,
  use: (address: Address) => Promise<void>,
): Promise<void> {
  const child = start(python("server.py", "--port", "0", "--behaviour", behaviour));
  try {
    const line = await child.nextLine();
    const port = Number(/^listening on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1]);
    if (!(port > 0)) throw new Error(`server.py said '${line}'`);
    await use({ host: "127.0.0.1", port });
  } finally {
    await child.end();
  }
}
