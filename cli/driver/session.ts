/**
 * From a command line to a client.
 *
 * @module
 */

import {
  connect,
  ConnectionError,
  type ConnectOptions,
  type DialectOptions,
  escapeUnprintable,
  type RcspClient,
  TimeoutError,
} from "@rcsp/rcsp";
import { MOTION_PORTS } from "@rcsp/rcsp/motion";
import { DEFAULT_ADDRESS, resolveDialect } from "@rcsp/rcsp/server";
import { memoryNetwork, Simulator } from "@rcsp/rcsp/simulator";
import type { Context, Driver, SessionOptions } from "../command_line/command.ts";
import type { CommandLine } from "../command_line/parse.ts";
import { UsageError } from "../exit_codes.ts";
import { readJson } from "../process/files.ts";
import type { CliIo } from "../process/io.ts";
import { FRAME_NAMES } from "../recording/format.ts";
import { quote } from "../text/values.ts";

/** Milliseconds between the tries of `--wait`. */
const WAIT_BETWEEN_TRIES = 500;
const DIALECT_BYTES = 1024 * 1024;
/** Milliseconds that unsubscribing may take after Ctrl-C. */
const DRAIN_TIMEOUT = 1_000;

/**
 * What the connection flags say.
 *
 * @throws {UsageError} If the dialect file is wrong.
 */
export async function serverOptions(line: CommandLine, io: CliIo): Promise<Driver> {
  const timeout = line.number("timeout");
  return {
    host: line.text("host") ?? DEFAULT_ADDRESS.host,
    port: line.number("port") ?? DEFAULT_ADDRESS.port,
    connectTimeout: timeout,
    commandTimeout: timeout,
    dialect: await readDialect(line.text("dialect"), io),
    connector: io.connector,
  };
}

/**
 * Reads a dialect file, if there is one.
 *
 * @throws {UsageError} If it cannot be read or is not a dialect.
 */
export async function readDialect(
  path: string | undefined,
  io: CliIo,
): Promise<DialectOptions | undefined> {
  if (path === undefined) return undefined;
  const options = await readJson(io, path, DIALECT_BYTES) as DialectOptions;
  try {
    resolveDialect(options);
    return options;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot use dialect file ${quote(path)}: ${reason}`, { cause });
  }
}

/** Connects as the command line says; see `Context.connect()`. */
export async function openSession(
  context: Context,
  options: SessionOptions,
  simulates: boolean,
): Promise<RcspClient> {
  const { line, signal } = context;
  let server = await context.server();
  if (simulates && line.on("simulate")) server = await simulate(context, server, options);
  options.onServer?.(server);
  const onFrame = frameLog(context, options.client?.onFrame);
  const connecting = new AbortController();
  let leave = (): Promise<void> | void => connecting.abort(signal.reason);
  const onAbort = (): void => void leave();
  signal.throwIfAborted();
  signal.addEventListener("abort", onAbort);
  context.defer(async () => {
    signal.removeEventListener("abort", onAbort);
    await leave();
  });
  const client = await untilThere(context, () =>
    connect({
      reconnect: options.reconnect ? undefined : false,
      ...options.client,
      ...server,
      onFrame,
      signal: connecting.signal,
    }));
  leave = async () => {
    if (!options.drain) return await client.close();
    await options.beforeDrain?.();
    await client.drain({ timeout: DRAIN_TIMEOUT });
  };
  return client;
}

/** Opens a connection; with `--wait` again and again until the driver is there. */
export async function untilThere<T>(context: Context, open: () => Promise<T>): Promise<T> {
  const { line, log, pause, signal } = context;
  for (let isLogged = false;; isLogged = true) {
    try {
      return await open();
    } catch (error) {
      signal.throwIfAborted();
      if (!line.on("wait") || !isAbsence(error)) throw error;
      if (!isLogged) await log(`${error.message}. Waiting for the driver; Ctrl-C ends.`);
      await pause(WAIT_BETWEEN_TRIES);
      signal.throwIfAborted();
    }
  }
}

function isAbsence(error: unknown): error is Error {
  return error instanceof TimeoutError ||
    error instanceof ConnectionError && error.code !== "permission-denied";
}

/** For `onFrame`: with `--verbose` each frame becomes a line on stderr. */
export function frameLog(
  { line, io, defer }: Context,
  onFrame?: ConnectOptions["onFrame"],
): ConnectOptions["onFrame"] {
  if (!line.on("verbose")) return onFrame;
  const decoder = new TextDecoder();
  let written = Promise.resolve();
  defer(() => written);
  return (frame) => {
    const arrow = frame.direction === "out" ? "->" : "<-";
    const text = `${arrow} ${FRAME_NAMES[frame.type]} ${decoder.decode(frame.payload)}`;
    // Neither cut nor wrapped, so that it can be copied.
    written = io.stderr.write(`${escapeUnprintable(text)}\n`).catch(() => {});
    onFrame?.(frame);
  };
}

/** Starts a simulated driver within the process. Returns how to connect to it. */
export async function simulate(
  context: Context,
  server: ConnectOptions,
  { pressEvery, motion = false }: Pick<SessionOptions, "pressEvery" | "motion">,
): Promise<Driver> {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator({ pressEvery, motion, dialect: server.dialect });
  context.defer(() => simulator.close());
  await simulator.serve(listen);
  if (motion) {
    await simulator.serveMotion(listen, { port: MOTION_PORTS.hands, rawPort: MOTION_PORTS.raw });
  }
  return { ...server, ...simulator.address, connector };
}
