/**
 * Simulated devices. Rokoko's public documentation confirms `DeviceId` and the LED name `RingLed`; every
 * other field is invented.
 *
 * @module
 */

import type { DeviceId } from "../message/command.ts";
import { describeValue, isObject, type JsonObject, type JsonValue } from "../message/json.ts";
import { quote } from "../escape.ts";
import type { Side } from "../motion/joints.ts";
import { randomInteger } from "./random.ts";

/** A device of the simulator, for `ListDevices` and `GetDeviceInfo`. */
export interface SimulatedDevice {
  /** Any JSON value except null; unique among the devices. */
  readonly DeviceId: DeviceId;
  /** Invented: display name. Default: empty. */
  readonly Name?: string | undefined;
  /** Invented: kind of device. Default: empty. */
  readonly Type?: string | undefined;
  /** Whether `pressEvery` presses its button. Default: `false`. */
  readonly hasButton?: boolean | undefined;
  /** Further fields of `GetDeviceInfo`, such as `Side`. Default: none. */
  readonly info?: JsonObject | undefined;
  /** The names of its LEDs. Default: `RingLed`. */
  readonly leds?: readonly string[] | undefined;
}

/** A validated device with all defaults. */
export type CheckedDevice = {
  readonly [Key in keyof SimulatedDevice]-?: Exclude<SimulatedDevice[Key], undefined>;
};

/** The keys of a device, each with its rule and check. */
const KEYS: Readonly<
  Record<keyof SimulatedDevice, [rule: string, isValid: (value: JsonValue | undefined) => boolean]>
> = {
  DeviceId: ["any JSON value except null", (value) => (value ?? undefined) !== undefined],
  Name: ["a string", isString],
  Type: ["a string", isString],
  hasButton: ["true or false", (value) => typeof value === "boolean"],
  info: ["an object of JSON values", isObject],
  leds: ["an array of strings", (value) => Array.isArray(value) && value.every(isString)],
};

/**
 * Returns a copy of a device with all defaults. `problem` begins the error message.
 *
 * @throws {TypeError} If a key is invalid, unknown, or missing.
 */
export function checkDevice(device: unknown, problem: string): CheckedDevice {
  if (!isObject(device)) throw new TypeError(`${problem}: it is ${describeValue(device)}`);
  const copy = { Name: "", Type: "", hasButton: false, info: {}, leds: ["RingLed"] };
  for (const [key, value] of Object.entries(device)) {
    if (!Object.hasOwn(KEYS, key)) {
      const keys = Object.keys(KEYS).join(", ");
      throw new TypeError(`${problem}: unknown key ${quote(key)}: its keys are ${keys}`);
    }
    if (value === undefined) continue;
    const [rule, isValid] = KEYS[key as keyof SimulatedDevice];
    const json = toJson(value);
    if (!isValid(json)) {
      throw new TypeError(`${problem}: '${key}' must be ${rule}, not ${describeValue(value)}`);
    }
    Object.assign(copy, { [key]: json });
  }
  if ("DeviceId" in copy) return copy as CheckedDevice;
  throw new TypeError(`${problem}: it has no 'DeviceId'`);
}

/** Returns a copy of a JSON value, or `undefined` if it is not one. */
export function toJson(value: unknown): JsonValue | undefined {
  try {
    return JSON.parse(JSON.stringify(value));
  } catch {
    return undefined;
  }
}

/** Which hand a device is for: its `info.Side`, in any letter case. */
export function sideOf({ info }: CheckedDevice): Side | undefined {
  const side = String(info["Side"]).toLowerCase();
  return side === "left" || side === "right" ? side : undefined;
}

function isString(value: JsonValue | undefined): boolean {
  return typeof value === "string";
}

/** Two Smartgloves, a Smartsuit Pro and a Coil Pro. */
export function defaultDevices(random: () => number): SimulatedDevice[] {
  const glove = (DeviceId: number, side: string): SimulatedDevice => ({
    DeviceId,
    Name: `Smartglove ${side}`,
    Type: "Smartglove",
    hasButton: true,
    info: { Side: side, ...hardware(random, "SG", "Usb") },
  });
  return [
    glove(1, "Left"),
    glove(2, "Right"),
    {
      DeviceId: 3,
      Name: "Smartsuit Pro",
      Type: "SmartsuitPro",
      info: hardware(random, "SP", "WiFi"),
    },
    { DeviceId: 4, Name: "Coil Pro", Type: "CoilPro", info: hardware(random, "CP", "Usb") },
  ];
}

function hardware(random: () => number, prefix: string, link: string): JsonObject {
  const digits = randomInteger(random, 0, 999_999).toString().padStart(6, "0");
  return {
    SerialNumber: `${prefix}-${digits}`,
    FirmwareVersion: `1.${randomInteger(random, 0, 9)}.${randomInteger(random, 0, 20)}`,
    BatteryLevel: randomInteger(random, 35, 100),
    Link: link,
  };
}
