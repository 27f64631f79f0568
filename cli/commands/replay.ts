/**
 * `rcsp replay`
 *
 * @module
 */

import type { Socket } from "@rcsp/rcsp";
import { DEFAULT_ADDRESS, formatAddress, resolveDialect } from "@rcsp/rcsp/server";
import type { Command } from "../command_line/command.ts";
import { DIALECT_FLAG } from "../command_line/flags.ts";
import { readDialect } from "../driver/session.ts";
import { UsageError } from "../exit_codes.ts";
import { fileName, readBytes } from "../process/files.ts";
import type { Recording } from "../recording/contents.ts";
import { readRecording } from "../recording/read_recording.ts";
import { type ReplayOptions, ReplaySession } from "../recording/replay_client.ts";
import {
  boundedLog,
  listenAddress,
  listenFlags,
  listenWith,
  untilLeave,
} from "../simulate/accept_clients.ts";
import { plural, quote } from "../text/values.ts";

const RECORDING_BYTES = 128 * 1024 * 1024;
const MOST_CLIENTS = 1024;

/** Plays a recording back. */
export const replay: Command = {
  name: "replay",
  summary: "Play a recording of 'rcsp record' back, as a server",
  details: `A command is answered at once, as the same command with the same arguments was
when it was recorded; asked again, it gets the next answer, the last one over
and over. What was never asked is answered with the error NotRecorded.

Events come as they were recorded, counted from the client's first subscription.
A client gets the events of one recorded connection: the first client of the
first that had any, the second of the second, and so on in turn.`,
  positionals: [{ name: "file", about: "what 'rcsp record' wrote; - is standard input" }],
  flags: [
    ...listenFlags(DEFAULT_ADDRESS.port),
    {
      name: "speed",
      kind: "text",
      value: "N",
      about: "how many times as quick events come: 0.5, 2, or max",
      default: "1",
    },
    { name: "loop", kind: "boolean", about: "begin the events again after the last one" },
    DIALECT_FLAG,
  ],
  endsWithCtrlC: true,
  examples: [
    ["rcsp replay glove.ndjson", "at the driver's port, as it was"],
    ["rcsp replay glove.ndjson --port 0 --speed max", "any free port, events at once"],
    ["rcsp replay glove.ndjson --speed 2 --loop", "twice as quick, over and over"],
  ],
  async run(context) {
    const { line, io, out, clock, signal, log: tell } = context;
    const [path = ""] = line.positionals;
    const speed = parseSpeed(line.text("speed") ?? "1");
    const names = resolveDialect(await readDialect(line.text("dialect"), io));
    const bytes = await readBytes(io, path, RECORDING_BYTES);
    const recording = readRecording(bytes, fileName(path), names);
    for (const warning of recording.warnings) await tell(warning);
    const talk = boundedLog(context);
    const loop = line.on("loop");
    const options = { recording, dialect: names, clock, speed, loop, talk };
    const players = new Players(options);
    const listener = await listenWith(context, talk)(
      listenAddress(context, DEFAULT_ADDRESS.port),
      (socket) => players.accept(socket),
      (error) => talk(error.message),
    );
    const close = async () => void await Promise.all([listener.close(), players.close()]);
    context.defer(close);
    await out.line(`RCSP replay listening on ${formatAddress(listener.address)}`);
    await tell(describe(recording));
    await untilLeave(signal);
    await close();
    await tell(`${plural(players.clients, "client")} served`);
  },
};

/** A player for each client. */
class Players {
  readonly #options: ReplayOptions;
  readonly #sessions = new Map<ReplaySession, Socket>();
  /** How many have come. */
  clients = 0;

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  accept(socket: Socket): void {
    const { connections } = this.#options.recording;
    if (this.#sessions.size >= MOST_CLIENTS) return socket.close();
    const connection = connections[this.clients++ % Math.max(connections.length, 1)];
    const session = new ReplaySession(socket, connection, this.#options);
    this.#sessions.set(session, socket);
    session.done.then(() => this.#sessions.delete(session));
  }

  async close(): Promise<void> {
    for (const socket of this.#sessions.values()) socket.close();
    await Promise.all(Array.from(this.#sessions.keys(), ({ done }) => done));
  }
}

function describe({ answers, connections }: Recording): string {
  const events = connections.reduce((sum, { events }) => sum + events.length, 0);
  return `Answers to ${plural(answers.size, "command")}, ${plural(events, "event")}: Ctrl-C ends`;
}

function parseSpeed(text: string): number {
  if (text === "max") return Infinity;
  const speed = /^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : NaN;
  if (speed >= 0.001 && speed <= 1_000_000) return speed;
  throw new UsageError(
    `'--speed' must be a number from 0.001 to 1000000, or max, not ${quote(text)}`,
  );
}
