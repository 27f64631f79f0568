/**
 * From a command line to a client of the motion stream.
 *
 * @module
 */

import {
  ConnectionError,
  type ConnectOptions,
  LimitError,
  ProtocolError,
  type RcspError,
} from "@rcsp/rcsp";
import { connectMotion, MOTION_PORTS, type MotionClient } from "@rcsp/rcsp/motion";
import { DEFAULT_ADDRESS, formatAddress } from "@rcsp/rcsp/server";
import {
  booleanFlag,
  CONNECTION_FLAGS,
  integerFlag,
  SIMULATE_FLAG,
} from "../command_line/flags.ts";
import type { Context } from "../command_line/command.ts";
import type { Flag } from "../command_line/parse.ts";
import { simulate, untilThere } from "../driver/session.ts";
import { EXIT, Failure } from "../exit_codes.ts";

/** Milliseconds without a definition after which a stream counts as silent. */
export const SILENCE = 2_000;

/** The ports of the motion stream. */
export const MOTION_PORT_FLAGS: readonly Flag[] = [
  integerFlag("--motion-port NUMBER", "the port of the solved hands", {
    default: `${MOTION_PORTS.hands}`,
    range: [1, 65_535],
    env: "RCSP_MOTION_PORT",
  }),
  integerFlag("--raw-port NUMBER", "the port of the raw stream", {
    default: `${MOTION_PORTS.raw}`,
    range: [1, 65_535],
    env: "RCSP_RAW_PORT",
  }),
];

/** Which motion stream, and how long to wait for it. */
export const MOTION_FLAGS: readonly Flag[] = [
  booleanFlag("--raw", "the driver's raw stream instead of the solved hands"),
  ...["host", "timeout", "wait"].map((name) =>
    CONNECTION_FLAGS.find((flag) => flag.name === name)!
  ),
  ...MOTION_PORT_FLAGS,
  { ...SIMULATE_FLAG, excludes: ["host", "motion-port", "raw-port"] },
];

/** A client of the motion stream, and where it is connected to. */
export interface MotionSession {
  readonly client: MotionClient;
  /** `localhost:12277` */
  readonly address: string;
  /** Rejects once it is clear that the other side sends something else. */
  readonly failed: Promise<never>;
}

/** Connects by the flags of {@link MOTION_FLAGS}; the client is closed after the command. */
export async function openMotion(context: Context): Promise<MotionSession> {
  const { line, io, signal } = context;
  const flags = { host: line.text("host"), connectTimeout: line.number("timeout") };
  const server: ConnectOptions = line.on("simulate")
    ? await simulate(context, { connector: io.connector }, { motion: true })
    : { ...flags, connector: io.connector };
  const { host = DEFAULT_ADDRESS.host, connector, connectTimeout } = server;
  const port = line.on("raw")
    ? line.number("raw-port") ?? MOTION_PORTS.raw
    : line.number("motion-port") ?? MOTION_PORTS.hands;
  // Ctrl-C ends the attempt; a client that is connected is closed after its last values were shown.
  const leaving = new AbortController();
  const leave = (): void => leaving.abort(signal.reason);
  signal.throwIfAborted();
  signal.addEventListener("abort", leave);
  const client = await untilThere(
    context,
    () => connectMotion({ host, port, connector, connectTimeout, signal: leaving.signal }),
  ).catch((error) => {
    signal.throwIfAborted();
    throw withRemedy(error, line.on("raw"));
  }).finally(() => signal.removeEventListener("abort", leave));
  context.defer(() => client.close());
  return { client, address: formatAddress({ host, port }), failed: foreign(client) };
}

/** Why nothing is there yet, for people. */
export function silence(address: string, raw: boolean): string {
  const reason = raw
    ? "no glove is connected, or it is not a motion stream"
    : "no hand is connected, the hand solver does not run, or it is not a motion stream";
  const port = address.endsWith(`:${DEFAULT_ADDRESS.port}`)
    ? ` (${DEFAULT_ADDRESS.port} is the port of RCSP)`
    : "";
  return `${address} accepts the connection but sends nothing: ${reason}${port}`;
}

function withRemedy(error: unknown, raw: boolean): unknown {
  if (!(error instanceof ConnectionError) || error.code !== "connection-refused") return error;
  const question = raw ? "Is the Rokoko SDK running?" : "Is the hand solver running?";
  const flag = raw ? "--raw-port" : "--motion-port";
  const message = `${error.message}. ${question} ` +
    `Set --host and ${flag}, or use --simulate or 'rcsp serve --motion'`;
  return new Failure(message, EXIT.connection, { cause: error });
}

/** A stream that breaks the protocol before anything was defined will not get better. */
function foreign(client: MotionClient): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  const look = (): void => {
    const { status } = client;
    const cause = status.state === "reconnecting" ? status.cause : undefined;
    if (isForeign(cause) && client.stats().definitions === 0) reject(cause);
  };
  client.on("status", look);
  look();
  return promise;
}

function isForeign(error: RcspError | undefined): boolean {
  return error instanceof ProtocolError || error instanceof LimitError;
}
