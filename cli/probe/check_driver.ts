/**
 * Whether there is a driver, and whether it answers as it should.
 *
 * @module
 */

import {
  CommandError,
  ConnectionError,
  type JsonObject,
  type RcspClient,
  TimeoutError,
} from "@rcsp/rcsp";
import { DEFAULT_ADDRESS, formatAddress, resolveDialect } from "@rcsp/rcsp/server";
import type { Context, Driver } from "../command_line/command.ts";
import { dial } from "../driver/dial.ts";
import { EXIT, exitCode, Failure } from "../exit_codes.ts";
import type { Mark, Report } from "../terminal/finding_report.ts";
import { plural } from "../text/values.ts";
import { reasonOf } from "./identify_port.ts";
import { NO_SUCH_COMMAND } from "./learn_dialect.ts";
import { describeKeys } from "./value_paths.ts";

const ROUND_TRIPS = 20;
/** Milliseconds; a driver on the same machine is far below. */
const SLOW = 100;

/**
 * Whether a connection can be made; says what was tried.
 *
 * @throws {Failure} If not.
 */
export async function checkConnection(
  context: Context,
  report: Report,
  server: Driver,
): Promise<void> {
  const { clock, signal } = context;
  const began = clock.now();
  const address = formatAddress(server);
  const socket = await dial(server, context).catch(async (error) => {
    // Ctrl-C is not a finding.
    signal.throwIfAborted();
    await report.add("fail", "connection", error.message);
    for (const step of nextSteps(context, error, server.port)) {
      await report.add("info", "next", step);
    }
    const code = error instanceof TimeoutError ? EXIT.timeout : EXIT.connection;
    throw new Failure(`No driver was found at ${address}`, code, { cause: error });
  });
  const time = clock.now() - began;
  socket.close();
  await socket.closed;
  await report.add("ok", "connection", `to ${address} in ${time.toFixed(1)} ms`);
}

/** Ports of other services, which may be mistaken for that of the driver. */
const OTHER_PORTS: ReadonlyMap<number, string> = new Map([
  [22, "the port of SSH"],
  [80, "the port of HTTP"],
  [12276, "a port of RGMP"],
  [12277, "a port of RGMP"],
  [14053, "the port of Rokoko Studio"],
]);

/** Asks what does no harm. Returns the first error. */
export async function checkAnswers(
  context: Context,
  report: Report,
  rcsp: RcspClient,
  server: Driver,
): Promise<Error | undefined> {
  const { clock } = context;
  let failure: Error | undefined;
  const check = async (
    name: string,
    ask: () => Promise<readonly [Mark, string]>,
  ): Promise<void> => {
    // What does not answer one command does not answer the next.
    if (failure !== undefined && !(failure instanceof CommandError)) return;
    try {
      const [mark, finding] = await ask();
      await report.add(mark, name, finding);
    } catch (error) {
      failure ??= error as Error;
      const reason = await reasonOf(context, server, error as Error);
      await report.add("fail", name, reason);
      // What is known to be something else has nothing to teach.
      if (reason !== (error as Error).message || exitCode(error) !== EXIT.protocol) return;
      await report.add("info", "next", "'rcsp doctor --learn' finds out how this driver differs");
      await report.add("info", "next", "'rcsp record' shows what it sends");
    }
  };
  let devices: { readonly DeviceId: JsonObject[string] }[] = [];
  await check("ListDevices", async () => {
    devices = await rcsp.listDevices();
    if (devices.length === 0) return ["warn", "no device is connected"];
    return ["ok", plural(devices.length, "device")];
  });
  const [device] = devices;
  if (device !== undefined) {
    await check("GetDeviceInfo", async () => {
      const info = await rcsp.call("GetDeviceInfo", { DeviceId: device.DeviceId });
      return ["ok", `the fields ${describeKeys(info)}`];
    });
  }
  await check("unknown command", async () => {
    try {
      await rcsp.call(NO_SUCH_COMMAND);
      return ["warn", "answered with ok, an error was expected"];
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return ["ok", `refused as it should: ${error.message}`];
    }
  });
  await check("round trip", async () => {
    const { heartbeat } = resolveDialect(server.dialect).commands;
    const times: number[] = [];
    for (let i = 0; i < ROUND_TRIPS; i++) {
      const began = clock.now();
      await rcsp.call(heartbeat).catch((error) => {
        if (!(error instanceof CommandError)) throw error;
      });
      times.push(clock.now() - began);
    }
    times.sort((one, other) => one - other);
    const [median, max] = [times[ROUND_TRIPS / 2]!, times.at(-1)!];
    const finding = `${median.toFixed(2)} ms, at most ${max.toFixed(2)} ms`;
    return median > SLOW ? ["warn", `slow: ${finding}`] : ["ok", finding];
  });
  return failure;
}

function nextSteps({ line, io }: Context, error: Error, port: number): string[] {
  const code = error instanceof ConnectionError ? error.code : "timeout";
  const variables = ["RCSP_HOST", "RCSP_PORT"].filter((name) =>
    io.env(name) && !line.typed(name.slice(5).toLowerCase())
  );
  const machine = `Is the machine on, and does its firewall let TCP port ${port} through?`;
  const steps: Readonly<Record<string, string>> = {
    "connection-refused":
      "Does it run on another machine? Set --host, and let it through the firewall there",
    "host-not-found": "Is the name of --host right?",
    "host-unreachable": machine,
    "permission-denied":
      "Let the runtime connect: 'deno run -N', or --allow-net with this host and port",
    timeout: machine,
  };
  const other = OTHER_PORTS.get(port);
  const own = other !== undefined
    ? `; ${port} is ${other}`
    : port === DEFAULT_ADDRESS.port
    ? ""
    : `; RCSP's own is ${DEFAULT_ADDRESS.port}`;
  const sdk =
    `Is the Rokoko SDK running there, and is ${port} its port? Set --port or RCSP_PORT${own}`;
  return [
    ...variables.map((name) => `${name} is set to ${io.env(name)}: is it meant?`),
    ...(code === "host-not-found" ? [] : [sdk]),
    ...[steps[code]].filter((step) => step !== undefined),
    "No hardware at hand? 'rcsp serve' in another terminal, or --simulate, replaces it",
  ];
}
