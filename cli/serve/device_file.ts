/**
 * The file that says which devices a simulator has.
 *
 * @module
 */

import type { DeviceId } from "../../src/message/command.ts";
import { isObject, type JsonObject, type JsonValue, kind } from "../../src/message/json.ts";
import { quote } from "../../src/printable.ts";
import type { SimulatedDevice } from "../../src/simulator/devices.ts";
import { UsageError } from "../exit.ts";
import { readJson } from "../input.ts";
import type { CliIo } from "../io.ts";
import { hint } from "../suggest.ts";

const FILE_BYTES = 16 * 1024 * 1024;

/** The keys of a device, what each must be, and how to tell. */
const KEYS: Readonly<Record<string, [rule: string, holds: (value: JsonValue) => boolean]>> = {
  DeviceId: ["any JSON value but null", (value) => value !== null],
  Name: ["a string", isString],
  Type: ["a string", isString],
  hasButton: ["true or false", (value) => typeof value === "boolean"],
  info: ["an object", isObject],
  leds: ["an array of strings", (value) => Array.isArray(value) && value.every(isString)],
};

/**
 * Reads a JSON array of devices.
 *
 * @throws {UsageError} If it cannot be read or a device is wrong.
 */
export async function readDevices(io: CliIo, path: string): Promise<SimulatedDevice[]> {
  const devices = await readJson(io, path, FILE_BYTES);
  if (!Array.isArray(devices)) {
    throw new UsageError(`${quote(path)} must hold an array of devices, not ${kind(devices)}`);
  }
  return devices.map((device, i) => toDevice(device, `device ${i + 1} of ${quote(path)}`));
}

function toDevice(device: unknown, place: string): SimulatedDevice {
  if (!isObject(device)) throw new UsageError(`Cannot use ${place}: it is ${kind(device)}`);
  for (const [key, value] of Object.entries(device)) {
    const known = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (known === undefined) {
      const keys = Object.keys(KEYS);
      const help = hint(key, keys, `its keys are ${keys.join(", ")}`);
      throw new UsageError(`Cannot use ${place}: there is no key ${quote(key)}${help}`);
    }
    const [rule, holds] = known;
    if (!holds(value)) {
      throw new UsageError(`Cannot use ${place}: '${key}' must be ${rule}, not ${kind(value)}`);
    }
  }
  if (!Object.hasOwn(device, "DeviceId")) {
    throw new UsageError(`Cannot use ${place}: it has no 'DeviceId'`);
  }
  return {
    DeviceId: device["DeviceId"] as DeviceId,
    Name: own(device, "Name", "") as string,
    Type: own(device, "Type", "") as string,
    hasButton: own(device, "hasButton", false) as boolean,
    info: own(device, "info", {}) as JsonObject,
    leds: own(device, "leds", ["RingLed"]) as string[],
  };
}

function own(device: JsonObject, key: string, otherwise: JsonValue): JsonValue {
  return Object.hasOwn(device, key) ? device[key]! : otherwise;
}

function isString(value: JsonValue): boolean {
  return typeof value === "string";
}
