/**
 * `rcsp ui`
 *
 * @module
 */

import type { ConnectOptions } from "@rcsp/rcsp";
import { formatAddress } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import {
  booleanFlag,
  CONNECTION_FLAGS,
  hostFlag,
  integerFlag,
  textFlag,
} from "../command_line/flags.ts";
import type { Flag } from "../command_line/parse.ts";
import { frameLog, readDialect } from "../driver/session.ts";
import { EXIT, Failure, systemReason, UsageError } from "../exit_codes.ts";
import { MOTION_PORT_FLAGS } from "../motion/session.ts";
import { boundedLog, isLoopback, untilLeave } from "../simulate/accept_clients.ts";
import { quote } from "../text/values.ts";
import type { UiServer, UiServerOptions } from "../ui/server/ui_server.ts";

const DEFAULT_PORT = 45_480;
/** How many ports from the default one on are tried. */
const PORTS = 20;
const ANY_ADDRESS = ["0.0.0.0", "::"];

/** The page has `--host` and `--port` here, so the driver's have other names. */
const connectionFlags: readonly Flag[] = [...CONNECTION_FLAGS, ...MOTION_PORT_FLAGS]
  .filter(({ name }) => name !== "wait" && name !== "raw-port")
  .map((flag) =>
    ["host", "port"].includes(flag.name) ? { ...flag, name: `driver-${flag.name}` } : flag
  );

const flags: readonly Flag[] = [
  integerFlag("--port NUMBER", "the port of the page; 0 takes any free one", {
    default: `${DEFAULT_PORT}, or the next one that is free`,
    range: [0, 65_535],
  }),
  hostFlag("--host ADDRESS", "the address to listen on; 0.0.0.0 lets other machines in", {
    default: "127.0.0.1",
  }),
  booleanFlag(
    "--simulate",
    "a simulated driver; with --driver-host or --driver-port once the page asks for it",
  ),
  textFlag("--allow COMMAND", "let the page send this command, such as SetColorLed", {
    default: "those that only read",
    multiple: true,
  }),
  textFlag("--allow-host NAME", "also serve the page under this name: gloves.example:8080", {
    multiple: true,
  }),
  textFlag("--allow-origin ORIGIN", "also let in pages of this origin: https://gloves.example", {
    multiple: true,
  }),
  booleanFlag("--no-open", "do not open the browser"),
  ...connectionFlags,
  hostFlag("--motion-host NAME", "where the hand solver runs", {
    default: "where the driver runs",
  }),
  booleanFlag("--no-motion", "do not look for hands", { excludes: ["motion-host", "motion-port"] }),
];

/** What tests replace. */
export interface UiTestHooks {
  /** Default: `pageFiles()`, which runs a bundler in a checkout. */
  readonly page?: (() => Promise<UiServerOptions["files"]>) | undefined;
}

/** Shows the devices in a browser. */
export const ui: Command = {
  name: "ui",
  summary: "Show the devices and hands in a browser",
  details: `Starts a local web server, prints the address of its page, and opens it. The part
of the address behind the # is a key: without it, no page and no program gets
through to the driver. Ctrl-C ends.

The page can only read, unless --allow names further commands. It waits for a
driver that is not there yet.`,
  flags,
  endsWithCtrlC: true,
  examples: [
    ["rcsp ui", "the devices of the driver on this machine"],
    ["rcsp ui --simulate", "without hardware"],
    ["rcsp ui --allow SetColorLed", "the page may set the colors of LEDs"],
  ],
  async run(context) {
    const { line, io, out, signal, log } = context;
    const host = (line.text("host") ?? "127.0.0.1").replace(/^\[(.*)\]$/, "$1");
    // Only now: no other command needs it, and it takes time to load.
    const [{ UiServer }, options] = await Promise.all([
      import("../ui/server/ui_server.ts"),
      serverOptions(context),
    ]);
    const server = new UiServer(options);
    context.defer(() => server.close());
    if (!isLoopback(host)) {
      await log(
        `Warning: ${host} can be reached from other machines, without encryption: whoever listens ` +
          "to the network can do what this page can",
      );
    }
    const port = await listen(server, host, line.number("port"));
    const address = formatAddress({ host: ANY_ADDRESS.includes(host) ? "127.0.0.1" : host, port });
    const url = `http://${address}/#${server.token}`;
    await out.line(url);
    if (!server.allowsHost(address)) {
      await log(`Requests to ${address} are refused: to allow them, add --allow-host ${host}`);
    }
    if (!line.on("no-open")) io.openBrowser?.(url);
    await untilLeave(signal);
  },
};

async function serverOptions(context: Context): Promise<UiServerOptions> {
  const { line, clock } = context;
  const { page = builtPage } = context.io as UiTestHooks;
  const driver = await driverOptions(context);
  const isDriverGiven = line.typed("driver-host") || line.typed("driver-port");
  const motion = {
    host: line.text("motion-host") ?? driver.host,
    port: line.number("motion-port"),
  };
  return {
    driver,
    motion: line.on("no-motion") ? undefined : motion,
    simulate: line.on("simulate") ? isDriverGiven ? "on-request" : "at-start" : undefined,
    allow: line.texts("allow"),
    allowHosts: line.texts("allow-host").map(checkHost),
    allowOrigins: line.texts("allow-origin").map(checkOrigin),
    clock,
    log: boundedLog(context),
    files: await page(),
  };
}

async function builtPage(): Promise<UiServerOptions["files"]> {
  const { pageFiles } = await import("../ui/page_files.ts");
  try {
    return await pageFiles();
  } catch (cause) {
    // A package has the page built in.
    const reason = cause instanceof Error ? cause.message : String(cause);
    const hint = "In a checkout it needs 'npm ci', and under Deno -A";
    throw new UsageError(`Cannot bundle the page: ${reason}. ${hint}`, { cause });
  }
}

async function driverOptions(context: Context): Promise<ConnectOptions> {
  const { line, io } = context;
  const timeout = line.number("timeout");
  return {
    host: line.text("driver-host"),
    port: line.number("driver-port"),
    connectTimeout: timeout,
    commandTimeout: timeout,
    dialect: await readDialect(line.text("dialect"), io),
    connector: io.connector,
    onFrame: frameLog(context),
  };
}

async function listen(server: UiServer, host: string, port: number | undefined): Promise<number> {
  const ports = port === undefined
    ? Array.from({ length: PORTS }, (_, i) => DEFAULT_PORT + i)
    : [port];
  try {
    return await server.listen(host, ports);
  } catch (cause) {
    const address = formatAddress({ host, port: ports.at(-1)! });
    const { code } = cause as { code?: unknown };
    const reason = code === "EADDRINUSE" ? "port already in use" : systemReason(cause);
    throw new Failure(`Cannot listen on ${address}: ${reason}`, EXIT.connection, { cause });
  }
}

function checkHost(host: string): string {
  if (/^(?:[\w.-]+|\[[\da-fA-F:]+\])(?::\d{1,5})?$/.test(host)) return host.toLowerCase();
  const rule = "a name as it is in the address of the page: gloves.example or gloves.example:8080";
  throw new UsageError(`Invalid '--allow-host' ${quote(host)}: expected ${rule}`);
}

function checkOrigin(origin: string): string {
  if (URL.canParse(origin) && new URL(origin).origin === origin) return origin;
  const rule = "an origin without a path: https://gloves.example";
  throw new UsageError(`Invalid '--allow-origin' ${quote(origin)}: expected ${rule}`);
}
