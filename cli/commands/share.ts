/**
 * `rcsp share`
 *
 * @module
 */

import type { ClientStatus, RcspClient } from "@rcsp/rcsp";
import { formatAddress, forward, type ForwardOptions, RcspServer } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import { booleanFlag, hostFlag, integerFlag, textFlag } from "../command_line/flags.ts";
import { boundedLog, isLoopback, listenWith, untilLeave } from "../simulate/accept_clients.ts";
import { plural, quote } from "../text/values.ts";

const PORT = 45_452;
/** Milliseconds that clients have to leave by themselves. */
const CLOSE_TIMEOUT = 500;
/** Milliseconds between the presses of `--simulate`. */
const PRESS_EVERY = 2_000;
/** Refused commands that are named; a client can send any number of names. */
const NAMED = 20;

/** Lets many programs use one driver. */
export const share: Command = {
  name: "share",
  summary: "Let many programs use one driver, over one connection",
  details: `Programs connect to the port of --listen as they would to the driver. Their
commands are passed on, subscriptions are shared, responses and events go back
as they came.

By default only what changes nothing is allowed: ListDevices, GetDeviceInfo and
subscriptions. Anything else is answered with an error, Code NotAllowed. While
the driver is away, commands are answered with the Code Unavailable.

The first line of output says where it listens; what happens is logged to
stderr. Ctrl-C ends.`,
  flags: [
    integerFlag("--listen NUMBER", "the port for programs to connect to; 0 takes any free one", {
      default: `${PORT}`,
      range: [0, 65_535],
    }),
    hostFlag("--listen-host NAME", "the address to listen on; 0.0.0.0 lets other machines in", {
      default: "127.0.0.1",
    }),
    textFlag("--allow COMMAND", "a command to pass on besides those that change nothing", {
      multiple: true,
      excludes: ["allow-all"],
    }),
    booleanFlag("--allow-all", "pass on every command"),
  ],
  connects: true,
  simulates: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp share", "programs on port 45452, driver on 45451"],
    ["rcsp share --allow SetColorLed", "they may set LEDs, too"],
    ["rcsp share --simulate --listen 0", "a simulated driver, at any free port"],
  ],
  async run(context) {
    const { line, out, signal } = context;
    const log = boundedLog(context);
    const rcsp = await context.connect({ reconnect: true, drain: true, pressEvery: PRESS_EVERY });
    const counts = { clients: 0, refused: 0 };
    const server = new RcspServer({
      closeTimeout: CLOSE_TIMEOUT,
      dialect: (await context.server()).dialect,
      onError: (error, client) => {
        const reason = error instanceof Error ? error.message : String(error);
        log(client === undefined ? reason : `${client.remote}: ${reason}`);
      },
    });
    forward(server, rcsp, {
      allow: line.on("allow-all") ? "all" : line.texts("allow"),
      onRefused: nameRefused(counts, log),
    });
    context.defer(() => server.close());
    const listen = listenWith(context, log);
    const address = await server.serve((options, onSocket, onError) =>
      listen(options, (socket) => {
        counts.clients++;
        onSocket(socket);
      }, onError), {
      host: line.text("listen-host") ?? "127.0.0.1",
      port: line.number("listen") ?? PORT,
    });
    await out.line(`RCSP share listening on ${formatAddress(address)}`);
    if (!isLoopback(address.host)) {
      log("Warning: other machines can reach this port, and there is no password");
    }
    const stop = rcsp.on("status", logStatus(log));
    await Promise.race([untilLeave(signal), rcsp.closed]);
    stop();
    await server.close();
    await logSummary(context, rcsp, counts);
  },
};

function nameRefused(counts: { refused: number }, log: (text: string) => void) {
  const named = new Set<string>();
  return ((command) => {
    counts.refused++;
    if (named.has(command) || named.size >= NAMED) return;
    named.add(command);
    log(`Refused ${quote(command)}: allow it with --allow`);
  }) satisfies ForwardOptions["onRefused"];
}

function logStatus(log: (text: string) => void): (status: ClientStatus) => void {
  return (status) => {
    if (status.state === "reconnecting" && status.attempt === 1) {
      log(`Driver lost: ${status.cause.message}`);
    } else if (status.state === "ready") {
      log(`Driver back after ${status.gap} ms: events may be missing`);
    }
  };
}

async function logSummary(
  context: Context,
  rcsp: RcspClient,
  { clients, refused }: { clients: number; refused: number },
): Promise<void> {
  const { sent, events } = rcsp.stats();
  await context.log(
    `${plural(clients, "client")} served, ${plural(sent, "command")} sent to the driver, ` +
      `${refused} refused, ${plural(events, "event")} received`,
  );
}
