/**
 * A client of our own that asks for what there is, so that the answers are recorded.
 *
 * @module
 */

import type { Device, EventFilter, RcspClient } from "@rcsp/rcsp";
import { resolveDialect } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { deviceName, pickDevice } from "./device_argument.ts";

/**
 * Lists the devices, asks for what is known of each, and subscribes; to the presses that `--on-press`
 * needs in any case, also of devices that come later. A refusal is part of the recording and logged; it
 * rejects only if no subscription was accepted.
 */
export async function subscribeAll(
  context: Context,
  rcsp: RcspClient,
  wanted: readonly Pick<EventFilter, "publisher" | "topic">[],
): Promise<void> {
  const { line, log } = context;
  const { button } = resolveDialect((await context.server()).dialect);
  const takes = line.typed("on-press");
  const topics = wanted.length === 0 || takes ? [...wanted, button] : wanted;
  const listed = await rcsp.listDevices();
  const ids = [...line.texts("device")];
  const isAny = ids.length === 0;
  if (takes) ids.push(...line.texts("on-press").filter(Boolean));
  const devices = isAny ? listed : [...new Set(ids.map((id) => pickDevice(listed, id)))];
  await Promise.all(devices.map((device) => ask(context, rcsp, device)));
  const owners: [Device | undefined, string][] = line.on("driver")
    ? [[undefined, "the driver"]]
    : devices.map((device) => [device, `device ${deviceName(device)}`]);
  if (owners.length === 0) {
    await log(`No devices are connected${takes ? " yet" : ": nothing to subscribe to"}`);
  }
  const first = new AbortController();
  const results = await Promise.allSettled(
    owners.flatMap(([device, who]) =>
      topics.map(async ({ publisher, topic }) => {
        const deviceId = device?.DeviceId;
        // What arrives is recorded frame by frame; this only keeps the subscription.
        const subscription = rcsp.subscribe({ publisher, topic, deviceId }, {
          buffer: 1,
          overflow: "keep-latest",
          signal: topic === button.topic ? first.signal : undefined,
        });
        await subscription.ready.catch(async (error: Error) => {
          await log(`Cannot subscribe to ${publisher}/${topic} on ${who}: ${error.message}`);
          throw error;
        });
      })
    ),
  );
  const refused = results.filter(({ status }) => status === "rejected");
  if (refused.length > 0 && refused.length === results.length) {
    throw (refused[0] as PromiseRejectedResult).reason;
  }
  if (!takes || !isAny) return;
  await rcsp.presses({ buffer: 1, overflow: "keep-latest" }).ready;
  // From now on these leave a device that has gone, and subscribe again when it is back.
  first.abort();
}

async function ask({ log }: Context, rcsp: RcspClient, device: Device): Promise<void> {
  await rcsp.getDeviceInfo(device.DeviceId).catch((error) =>
    log(`Cannot get the info of device ${deviceName(device)}: ${error.message}`)
  );
}
