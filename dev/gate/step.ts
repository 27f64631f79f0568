/** The steps of the gate, and their child processes. */

import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** One check. Throws a `StepFailure` if it fails; a step that finds nothing to check must fail. */
export interface Step {
  readonly name: string;
  /** Whether the gate stops if this step fails. */
  readonly vital?: boolean;
  /** Whether it runs at the same time as its neighbors that say so too. */
  readonly parallel?: boolean;
  run(): Promise<StepReport | void>;
}

/** Result of a step that passed. */
export interface StepReport {
  /** Number of passed checks. Default: 1. */
  passed?: number;
  /** A few words for the step's line. */
  note?: string;
}

/** Thrown by a step that fails, with the output to show. */
export class StepFailure extends Error {
  readonly output: string | undefined;
  readonly passed: number;
  readonly failed: number;

  constructor(
    message: string,
    options: { output?: string | undefined; passed?: number; failed?: number } = {},
  ) {
    super(message);
    this.output = options.output;
    this.passed = options.passed ?? 0;
    this.failed = options.failed ?? 1;
  }
}

/** The project's folder, with a trailing slash. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** Where the gate may write; never tracked, never published. */
export const scratch = `${root}.work/gate/`;

/** How a child process is run. */
export interface CommandOptions {
  /** Working directory. Default: the project's folder. */
  cwd?: string;
  /** Milliseconds until it is killed, with all that it started. Ends a hang, not a slow machine. */
  timeout?: number;
  env?: Record<string, string>;
}

/** Result of a child process. */
export interface CommandResult {
  code: number;
  stdout: string;
  /** Both outputs, as they came. */
  output: string;
}

/** Runs a command to its end. Throws if it cannot be started or times out. */
export async function command(
  line: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { cwd = root, timeout = 600_000, env = {} } = options;
  const [program = "", ...args] = line;
  const child = spawn(program, args, {
    cwd,
    env: { ...toolEnvironment(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own, so that what it started can be ended with it.
    detached: true,
  });
  const result: CommandResult = { code: -1, stdout: "", output: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    result.stdout += text;
    result.output += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => result.output += text);
  let overdue = false;
  const timer = setTimeout(() => {
    overdue = true;
    killGroup(child.pid);
  }, timeout);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  child.once("error", reject);
  child.once("close", (code) => resolve(code ?? -1));
  try {
    result.code = await promise;
  } catch (error) {
    throw new StepFailure(`Cannot start '${program}': ${error}`);
  } finally {
    clearTimeout(timer);
  }
  if (overdue) {
    throw new StepFailure(`${shown(line)} took longer than ${timeout / 1000} s`, {
      output: result.output,
    });
  }
  return result;
}

/** Runs a command that must succeed. */
export async function must(line: string[], options?: CommandOptions): Promise<CommandResult> {
  const result = await command(line, options);
  if (result.code === 0) return result;
  throw new StepFailure(`${shown(line)} ended with code ${result.code}`, {
    output: result.output,
  });
}

function shown(line: string[]): string {
  return `'${(line.length > 8 ? [...line.slice(0, 8), "…"] : line).join(" ")}'`;
}

/** Puts the pinned toolchain first, and removes what an `npm run` that started the gate has set. */
function toolEnvironment(): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name]) =>
    !/^npm_(?:package|lifecycle|command|config_local_prefix)/i.test(name) && name !== "INIT_CWD"
  );
  return {
    ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ""])),
    PATH: `${root}node_modules/.bin:${process.env["PATH"]}`,
    NO_COLOR: "1",
    DENO_NO_PROMPT: "1",
    DENO_NO_UPDATE_CHECK: "1",
  };
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has already exited.
  }
}
