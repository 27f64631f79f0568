/**
 * `rcsp replay`
 *
 * @module
 */

import { MOTION_PORTS } from "@rcsp/rcsp/motion";
import { DEFAULT_ADDRESS, formatAddress, resolveDialect } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import { formatDuration } from "../command_line/duration.ts";
import {
  booleanFlag,
  DIALECT_FLAG,
  durationFlag,
  integerFlag,
  textFlag,
} from "../command_line/flags.ts";
import { readDialect } from "../driver/session.ts";
import { UsageError } from "../exit_codes.ts";
import { ClientSet } from "../recording/client_set.ts";
import type { Recording } from "../recording/contents.ts";
import { clip, loadRecording, type Replayable } from "../recording/load_recording.ts";
import type { MotionStreamName } from "../recording/mcap_schemas.ts";
import { playMotion } from "../recording/motion_player.ts";
import { openMcap } from "../recording/open_recording.ts";
import { ReplaySession } from "../recording/replay_client.ts";
import {
  boundedLog,
  listenAddress,
  listenFlags,
  listenWith,
  untilLeave,
} from "../simulate/accept_clients.ts";
import { plural, quote } from "../text/values.ts";

const MOST_CLIENTS = 1024;
const MOST_MOTION_CLIENTS = 64;

/** Plays a recording back. */
export const replay: Command = {
  name: "replay",
  summary: "Play a recording of 'rcsp record' back, as a server",
  details: `A command is answered at once, as the same command with the same arguments was
when it was recorded; asked again, it gets the next answer, the last one over
and over. What was never asked is answered with the error NotRecorded.

Events come as they were recorded, counted from the client's first subscription.
A client gets the events of one recorded connection: the first client of the
first that had any, the second of the second, and so on in turn.

The motion of an MCAP file is served on ports of its own, byte for byte, with the
times between frames; each client gets all of it from the start on.`,
  positionals: [{ name: "file", about: "what 'rcsp record' wrote; - is standard input" }],
  flags: [
    ...listenFlags(DEFAULT_ADDRESS.port),
    textFlag("--speed N", "how many times as fast: 0.5, 2, or max", { default: "1" }),
    booleanFlag("--loop", "begin again after the end"),
    durationFlag("--from TIME", "begin so long after the start: 10s, 5m", { range: [0, Infinity] }),
    durationFlag("--to TIME", "end so long after the start", { range: [0, Infinity] }),
    integerFlag("--motion-port NUMBER", "where to serve the hands of an MCAP file", {
      default: "12277",
      range: [0, 65_535],
    }),
    integerFlag("--raw-port NUMBER", "where to serve its raw stream", {
      default: "12276",
      range: [0, 65_535],
    }),
    DIALECT_FLAG,
  ],
  endsWithCtrlC: true,
  examples: [
    ["rcsp replay glove.ndjson", "at the driver's port, as it was"],
    ["rcsp replay glove.ndjson --port 0 --speed max", "any free port, events at once"],
    ["rcsp replay glove.ndjson --speed 2 --loop", "twice as fast, over and over"],
    ["rcsp replay take.mcap --from 10s --to 20s", "ten seconds of it, motion too"],
  ],
  async run(context) {
    const { line, io, out, clock, signal, log: tell } = context;
    const [path = ""] = line.positionals;
    const speed = parseSpeed(line.text("speed") ?? "1");
    const names = resolveDialect(await readDialect(line.text("dialect"), io));
    const found = await loadRecording(context, path, names);
    for (const warning of found.recording.warnings) await tell(warning);
    const { from, to } = range(context, found.recording.end);
    const recording = clip(found.recording, from, to);
    const talk = boundedLog(context);
    const loop = line.on("loop");
    const options = { recording, dialect: names, clock, speed, loop, talk };
    const { connections } = recording;
    const players = new ClientSet(MOST_CLIENTS, (socket, number) => {
      const connection = connections[(number - 1) % Math.max(connections.length, 1)];
      return new ReplaySession(socket, connection, options).run();
    });
    const address = listenAddress(context, DEFAULT_ADDRESS.port);
    const listener = await listenWith(context, talk)(
      address,
      (socket) => players.accept(socket),
      (error) => talk(error.message),
    );
    const closing: (() => Promise<void>)[] = [
      () => listener.close(),
      () => players.close(),
    ];
    const close = async () => void await Promise.all(closing.map((end) => end()));
    context.defer(close);
    await out.line(`RCSP replay listening on ${formatAddress(listener.address)}`);
    const all = [players];
    for (const stream of found.streams) {
      const open = () => openMcap(io, path);
      const play = { clock, open, stream, start: found.start, from, to, speed, loop, talk };
      const player = new ClientSet(MOST_MOTION_CLIENTS, (socket) => playMotion(play, socket));
      all.push(player);
      const port = PORTS[stream];
      const there = await listenWith(context, talk)(
        { ...address, port: line.number(port.flag) ?? port.number },
        (socket) => player.accept(socket),
        (error) => talk(error.message),
      );
      closing.push(() => there.close(), () => player.close());
      await out.line(`Motion (${stream}) listening on ${formatAddress(there.address)}`);
    }
    await tell(describe({ ...found, recording }));
    await untilLeave(signal);
    await close();
    const clients = all.reduce((sum, { count }) => sum + count, 0);
    await tell(`${plural(clients, "client")} served`);
  },
};

const PORTS: Readonly<Record<MotionStreamName, { flag: string; number: number }>> = {
  hands: { flag: "motion-port", number: MOTION_PORTS.hands },
  raw: { flag: "raw-port", number: MOTION_PORTS.raw },
};

function range({ line }: Context, end: number): { from: number; to: number } {
  const from = line.number("from") ?? 0;
  const to = Math.min(line.number("to") ?? end, end);
  if (from > 0 && from >= to) {
    throw new UsageError(`Nothing to replay: the recording ends after ${formatDuration(end)}`);
  }
  return { from, to };
}

function describe({ recording, streams }: Replayable): string {
  const { answers, connections }: Recording = recording;
  const events = connections.reduce((sum, { events }) => sum + events.length, 0);
  const motion = streams.size === 0 ? "" : `, motion (${[...streams].join(", ")})`;
  const rcsp = `Answers to ${plural(answers.size, "command")}, ${plural(events, "event")}`;
  return `${rcsp}${motion}: Ctrl-C ends`;
}

function parseSpeed(text: string): number {
  if (text === "max") return Infinity;
  const speed = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (speed >= 0.001 && speed <= 1_000_000) return speed;
  throw new UsageError(
    `'--speed' must be a number from 0.001 to 1000000, or max, not ${quote(text)}`,
  );
}
