/**
 * `rcsp record`
 *
 * @module
 */

import type { RcspClient } from "@rcsp/rcsp";
import { DEFAULT_ADDRESS, formatAddress } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";
import { subscribeAll } from "../driver/listening.ts";
import { parseTopic } from "../driver/topic_argument.ts";
import { UsageError } from "../exit_codes.ts";
import { openRecorder, type Recorder } from "../recording/record_writer.ts";
import { RecordingProxy } from "../recording/recording_proxy.ts";
import { boundedLog, listenWith } from "../simulate/accept_clients.ts";
import { plural } from "../text/values.ts";

/** Milliseconds between the presses of `--simulate`. */
const PRESS_EVERY = 500;
/** Milliseconds that unsubscribing may take. */
const DRAIN_TIMEOUT = 1_000;

/** Records frames. */
export const record: Command = {
  name: "record",
  summary: "Record what a driver and its clients say to each other",
  details: `With --listen it stands between: clients connect to that port, everything is
passed on to the driver and back as it comes, and every frame is written down.
Without, it connects itself, lists the devices, asks for what is known of each,
and subscribes as 'rcsp watch' does.

One JSON object a line: time in milliseconds, direction as the client sees it
(out or in), connection, type (command, ok, error, event), body; the first line
says which format it is. Ctrl-C ends. 'rcsp replay' plays it back.`,
  positionals: [
    { name: "file", about: "where to write; - is standard output" },
    {
      name: "publisher/topic",
      about: "what to subscribe to without --listen",
      optional: true,
      multiple: true,
    },
  ],
  flags: [
    {
      name: "listen",
      kind: "integer",
      value: "NUMBER",
      about: "the port for clients to connect to; 0 takes any free one",
      range: [0, 65_535],
      excludes: ["simulate", "driver", "device"],
    },
    {
      name: "device",
      short: "d",
      kind: "text",
      value: "ID",
      about: "a device, by its DeviceId",
      default: "every device that is listed",
      multiple: true,
    },
    {
      name: "driver",
      kind: "boolean",
      about: "subscribe to the driver, not to devices",
      excludes: ["device"],
    },
    {
      name: "for",
      kind: "duration",
      value: "TIME",
      about: "end after so long: 10s, 5m",
      range: [1, LONGEST_TIMER],
    },
    { name: "force", kind: "boolean", about: "replace a file that is there" },
  ],
  connects: true,
  simulates: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp record glove.ndjson --for 30s", "what the driver says in half a minute"],
    ["rcsp record app.ndjson --listen 45452", "your app on port 45452, driver on 45451"],
    ["rcsp record - --simulate | jq -c .body", "see the format, without hardware"],
  ],
  async run(context) {
    const { line, clock, log: tell } = context;
    const [path = "", ...topics] = line.positionals;
    const wanted = topics.map(parseTopic);
    const port = line.number("listen");
    if (port !== undefined && topics.length > 0) {
      throw new UsageError("Cannot use a topic together with '--listen'");
    }
    const server = await context.server();
    const { host = DEFAULT_ADDRESS.host, port: driver = DEFAULT_ADDRESS.port } = server;
    const about = {
      mode: port === undefined ? "client" : "proxy",
      driver: line.on("simulate") ? "simulated" : formatAddress({ host, port: driver }),
    };
    const over = Promise.withResolvers<void>();
    const length = line.number("for");
    const timer = length === undefined ? undefined : clock.set(over.resolve, length);
    context.defer(() => clock.clear(timer));
    context.signal.addEventListener("abort", () => over.resolve(), { once: true });
    const open = () => openRecorder(context, path, { force: line.on("force"), about });
    if (port !== undefined) return await runProxy(context, port, open, over.promise);

    const { rcsp, recorder } = await connectAndRecord(context, open);
    try {
      await subscribeAll(context, rcsp, wanted);
      await tell("Recording: Ctrl-C ends");
      const gone = rcsp.closed.then((cause) => {
        if (cause !== undefined && !context.signal.aborted) throw cause;
      });
      await Promise.race([over.promise, gone, recorder.failed]);
    } catch (error) {
      // Ctrl-C ends the client, which is not a failure.
      if (!context.signal.aborted) throw error;
    } finally {
      await rcsp.drain({ timeout: DRAIN_TIMEOUT });
      await finish(context, recorder, rcsp.stats().reconnects + 1);
    }
  },
};

async function connectAndRecord(
  context: Context,
  open: () => Promise<Recorder>,
): Promise<{ rcsp: RcspClient; recorder: Recorder }> {
  const made: { rcsp?: RcspClient; recorder?: Recorder } = {};
  const rcsp = made.rcsp = await context.connect({
    reconnect: true,
    drain: true,
    pressEvery: PRESS_EVERY,
    client: {
      onFrame: ({ direction, type, payload }) => {
        const connection = (made.rcsp?.stats().reconnects ?? 0) + 1;
        made.recorder?.frame(direction, connection, type, payload);
      },
    },
  });
  // Only now, so that a driver which is not there leaves no file. Nothing was asked for yet.
  const recorder = made.recorder = await open();
  return { rcsp, recorder };
}

async function runProxy(
  context: Context,
  port: number,
  open: () => Promise<Recorder>,
  over: Promise<void>,
): Promise<void> {
  // Only then the file, so that a port that is taken leaves none.
  const opened = Promise.withResolvers<RecordingProxy>();
  const talk = boundedLog(context);
  const listener = await listenWith(context)(
    { host: "127.0.0.1", port },
    (socket) => opened.promise.then((proxy) => proxy.accept(socket), () => socket.close()),
    (error) => talk(error.message),
  );
  context.defer(() => listener.close());
  const recorder = await open();
  const proxy = new RecordingProxy(context, await context.server(), recorder, talk);
  opened.resolve(proxy);
  try {
    await context.log(
      `Recording what passes ${formatAddress(listener.address)}: Ctrl-C ends`,
    );
    await Promise.race([over, recorder.failed]);
  } finally {
    await Promise.all([listener.close(), proxy.close()]);
    await finish(context, recorder, proxy.clients);
  }
}

async function finish(context: Context, recorder: Recorder, connections: number): Promise<void> {
  await recorder.close();
  const what = `${plural(recorder.frames, "frame")} of ${plural(connections, "connection")}`;
  await context.log(`${what} recorded`);
}
