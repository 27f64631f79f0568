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
 * Lists the devices, asks for what is known of each, and subscribes. A refusal is part of the
 * recording and logged; it rejects only if no subscription was accepted.
 */
export async function subscribeAll(
  context: Context,
  rcsp: RcspClient,
  wanted: readonly Pick<EventFilter, "publisher" | "topic">[],
): Promise<void> {
  const { line, log } = context;
  const { button } = resolveDialect((await context.server()).dialect);
  const topics = wanted.length === 0 ? [button] : wanted;
  const listed = await rcsp.listDevices();
  const ids = line.texts("device");
  const devices = ids.length === 0 ? listed : ids.map((id) => pickDevice(listed, id));
  await Promise.all(devices.map((device) => ask(context, rcsp, device)));
  const owners: [Device | undefined, string][] = line.on("driver")
    ? [[undefined, "the driver"]]
    : devices.map((device) => [device, `device ${deviceName(device)}`]);
  if (owners.length === 0) return await log("No devices are connected: nothing to subscribe to");
  const results = await Promise.allSettled(
    owners.flatMap(([device, who]) =>
      topics.map(async ({ publisher, topic }) => {
        const deviceId = device?.DeviceId;
        // What arrives is recorded frame by frame; this only keeps the subscription.
        const subscription = rcsp.subscribe({ publisher, topic, deviceId }, {
          buffer: 1,
          overflow: "keep-latest",
        });
        await subscription.ready.catch(async (error: Error) => {
          await log(`Cannot subscribe to ${publisher}/${topic} on ${who}: ${error.message}`);
          throw error;
        });
      })
    ),
  );
  const refused = results.filter(({ status }) => status === "rejected");
  if (refused.length === results.length) throw (refused[0] as PromiseRejectedResult).reason;
}

async function ask({ log }: Context, rcsp: RcspClient, device: Device): Promise<void> {
  await rcsp.getDeviceInfo(device.DeviceId).catch((error) =>
    log(`Cannot get the info of device ${deviceName(device)}: ${error.message}`)
  );
}
