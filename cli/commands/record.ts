/**
 * `rcsp record`
 *
 * @module
 */

import type { ConnectOptions, RcspClient } from "@rcsp/rcsp";
import { formatAddress } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import { booleanFlag, durationFlag, integerFlag, textFlag } from "../command_line/flags.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";
import { parseSize } from "../command_line/size.ts";
import { subscribeAll } from "../driver/listening.ts";
import { frameLog } from "../driver/session.ts";
import { parseTopic } from "../driver/topic_argument.ts";
import { UsageError } from "../exit_codes.ts";
import { readBytes } from "../process/files.ts";
import { isMotionRecorder, recordMotion, wantedStreams } from "../recording/motion_input.ts";
import {
  isMcap,
  MCAP_ENDING,
  openRecorder,
  type RecorderOptions,
} from "../recording/open_recorder.ts";
import type { Recorder } from "../recording/recorder.ts";
import { RecordingProxy } from "../recording/recording_proxy.ts";
import { TakeLight } from "../recording/take_light.ts";
import { boundedLog, listenWith } from "../simulate/accept_clients.ts";
import { quote } from "../text/values.ts";

/** Milliseconds between the presses of `--simulate`. */
const PRESS_EVERY = 500;
/** Milliseconds that unsubscribing may take. */
const DRAIN_TIMEOUT = 1_000;
const CALIBRATION_BYTES = 1024 * 1024;
/** The flags that need an MCAP file. */
const MCAP_FLAGS = ["motion", "raw", "on-press", "split", "max-size", "calibration"];

/** Records frames. */
export const record: Command = {
  name: "record",
  summary: "Record what a driver and its clients say, and motion",
  details: `With --listen it is a proxy: clients connect to that port, everything is passed
on to the driver and back at once, and every frame is recorded. Without it,
record connects itself, lists the devices, asks for what is known of each,
and subscribes as 'rcsp watch' does.

A file whose name ends in .mcap is written as MCAP: RCSP, and with --motion and
--raw the motion stream, on one clock, for viewers such as Foxglove and
Lichtblick. Any other is one JSON object a line, RCSP alone. 'rcsp replay' plays
both back, 'rcsp info FILE' shows what is in them. Ctrl-C ends.

With --on-press a device may connect later. With --listen its presses count once
a client has subscribed to them.`,
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
    integerFlag("--listen NUMBER", "the port for clients to connect to; 0 takes any free one", {
      range: [0, 65_535],
      excludes: ["simulate", "driver", "device"],
    }),
    textFlag("-d, --device ID", "a device, by its DeviceId", {
      default: "every device that is listed",
      multiple: true,
    }),
    booleanFlag("--driver", "subscribe to the driver, not to devices", { excludes: ["device"] }),
    durationFlag("--for TIME", "end after so long: 10s, 5m"),
    booleanFlag("--motion", "record the solved hands too (.mcap)"),
    integerFlag("--motion-port NUMBER", "the port of the solved hands", {
      default: "12277",
      range: [1, 65_535],
      needs: "motion",
      excludes: ["simulate"],
    }),
    booleanFlag("--raw", "record the raw motion stream too (.mcap)"),
    integerFlag("--raw-port NUMBER", "the port of the raw stream", {
      default: "12276",
      range: [1, 65_535],
      needs: "raw",
      excludes: ["simulate"],
    }),
    textFlag(
      "--on-press DEVICE",
      "a button press, of any device or of this one, starts a take, the next one ends it; files are numbered",
      { optional: true },
    ),
    booleanFlag("--led", "red LEDs while a take is recorded", {
      needs: "on-press",
      excludes: ["listen"],
    }),
    durationFlag("--split TIME", "begin the next numbered file after so long", {
      range: [1_000, LONGEST_TIMER],
    }),
    textFlag("--max-size SIZE", "end after so much: 500MB, 2GiB"),
    textFlag("--calibration FILE", "attach a calibration (JSON) to each file"),
    booleanFlag("--force", "replace a file that is there"),
  ],
  connects: true,
  simulates: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp record glove.ndjson --for 30s", "what the driver says in half a minute"],
    ["rcsp record take.mcap --motion --on-press", "takes by the glove's own button"],
    ["rcsp record app.ndjson --listen 45452", "your app on port 45452, driver on 45451"],
    ["rcsp record try.mcap --simulate --motion --for 10s", "without hardware"],
    ["rcsp record - --simulate | jq -c .body", "see the format, without hardware"],
  ],
  async run(context) {
    const { line, clock } = context;
    const [path = "", ...topics] = line.positionals;
    const wanted = topics.map(parseTopic);
    const port = line.number("listen");
    if (port !== undefined && topics.length > 0) {
      throw new UsageError("Cannot use a topic together with '--listen'");
    }
    const misplaced = isMcap(path) ? undefined : MCAP_FLAGS.find((name) => line.typed(name));
    if (misplaced !== undefined) {
      throw new UsageError(`'--${misplaced}' needs a file whose name ends in ${MCAP_ENDING}`);
    }
    const light = new TakeLight(context);
    const options = await recorderOptions(context, (isRecording) => light.set(isRecording));
    const over = Promise.withResolvers<void>();
    const length = line.number("for");
    const timer = length === undefined ? undefined : clock.set(over.resolve, length);
    context.defer(() => clock.clear(timer));
    context.signal.addEventListener("abort", () => over.resolve(), { once: true });
    const open = async (server: ConnectOptions): Promise<Recorder> => {
      const recorder = await openRecorder(context, path, options);
      recorder.full?.then(over.resolve);
      if (isMotionRecorder(recorder)) recordMotion(context, server, recorder);
      return recorder;
    };
    if (port !== undefined) return await runProxy(context, port, open, over.promise);

    const { rcsp, recorder } = await connectAndRecord(context, open, () => light.end());
    try {
      await subscribeAll(context, rcsp, wanted);
      await light.begin(rcsp);
      const how = options.onPress !== undefined ? "Press a button to start a take" : "Recording";
      await context.log(`${how}: Ctrl-C ends`);
      const gone = rcsp.closed.then((cause) => {
        if (cause !== undefined && !context.signal.aborted) throw cause;
      });
      await Promise.race([over.promise, gone, recorder.failed]);
    } catch (error) {
      // Ctrl-C ends the client, which is not a failure.
      if (!context.signal.aborted) throw error;
    } finally {
      await light.end();
      await rcsp.drain({ timeout: DRAIN_TIMEOUT });
      await context.log(await recorder.close(rcsp.stats().reconnects + 1));
    }
  },
};

