/** Describes where a bench ran, without anything that identifies a person's machine. */

import os from "node:os";
import process from "node:process";
import { type Runtime, runtime } from "../../tests/support/runtime.ts";

/** Runtime and hardware of a run. */
export interface Machine {
  readonly runtime: Runtime;
  /** Version of the runtime. */
  readonly version: string;
  /** Processor, cores, memory and system in one line. */
  readonly hardware: string;
}

/** Names of the runtimes for people. */
export const RUNTIME_NAMES: Readonly<Record<Runtime, string>> = {
  deno: "Deno",
  bun: "Bun",
  node: "Node",
};

/** Describes this machine. */
export function describeMachine(): Machine {
  const cpus = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  const cpu = cpus[0]?.model.trim() || "unknown processor";
  return {
    runtime,
    version: process.versions[runtime] ?? process.version.slice(1),
    hardware: `${cpu}, ${cpus.length} cores, ${memory} GiB, ${os.platform()} ${os.arch()}`,
  };
}
