/**
 * `rcsp streams`
 *
 * @module
 */

import type { DeviceDefinition, MotionDevice, MotionGroup } from "@rcsp/rcsp/motion";
import type { Command, Context } from "../command_line/command.ts";
import { EXIT, Failure } from "../exit_codes.ts";
import {
  MOTION_FLAGS,
  type MotionSession,
  openMotion,
  SILENCE,
  silence,
} from "../motion/session.ts";

/** Milliseconds after a definition in which another one may come. */
const SETTLE = 250;

/** Shows what the motion stream defines. */
export const streams: Command = {
  name: "streams",
  summary: "Show which values the devices of the motion stream send",
  details: `A table of each device's groups and streams in a terminal; in a pipe one JSON
object for each device: its definition, as the driver sent it.

A hand without joints_openxr is shown with what to do about it.`,
  flags: [...MOTION_FLAGS],
  prints: true,
  examples: [
    ["rcsp streams", "the solved hands"],
    ["rcsp streams --raw", "the sensors of the driver"],
    ["rcsp streams --simulate", "without hardware"],
    ["rcsp streams | jq -r '.groups[].name'", "the groups alone"],
  ],
  async run(context) {
    const { out, log } = context;
    const session = await openMotion(context);
    const devices = await definedDevices(context, session);
    for (const device of devices) {
      const { definition, error } = device;
      if (definition !== undefined) {
        if (out.json) await out.jsonLine(definition.raw);
        else await showDevice(context, device, definition);
      }
      if (error !== undefined) await log(error.message);
    }
    const unread = devices.filter(({ definition }) => definition === undefined);
    if (unread.length > 0) throw unread[0]!.error;
  },
};

/** The devices, once no more definitions come. */
async function definedDevices(
  { line, pause, signal }: Context,
  { client, address, failed }: MotionSession,
): Promise<MotionDevice[]> {
  let end = new AbortController();
  client.on("definition", () => end.abort());
  client.on("error", () => end.abort());
  let devices: MotionDevice[] = [];
  for (let wait = SILENCE;; wait = SETTLE) {
    end = new AbortController();
    if (client.devices().length === devices.length) {
      await Promise.race([pause(wait, AbortSignal.any([end.signal, signal])), failed]);
      signal.throwIfAborted();
      if (client.devices().length === devices.length) break;
    }
    devices = client.devices();
  }
  if (devices.length > 0) return devices;
  throw new Failure(silence(address, line.on("raw")), EXIT.timeout);
}

async function showDevice(
  { out, log }: Context,
  device: MotionDevice,
  definition: DeviceDefinition,
): Promise<void> {
  const { deviceType = "device", timestampEpoch = "unknown epoch", groups } = definition;
  const side = device.hand?.side;
  const title = [deviceType, device.id, ...(side === undefined ? [] : [side])].join(" ");
  await out.line(`${title}: times since ${timestampEpoch}`);
  const rows = groups.flatMap((group) => streamRows(group));
  const hidden = await out.table([
    { name: "group" },
    { name: "stream", right: true },
    { name: "target" },
    { name: "measure" },
    { name: "type" },
    { name: "reference" },
  ], rows);
  if (hidden > 0) await log(`${hidden} columns had no room: --json shows all`);
  await out.text("");
}

/** A row for each stream; the group is named in its first. */
function streamRows({ id, name, streams }: MotionGroup): string[][] {
  if (streams.length === 0) return [[`${id} ${name}`, "", "no streams"]];
  return streams.map((stream, i) => [
    i === 0 ? `${id} ${name}` : "",
    `${stream.index}`,
    stream.targetFrame ?? "",
    stream.measureType ?? "",
    `${stream.type}${stream.shape.length > 0 ? `[${stream.shape.join(",")}]` : ""}`,
    stream.referenceFrame ?? "",
  ]);
}