/** What the command line says of the recording. */
async function recorderOptions(
  context: Context,
  onTake: RecorderOptions["onTake"],
): Promise<RecorderOptions> {
  const { line, io } = context;
  const size = line.text("max-size");
  const maxSize = size === undefined ? undefined : parseSize(size);
  if (size !== undefined && maxSize === undefined) {
    throw new UsageError(`Invalid '--max-size' ${quote(size)}: expected a size, such as 500MB`);
  }
  const server = await context.server();
  const addressOf = (port?: number): string =>
    line.on("simulate")
      ? "simulated"
      : formatAddress({ host: server.host, port: port ?? server.port });
  const about = {
    mode: line.number("listen") === undefined ? "client" : "proxy",
    driver: addressOf(),
    ...isMcap(line.positionals[0]!) && {
      dialect: JSON.stringify(server.dialect ?? {}),
      ...Object.fromEntries(
        Array.from(wantedStreams(context), ([name, port]) => [name, addressOf(port)]),
      ),
    },
  };
  const calibration = line.text("calibration");
  return {
    about,
    maxSize,
    onPress: line.text("on-press"),
    split: line.number("split"),
    calibration: calibration === undefined
      ? undefined
      : await readBytes(io, calibration, CALIBRATION_BYTES),
    onTake,
  };
}

async function connectAndRecord(
  context: Context,
  open: (server: ConnectOptions) => Promise<Recorder>,
  beforeDrain: () => Promise<void>,
): Promise<{ rcsp: RcspClient; recorder: Recorder }> {
  const made: { rcsp?: RcspClient; recorder?: Recorder; server?: ConnectOptions } = {};
  let last = 1;
  const rcsp = made.rcsp = await context.connect({
    reconnect: true,
    drain: true,
    beforeDrain,
    pressEvery: PRESS_EVERY,
    motion: wantedStreams(context).size > 0,
    onServer: (server) => void (made.server = server),
    client: {
      onFrame: ({ direction, type, payload }) => {
        const connection = (made.rcsp?.stats().reconnects ?? 0) + 1;
        if (connection > last) made.recorder?.left?.(last);
        last = connection;
        made.recorder?.frame(direction, connection, type, payload);
      },
    },
  });
  // Only now, so that a driver which is not there leaves no file. Nothing was asked for yet.
  const recorder = made.recorder = await open(made.server ?? {});
  return { rcsp, recorder };
}

async function runProxy(
  context: Context,
  port: number,
  open: (server: ConnectOptions) => Promise<Recorder>,
  over: Promise<void>,
): Promise<void> {
  // Only then the file, so that a port that is taken leaves none.
  const opened = Promise.withResolvers<RecordingProxy>();
  const talk = boundedLog(context);
  const listener = await listenWith(context)(
    { host: "127.0.0.1", port },
    (socket) => opened.promise.then(({ clients }) => clients.accept(socket), () => socket.close()),
    (error) => talk(error.message),
  );
  context.defer(() => listener.close());
  const server = await context.server();
  const recorder = await open(server);
  const onFrame = frameLog(context);
  const proxy = new RecordingProxy({ context, server, recorder, talk, onFrame });
  opened.resolve(proxy);
  try {
    const how = context.line.typed("on-press") ? "A press starts a take of" : "Recording";
    await context.log(`${how} what passes ${formatAddress(listener.address)}: Ctrl-C ends`);
    await Promise.race([over, recorder.failed]);
  } finally {
    await Promise.all([listener.close(), proxy.close()]);
    await context.log(await recorder.close(proxy.clients.count));
  }
}
