/**
 * Several drivers in one process, of which one may fail without the others.
 *
 * @module
 */

import type { ConnectOptions, RcspClient } from "@rcsp/rcsp";
import { DEFAULT_ADDRESS, formatAddress, parseTarget } from "@rcsp/rcsp/server";
import type { Context, SessionOptions } from "../command_line/command.ts";
import { textFlag } from "../command_line/flags.ts";
import type { Flag } from "../command_line/parse.ts";
import { sentence, UsageError } from "../exit_codes.ts";
import { openSession } from "./session.ts";

/** Milliseconds between attempts to reach a driver that was not there at first. */
const RETRY = { first: 500, longest: 10_000 };

/** Which drivers. */
export const DRIVERS_FLAG: Flag = textFlag("--driver HOST:PORT", "a driver", {
  default: "--host and --port",
  multiple: true,
  excludes: ["simulate", "host", "port"],
});

/** A connected driver. */
export interface ConnectedDriver {
  readonly rcsp: RcspClient;
  /** `HOST:PORT` where there are several. */
  readonly name: string | undefined;
  /** What leads to it. */
  readonly server: ConnectOptions;
}

/**
 * Connects to all drivers of the command line, and runs `use` with each until it resolves. One that is
 * not there at first is tried again.
 *
 * Rejects if no driver can be reached, which `--wait` waits for.
 */
export async function withDrivers(
  context: Context,
  options: SessionOptions,
  use: (driver: ConnectedDriver) => Promise<void>,
): Promise<void> {
  const { log, pause, signal } = context;
  const targets = readTargets(context);
  const open = async ({ name, address }: Target): Promise<ConnectedDriver> => {
    let used: ConnectOptions = {};
    const server = async () => ({ ...await context.server(), ...address });
    const onServer = (server: ConnectOptions): void => void (used = server);
    const rcsp = await openSession({ ...context, server }, { ...options, onServer }, true);
    return { rcsp, name, server: used };
  };
  const first = targets.map((target) => open(target));
  await Promise.any(first).catch((error: AggregateError) => {
    throw error.errors[0];
  });
  await Promise.all(targets.map(async (target, i) => {
    let driver = await first[i]!.catch(async (error) => {
      if (!signal.aborted) await log(`${target.name}: ${sentence(error)}. Trying again`);
      return undefined;
    });
    for (let delay = RETRY.first; driver === undefined && !signal.aborted;) {
      await pause(delay);
      delay = Math.min(delay * 2, RETRY.longest);
      if (!signal.aborted) driver = await open(target).catch(() => undefined);
    }
    if (driver !== undefined) await use(driver);
  }));
}

interface Target {
  readonly name: string | undefined;
  readonly address: { readonly host: string; readonly port: number } | undefined;
}

function readTargets({ line }: Context): Target[] {
  const texts = line.texts("driver");
  if (texts.length === 0) return [{ name: undefined, address: undefined }];
  const addresses = texts.map((text) => {
    try {
      const { host, port = DEFAULT_ADDRESS.port } = parseTarget(text);
      if (port < 1 || port > 65_535) throw new TypeError(`Invalid port ${port}`);
      return { host, port };
    } catch (cause) {
      throw new UsageError(`Invalid '--driver': ${(cause as Error).message}`, { cause });
    }
  });
  const names = addresses.map(formatAddress);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UsageError(`The driver ${twice} is given twice`);
  return addresses.map((address, i) => ({
    name: addresses.length > 1 ? names[i] : undefined,
    address,
  }));
}
