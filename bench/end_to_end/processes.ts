/** The server and client processes of the end-to-end bench, pinned to cores where possible. */

import { runtimeCommand, start } from "../../tests/support/runtime.ts";
import type { Task, Work } from "./tasks.ts";

/** The core of each process; `undefined` to not pin it. */
export interface Cores {
  readonly server: number | undefined;
  readonly client: number | undefined;
}

/** Running processes. */
export interface Processes {
  /** The clients by their work. */
  readonly clients: Readonly<Record<Work, readonly string[]>>;
  /** Runs a task; returns the seconds it took. */
  run(task: Task): Promise<number>;
  end(): Promise<void>;
}

const LIFETIME = 15 * 60_000;

/** Starts the processes. */
export async function startProcesses(cores: Cores): Promise<Processes> {
  const server = start(pinned(cores.server, "./server_process.ts"), { timeout: LIFETIME });
  const ports = await server.nextLine();
  const client = start(pinned(cores.client, "./client_process.ts"), { timeout: LIFETIME });
  client.write(`${ports}\n`);
  return {
    clients: JSON.parse(await client.nextLine()),
    async run(task): Promise<number> {
      client.write(`${JSON.stringify(task)}\n`);
      return JSON.parse(await client.nextLine()).seconds;
    },
    async end(): Promise<void> {
      await Promise.all([client.end(), server.end()]);
    },
  };
}

function pinned(core: number | undefined, script: string): string[] {
  const command = runtimeCommand(new URL(script, import.meta.url).pathname);
  return core === undefined ? command : ["taskset", "-c", String(core), ...command];
}
