/**
 * Devices as arguments and in words.
 *
 * @module
 */

import { CommandError, type Device, type DeviceId, type RcspClient } from "@rcsp/rcsp";
import { EXIT, Failure } from "../exit_codes.ts";
import { sameId } from "../text/values.ts";

/** Most devices that a message names. */
const NAMED = 8;
/** Most characters of a device that a message shows. */
const SHOWN = 60;

/** The argument that names a device. */
export const DEVICE_WORD = {
  name: "device",
  about: "its DeviceId as 'rcsp list' shows it",
} as const;

/**
 * The listed device that an argument means: the one whose id is the argument read as JSON, or else
 * the argument as text. So `1` is the number if that is listed, `"1"` in quotes always the text.
 *
 * @throws {Failure} If there is none, or several with that id.
 */
export function pickDevice(devices: readonly Device[], argument: string): Device {
  const ids = [asJson(argument), argument].filter((id) => id !== undefined);
  for (const id of ids) {
    const [device, ...others] = devices.filter(({ DeviceId }) => sameId(DeviceId, id));
    if (device === undefined) continue;
    if (others.length > 0) {
      throw new Failure(
        `The driver lists ${others.length + 1} devices with the id ${cut(JSON.stringify(id))}: ` +
          "a command cannot tell them apart",
        EXIT.refused,
      );
    }
    return addressable(device);
  }
  throw new Failure(
    `Device ${cut(argument)} is not connected${whatThereIs(devices)}`,
    EXIT.refused,
  );
}

/** Lists the devices and picks one. */
export async function findDevice(rcsp: RcspClient, argument: string): Promise<Device> {
  return pickDevice(await rcsp.listDevices(), argument);
}

/** All listed devices; throws if one of them cannot be addressed. */
export async function findAllDevices(rcsp: RcspClient): Promise<Device[]> {
  const listed = await rcsp.listDevices();
  return listed.map(({ DeviceId }) => pickDevice(listed, JSON.stringify(DeviceId)));
}

/**
 * Asks something of each device in turn. A refusal is logged, and the others are still asked.
 *
 * @throws {Failure} If one refused.
 */
export async function askEach(
  devices: readonly Device[],
  log: (text: string) => Promise<void>,
  ask: (device: Device) => Promise<void>,
): Promise<void> {
  if (devices.length === 0) return await log("No devices are connected");
  let refused = 0;
  for (const device of devices) {
    try {
      await ask(device);
    } catch (error) {
      if (!(error instanceof CommandError) || devices.length === 1) throw error;
      refused++;
      await log(`Device ${deviceName(device)}: ${error.message}`);
    }
  }
  if (refused > 0) {
    throw new Failure(`${refused} of ${devices.length} devices refused`, EXIT.refused);
  }
}

/** A device in words: `1 (Smartglove Left)`. Foreign text in it is not escaped yet. */
export function deviceName(device: Device): string {
  const id = cut(JSON.stringify(device.DeviceId));
  const name = Object.hasOwn(device, "Name") ? device["Name"] : undefined;
  return typeof name === "string" && name !== "" ? `${id} (${cut(name)})` : id;
}

function whatThereIs(devices: readonly Device[]): string {
  if (devices.length === 0) return ", and no other is";
  const named = devices.slice(0, NAMED).map(deviceName);
  const more = devices.length - named.length;
  return `. Connected: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function addressable(device: Device): Device {
  const { DeviceId } = device;
  if (typeof DeviceId !== "number" || Math.abs(DeviceId) <= Number.MAX_SAFE_INTEGER) return device;
  throw new Failure(
    `The driver lists the id ${DeviceId}, a number too large to be exact: it may be the id of another device`,
    EXIT.protocol,
  );
}

function asJson(text: string): DeviceId | undefined {
  try {
    return JSON.parse(text) ?? undefined;
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
