/**
 * The motion streams that are recorded beside RCSP.
 *
 * @module
 */

import type { ConnectOptions } from "@rcsp/rcsp";
import { connectMotion, MOTION_PORTS, type MotionClient } from "@rcsp/rcsp/motion";
import { DEFAULT_ADDRESS, formatAddress } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { boundedLog } from "../simulate/accept_clients.ts";
import type { MotionStreamName } from "./mcap_schemas.ts";
import type { MotionRecorder, Recorder } from "./recorder.ts";

/** Which motion streams the command line asks for, and their ports. */
export function wantedStreams({ line }: Context): Map<MotionStreamName, number> {
  const streams = new Map<MotionStreamName, number>();
  if (line.on("motion")) streams.set("hands", line.number("motion-port") ?? MOTION_PORTS.hands);
  if (line.on("raw")) streams.set("raw", line.number("raw-port") ?? MOTION_PORTS.raw);
  return streams;
}

/** Whether a recorder writes motion too. */
export function isMotionRecorder(recorder: Recorder): recorder is MotionRecorder {
  return "motion" in recorder;
}

/**
 * Records the motion streams until the command ends. A stream that is not there is waited for, and
 * said so once: the solver may be started later.
 */
export function recordMotion(
  context: Context,
  { host = DEFAULT_ADDRESS.host, connector, connectTimeout }: ConnectOptions,
  recorder: MotionRecorder,
): void {
  const log = boundedLog(context);
  for (const [stream, port] of wantedStreams(context)) {
    const leaving = new AbortController();
    let isReported = false;
    const client = connectMotion({
      host,
      port,
      connector,
      connectTimeout,
      signal: leaving.signal,
      onFrame: (prefix, payload) => recorder.motion(stream, prefix, payload),
      reconnect: {
        firstConnect: true,
        decide: (_attempt, cause) => {
          if (!isReported) {
            log(`No motion yet from ${formatAddress({ host, port })}: ${cause.message}`);
          }
          return isReported = true;
        },
      },
    });
    client.then((client) => {
      isReported = true;
      watch(client, ({ message }) => {
        log(`Motion lost: ${message}`);
        recorder.motionLost(stream, message);
      });
    }, () => {});
    context.defer(async () => {
      leaving.abort();
      await client.then((client) => client.close(), () => {});
    });
  }
}

function watch(client: MotionClient, onLost: (cause: Error) => void): void {
  let isReady = true;
  client.on("status", (status) => {
    // Not at each attempt to connect again.
    if (isReady && status.state === "reconnecting") onLost(status.cause);
    isReady = status.state === "ready";
  });
}
