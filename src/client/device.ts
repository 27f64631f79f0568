/**
 * What is known about devices and their commands. Free of any runtime.
 *
 * @module
 */

import { assertInteger } from "../check.ts";
import type { DeviceId } from "../message/command.ts";
import { fieldTypeError } from "../message/command.ts";
import type { PressType, RcspEvent } from "../message/event.ts";
import { isObject, type JsonObject, type JsonValue } from "../message/json.ts";

/** A device as `ListDevices` gives it. Only `DeviceId` is confirmed. */
export interface Device {
  /** What commands to this device are addressed with. */
  readonly DeviceId: DeviceId;
  /** Whatever else the driver says. */
  readonly [key: string]: JsonValue;
}

/** A colour for a device's LED. */
export interface ColorLed {
  /** The LED's name; `RingLed` is Rokoko's example. */
  readonly LedId: string;
  /** 0 to 255. */
  readonly Red: number;
  /** 0 to 255. */
  readonly Green: number;
  /** 0 to 255. */
  readonly Blue: number;
}

/** A button that was pressed. */
export interface ButtonPress {
  /** How. */
  readonly type: PressType;
  /** The device that the event names, or else the one that was subscribed to. */
  readonly deviceId: DeviceId;
  /** The event that told. */
  readonly event: RcspEvent;
}

/**
 * The devices in the answer to `ListDevices`.
 *
 * @throws {ProtocolError} If they are no array of objects with a `DeviceId`.
 */
export function readDevices(response: JsonObject): Device[] {
  const devices = response["Devices"] ?? [];
  if (!Array.isArray(devices)) throw fieldTypeError("Response.Devices", "an array", devices);
  devices.forEach((device, i) => {
    const place = `Response.Devices[${i}]`;
    if (!isObject(device)) throw fieldTypeError(place, "an object", device);
    const deviceId = device["DeviceId"] ?? undefined;
    if (deviceId === undefined) {
      throw fieldTypeError(`${place}.DeviceId`, "a device id", device["DeviceId"]);
    }
  });
  return devices as unknown as Device[];
}

/**
 * Returns the id, copied where it is an object, if a command can be addressed with it.
 *
 * @throws {TypeError} If it is missing, or JSON cannot express it.
 * @throws {RangeError} If it is a number that may have lost digits on its way here, so that it could
 * be another device's.
 */
export function checkDeviceId(deviceId: DeviceId): DeviceId {
  if ((deviceId ?? undefined) === undefined) {
    throw new TypeError(
      "Cannot address device as 'DeviceId' is missing: take it from listDevices()",
    );
  }
  if (typeof deviceId === "number" && !(Math.abs(deviceId) <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(
      `Cannot address device as its number ${deviceId} is too large to be exact`,
    );
  }
  // A copy, as the caller may change theirs while a subscription lasts.
  return ["string", "number", "boolean"].includes(typeof deviceId) ? deviceId : copyJson(deviceId);
}

function copyJson(deviceId: DeviceId): DeviceId {
  let cause: unknown;
  try {
    const json: unknown = JSON.stringify(deviceId);
    if (typeof json === "string") return JSON.parse(json);
  } catch (error) {
    cause = error;
  }
  const message = "Cannot address device as its 'DeviceId' cannot be expressed in JSON";
  throw new TypeError(message, { cause });
}

/**
 * Gives the parts of a colour if they can be sent.
 *
 * @throws {TypeError} If the LED has no name.
 * @throws {RangeError} If a part is no whole number from 0 to 255.
 */
export function checkColorLed({ LedId, Red, Green, Blue }: ColorLed): ColorLed {
  if (typeof LedId !== "string" || LedId === "") {
    throw new TypeError("Cannot set LED as 'LedId' must be a name, such as 'RingLed'");
  }
  for (const [channel, value] of Object.entries({ Red, Green, Blue })) {
    assertInteger(channel, value, 0, 255, "Cannot set LED as ");
  }
  return { LedId, Red, Green, Blue };
}
