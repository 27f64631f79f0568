/** What the figures were taken on: nothing that names a person's machine. */

import { execFileSync } from "node:child_process";
import os from "node:os";
import process from "node:process";
import { type Runtime, runtime } from "../../tests/support/runtime.ts";

/** See the file's own text. */
export interface Machine {
  readonly runtime: Runtime;
  /** The runtime's own version. */
  readonly version: string;
  readonly cpu: string;
  readonly cores: number;
  readonly system: string;
  /** In gibibytes. */
  readonly memory: number;
  /** `undefined` where there is none. */
  readonly python: string | undefined;
  /** Whether programs can be held on one core. */
  readonly taskset: boolean;
}

/** Looks at the machine. */
export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    runtime,
    version: process.versions[runtime] ?? process.version.slice(1),
    cpu: cpus[0]?.model.trim() || "unknown",
    cores: cpus.length,
    system: `${os.platform()} ${os.arch()}`,
    memory: Math.round(os.totalmem() / 2 ** 30),
    python: output("python3", "--version")?.replace(/^Python /, ""),
    taskset: output("taskset", "-c", "0", "true") !== undefined,
  };
}

/** One line. */
export function machineLine(machine: Machine): string {
  const { version, cpu, cores, system, memory, python } = machine;
  const name = { deno: "Deno", bun: "Bun", node: "Node" }[machine.runtime];
  const beside = python === undefined ? "no python3" : `CPython ${python}`;
  return `${name} ${version}, ${beside}; ${cpu}, ${cores} cores, ${memory} GiB, ${system}`;
}

function output(program: string, ...args: string[]): string | undefined {
  try {
    const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", "ignore"];
    return execFileSync(program, args, { encoding: "utf8", stdio, timeout: 5_000 }).trim();
  } catch {
    return undefined;
  }
}
