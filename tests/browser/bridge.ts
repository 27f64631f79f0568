/** `rcsp ui` as a child process on one of the three runtimes, and a simulated driver for it. */

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { listen } from "@rcsp/rcsp/server";
import { Simulator, type SimulatorOptions } from "@rcsp/rcsp/simulator";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The commands that run a file. */
export const RUNTIMES = {
  deno: ["deno", "run", "-A", "--no-check"],
  bun: ["bun", "run"],
  node: ["node"],
} as const;
/** A runtime. */
export type Runtime = keyof typeof RUNTIMES;

/** A running `rcsp ui`. */
export interface Bridge {
  /** The address that it printed. */
  readonly address: string;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly port: number;
  readonly token: string;
  /** What it wrote to stderr so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts `rcsp ui` on any free port, without opening a browser. */
export async function startBridge(
  runtime: Runtime,
  args: readonly string[],
  command: string = "cli/mod.ts",
): Promise<Bridge> {
  const [program, ...options] = RUNTIMES[runtime];
  const line = [...options, command, "ui", "--port", "0", "--no-open", ...args];
  const child = spawn(program, line, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  child.stderr.setEncoding("utf8").on("data", (text: string) => err += text);
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      out += text;
      const end = out.indexOf("\n");
      if (end !== -1) resolve(out.slice(0, end));
    });
    child.once("error", reject);
    void ended.then(() => reject(new Error(`'rcsp ui' ended on ${runtime}: ${err}`)));
  });
  const { origin, port, hash } = new URL(address);
  return {
    address,
    origin,
    port: Number(port),
    token: hash.slice(1),
    log: () => err,
    stop: () => stop(child, ended),
  };
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  child.kill("SIGTERM");
  await ended;
}

/** A driver on a port of its own. */
export interface Driver {
  readonly simulator: Simulator;
  readonly port: number;
  /** The flags that lead `rcsp ui` to it. */
  readonly flags: readonly string[];
}

/** Starts a driver, with hands that move if `motion` is set; `port` is that of one before it. */
export async function startDriver(options: SimulatorOptions = {}, port = 0): Promise<Driver> {
  const simulator = new Simulator(options);
  const address = await simulator.serve(listen, { host: "127.0.0.1", port });
  const flags = ["--driver-host", "127.0.0.1", "--driver-port", `${address.port}`];
  if (options.motion) {
    const { hands } = await simulator.serveMotion(listen, { host: "127.0.0.1" });
    flags.push("--motion-port", `${hands.port}`);
  } else flags.push("--no-motion");
  return { simulator, port: address.port, flags };
}
