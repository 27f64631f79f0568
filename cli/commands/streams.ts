/**
 * `rcsp streams`
 *
 * @module
 */

import { escapeUnprintable } from "@rcsp/rcsp";
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
import type { Output } from "../terminal/output.ts";
import { fit } from "../terminal/text_width.ts";
import { plural } from "../text/values.ts";

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
    let hidden = 0;
    for (const device of devices) {
      const { definition, error } = device;
      if (definition !== undefined) {
        if (out.json) await out.jsonLine(definition.raw);
        else hidden = Math.max(hidden, await showDevice(context, device, definition));
      }
      if (error !== undefined) await log(error.message);
    }
    if (hidden > 0) await log(`${hidden} columns had no room: --json shows all`);
    const unread = devices.filter(({ definition }) => definition === undefined);
    if (unread.length > 0) throw unread[0]!.error;
  },
};

/** The devices, once no more definitions come. */
async function definedDevices(
  { line, pause, signal }: Context,
  { client, address, failed }: MotionSession,
): Promise<MotionDevice[]> {
  let next = new AbortController();
  client.on("definition", () => next.abort());
  client.on("error", () => next.abort());
  try {
    for (let wait = SILENCE;; wait = SETTLE) {
      const known = client.devices().length;
      if (known > 0) wait = SETTLE;
      next = new AbortController();
      await Promise.race([pause(wait, AbortSignal.any([next.signal, signal])), failed]);
      signal.throwIfAborted();
      const devices = client.devices();
      if (devices.length > known) continue;
      if (devices.length > 0) return devices;
      throw new Failure(silence(address, line.on("raw")), EXIT.timeout);
    }
  } finally {
    next.abort();
  }
}

async function showDevice(
  { out }: Context,
  device: MotionDevice,
  { deviceType = "device", timestampEpoch, groups }: DeviceDefinition,
): Promise<number> {
  const side = device.hand?.side;
  const title = [deviceType, device.id, ...(side === undefined ? [] : [side])].join(" ");
  const epoch = timestampEpoch === undefined ? "" : `, times since ${timestampEpoch}`;
  await out.line(fit(escapeUnprintable(`${title}${epoch}`.slice(0, 200)), out.columns));
  let hidden = 0;
  for (const group of groups) hidden = Math.max(hidden, await showGroup(out, group));
  await out.text("");
  return hidden;
}

/** Returns how many columns had no room. */
async function showGroup(
  out: Output,
  { id, name, streams, byteLength }: MotionGroup,
): Promise<number> {
  const title = `group ${id} ${name}: ${plural(streams.length, "stream")}, ${byteLength} bytes`;
  await out.text("");
  await out.line(fit(escapeUnprintable(title.slice(0, 200)), out.columns));
  if (streams.length === 0) return 0;
  const columns = ["target", "type", "measure", "reference"].map((name) => ({ name }));
  return await out.table(
    columns,
    streams.map(({ targetFrame, type, shape, measureType, referenceFrame }) => [
      targetFrame ?? "",
      `${type}${shape.length > 0 ? `[${shape.join(",")}]` : ""}`,
      measureType ?? "",
      referenceFrame ?? "",
    ]),
  );
}
