/** Runs the examples as child processes. */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { assertEquals, assertMatch } from "@std/assert";
import { listen, type RcspServer } from "../../server.ts";
import { run, type RunResult, runtimeCommand, start, type StartedChild } from "./runtime.ts";

export function command(name: string, ...args: string[]): string[] {
  return runtimeCommand(
    fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url)),
    ...args,
  );
}

export function example(name: string, ...args: string[]): Promise<RunResult> {
  return run(command(name, ...args));
}

/** Exactly one sentence on stderr: no second line, no stack trace. */
export function assertSentence({ stdout, stderr }: RunResult): void {
  assertEquals(stdout, "");
  assertMatch(stderr, /^\S.*\n$/);
}

/** Runs `use` against the test's own server. */
export async function withServer(
  server: RcspServer,
  use: (...flags: string[]) => Promise<void>,
): Promise<void> {
  const { port } = await server.serve(listen);
  try {
    await use("--host", "127.0.0.1", "--port", `${port}`, "--timeout", "20000");
  } finally {
    await server.close();
  }
}

export async function freePort(): Promise<number> {
  const listener = await listen({}, (socket) => socket.close());
  await listener.close();
  return listener.address.port;
}

/** Starts an example, and kills it if `use` fails. */
export async function withChild(
  line: string[],
  use: (child: StartedChild) => Promise<void>,
): Promise<void> {
  const child = start(line);
  try {
    await use(child);
  } finally {
    await child.end("SIGKILL");
  }
}

/** Sends a signal as a terminal does: Deno's own `kill()` hides how the child ended. */
export function signalled(child: StartedChild, signal: "SIGINT" | "SIGTERM"): Promise<RunResult> {
  process.kill(child.pid, signal);
  return child.ended;
}
