/** The `rcsp` command in process: a world of its own, what it wrote, and a simulated driver to talk to. */

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { memoryNetwork } from "../../src/socket/memory.ts";
import type { UiTestHooks } from "../../cli/commands/ui.ts";
import { main } from "../../cli/main.ts";
import { type CliIo, type FileOutput, OutputClosed } from "../../cli/process/io.ts";
import type { JsonObject } from "../../src/message/json.ts";
import type { Connector } from "../../src/socket/socket.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { Simulator, type SimulatorOptions } from "../../src/simulator/simulator.ts";

/** What may be different from a plain pipe. */
export interface TestIoOptions extends Partial<CliIo>, UiTestHooks {
  /** Whether both outputs are terminals. Default: `false`. */
  terminal?: boolean;
  /** Default: 80. */
  columns?: number;
  /** Stdin. Default: empty. */
  input?: Iterable<string | Uint8Array>;
  /** The environment. Default: empty. */
  variables?: Readonly<Record<string, string>>;
  /** Files that are there at first. */
  files?: Readonly<Record<string, string | Uint8Array>>;
}

/** A world for one command line. */
export interface TestIo extends CliIo {
  /** All that went to stdout so far. */
  readonly out: string;
  /** All that went to stderr so far. */
  readonly err: string;
  /** The lines of stdout that are complete. */
  readonly lines: string[];
  /** The files, those that were written included. */
  readonly files: Map<string, string | Uint8Array>;
  /** Ctrl-C. */
  interrupt(): void;
  /** From the next write on nobody reads stdout. */
  closeOutput(): void;
  /** Resolves when stdout or stderr holds the text. */
  until(found: (io: TestIo) => boolean): Promise<void>;
}

/** Makes a world. */
export function testIo(options: TestIoOptions = {}): TestIo {
  const { terminal = false, columns = 80, variables = {}, input = [] } = options;
  const files = new Map(Object.entries(options.files ?? {}));
  const leaving = new AbortController();
  const written = { out: "", err: "" };
  const waiting = new Set<() => void>();
  let closed = false;
  const output = (name: "out" | "err") => ({
    isTerminal: terminal,
    columns,
    write(text: string): Promise<void> {
      if (closed && name === "out") return Promise.reject(new OutputClosed("Nobody reads"));
      written[name] += text;
      for (const look of waiting) look();
      return Promise.resolve();
    },
  });
  const io: TestIo = {
    stdin: bytes(input),
    stdout: output("out"),
    stderr: output("err"),
    env: (name) => variables[name],
    signal: leaving.signal,
    readFile(path) {
      const content = files.get(path);
      return content === undefined ? missing(path) : bytes([content]);
    },
    checkCreatable(path, { exclusive = false } = {}): Promise<void> {
      if (!exclusive || !files.has(path)) return Promise.resolve();
      return Promise.reject(Object.assign(new Error(path), { code: "EEXIST" }));
    },
    async createFile(path, options): Promise<FileOutput> {
      await io.checkCreatable?.(path, options);
      files.set(path, "");
      return {
        write: (data) => Promise.resolve(void files.set(path, joined(files.get(path), data))),
        close: () => Promise.resolve(),
      };
    },
    run: () => Promise.reject(new Error("No program is run here")),
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678),
    ...options,
    get out() {
      return written.out;
    },
    get err() {
      return written.err;
    },
    get lines() {
      return written.out.split("\n").slice(0, -1);
    },
    files,
    interrupt: () => leaving.abort(new Error("Interrupted")),
    closeOutput: () => void (closed = true),
    until(found): Promise<void> {
      return new Promise((resolve) => {
        const look = (): void => {
          if (!found(io)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    },
  };
  return io;
}

/** How a command line ended. */
export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line to its end. */
export async function rcsp(args: readonly string[], options?: TestIoOptions): Promise<CliResult> {
  const io = testIo(options);
  const code = await main(args, io);
  return { code, out: io.out, err: io.err };
}

/** Checks how a command line ended: its exit code, and one sentence on stderr or nothing. */
export function assertFails({ code, out, err }: CliResult, expected: number): void {
  assertEquals([code, out, /^rcsp: [^\n]+\n$/.test(err)], [expected, "", true], err);
}

/** A simulated driver in a network of its own. */
export interface TestDriver {
  readonly simulator: Simulator;
  /** Goes to `testIo()` and `rcsp()`. */
  readonly connector: Connector;
  /** Every command that was sent so far, as its name and arguments. */
  readonly commands: [name: string, args: JsonObject][];
  /** Stops the driver, and starts one like it at the same place. */
  restart(): Promise<Simulator>;
}

/** Runs `use` with a driver on port 45451, and leaves nothing open. */
export async function withDriver(
  use: (driver: TestDriver) => Promise<void>,
  options: SimulatorOptions = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const start = async (): Promise<Simulator> => {
    // Device ids of a hostile driver are as long as they like.
    const simulator = new Simulator({ maxTopicLength: 1_000_000, ...options });
    await simulator.serve(listen, { port: 45451 });
    return simulator;
  };
  const commands: [string, JsonObject][] = [];
  let simulator: Simulator;
  const driver: TestDriver = {
    get simulator() {
      return simulator;
    },
    connector: noting(connector, commands),
    commands,
    async restart() {
      await simulator.close();
      return simulator = await start();
    },
  };
  simulator = await start();
  try {
    await use(driver);
  } finally {
    await simulator.close();
  }
}

/** Notes the commands that go through the sockets of a connector. */
function noting(connector: Connector, commands: [string, JsonObject][]): Connector {
  return async (address, options) => {
    const socket = await connector(address, options);
    const decoder = new FrameDecoder();
    const write = socket.write.bind(socket);
    socket.write = (bytes) => {
      decoder.push(bytes, (_type, payload) => {
        const { Command, Arguments } = JSON.parse(new TextDecoder().decode(payload));
        commands.push([Command, Arguments]);
      });
      return write(bytes);
    };
    return socket;
  };
}

function joined(before: string | Uint8Array = "", data: string | Uint8Array): string | Uint8Array {
  if (typeof data === "string" && typeof before === "string") return before + data;
  return new Uint8Array(Buffer.concat([before, data].map((part) => Buffer.from(part as string))));
}

async function* bytes(parts: Iterable<string | Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? new TextEncoder().encode(part) : part;
}

// deno-lint-ignore require-yield
async function* missing(path: string): AsyncGenerator<Uint8Array> {
  throw new Error(`no such file: ${path}`);
}
