/**
 * Whether there is a motion stream beside the driver, and what it carries.
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
import {
  connectMotion,
  MOTION_PORTS,
  type MotionClient,
  type MotionDevice,
} from "@rcsp/rcsp/motion";
import { DEFAULT_ADDRESS, formatAddress } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import type { Report } from "../terminal/finding_report.ts";
import { plural } from "../text/values.ts";

/** Milliseconds until the first definition, then until the next. */
const PATIENCE = 1_000;
const SETTLE = 200;

const STREAMS = [["hands", MOTION_PORTS.hands], ["raw stream", MOTION_PORTS.raw]] as const;

/** Looks at both ports of the motion stream. That nothing listens there is no fault. */
export async function checkMotion(
  context: Context,
  report: Report,
  server: ConnectOptions,
): Promise<void> {
  const found = await Promise.all(
    STREAMS.filter(([, port]) => port !== server.port)
      .map(async ([name, port]) => [name, await lookAt(context, server, port)] as const),
  );
  context.signal.throwIfAborted();
  for (const [name, findings] of found) {
    for (const [mark, finding] of findings) await report.add(mark, name, finding);
  }
}

type Finding = readonly ["ok" | "info" | "warn", string];

async function lookAt(
  context: Context,
  { host = DEFAULT_ADDRESS.host, connector, connectTimeout }: ConnectOptions,
  port: number,
): Promise<Finding[]> {
  const { signal } = context;
  const address = formatAddress({ host, port });
  let client: MotionClient;
  try {
    client = await connectMotion({
      host,
      port,
      connector,
      connectTimeout,
      signal,
      reconnect: false,
    });
  } catch (error) {
    signal.throwIfAborted();
    const refused = error instanceof ConnectionError && error.code === "connection-refused";
    return [["info", refused ? `nothing listens on ${address}` : (error as Error).message]];
  }
  try {
    const end = await definitions(context, client);
    const devices = client.devices();
    if (end instanceof ProtocolError || end instanceof LimitError) {
      return [["warn", `${address} is not a motion stream: ${end.message}`]];
    }
    if (end !== undefined) return [["warn", end.message]];
    if (devices.length === 0) {
      return [[
        "info",
        `${address} sends nothing: no device is connected, or it is not a motion stream`,
      ]];
    }
    const names = devices.map(nameOf).join(", ");
    return [
      ["ok", `${address} has ${plural(devices.length, "device")}: ${names}`],
      ...devices.flatMap(({ error }) =>
        error === undefined ? [] : [["warn", error.message] as const]
      ),
    ];
  } finally {
    await client.close();
  }
}

/** Resolves when no more definitions come; with the cause if the connection ended before. */
async function definitions(
  { pause, signal }: Context,
  client: MotionClient,
): Promise<RcspError | undefined> {
  let next = new AbortController();
  let end: RcspError | undefined;
  client.on("definition", () => next.abort());
  client.on("status", (status) => {
    if (status.state === "closed") end = status.cause;
    next.abort();
  });
  for (let known = -1; client.status.state === "ready" && known < client.devices().length;) {
    known = client.devices().length;
    next = new AbortController();
    await pause(known === 0 ? PATIENCE : SETTLE, AbortSignal.any([signal, next.signal]));
  }
  const { status } = client;
  return end ?? (status.state === "closed" ? status.cause : undefined);
}

function nameOf({ id, definition, hand }: MotionDevice): string {
  return [hand?.side, definition?.deviceType ?? "device", id].filter((part) => part !== undefined)
    .join(" ");
}
