/**
 * Devices and their commands.
 *
 * @module
 */

import { assertInteger } from "../limits.ts";
import type { DeviceId } from "../message/command.ts";
import { parseColor } from "./color.ts";
import { fieldTypeError } from "../message/command.ts";
import { findPressType, type PressType, type RcspEvent } from "../message/event.ts";
import { isObject, type JsonObject, type JsonValue } from "../message/json.ts";

/** A device as `ListDevices` returns it. Only `DeviceId` is confirmed. */
export interface Device {
  /** Addresses commands to this device. */
  readonly DeviceId: DeviceId;
  /** Whatever else the driver lists. */
  readonly [key: string]: JsonValue;
}

/** A color for a device's LED. */
export interface ColorLed {
  /** The LED's name. Default: `RingLed`, Rokoko's example. */
  readonly LedId?: string | undefined;
  /** 0 to 255. */
  readonly Red: number;
  /** 0 to 255. */
  readonly Green: number;
  /** 0 to 255. */
  readonly Blue: number;
}

/** A button press. */
export interface ButtonPress {
  /** How the button was pressed. */
  readonly type: PressType;
  /** The device that the event names, or else the one that was subscribed to. */
  readonly deviceId: DeviceId;
  /** When it was received: milliseconds since 1970, on the same clock as samples of motion. */
  readonly receivedAt: number;
  /** The event. */
  readonly event: RcspEvent;
}

/** The press in an event, if it has one. */
export function toPress(event: RcspEvent, deviceId: DeviceId): ButtonPress | undefined {
  const type = findPressType(event.raw);
  const { receivedAt } = event;
  return type && { type, deviceId: event.deviceId ?? deviceId, receivedAt, event };
}

/**
 * The devices in the response to `ListDevices`.
 *
 * @throws {ProtocolError} If they are not an array of objects with a `DeviceId`.
 */
export function readDevices(response: JsonObject): Device[] {
  const devices = response["Devices"] ?? [];
  if (!Array.isArray(devices)) throw fieldTypeError("Response.Devices", "an array", devices);
  devices.forEach((device, i) => {
    const place = `Response.Devices[${i}]`;
    if (!isObject(device)) throw fieldTypeError(place, "an object", device);
    const { DeviceId } = device;
    if ((DeviceId ?? undefined) === undefined) {
      throw fieldTypeError(`${place}.DeviceId`, "a device id", DeviceId);
    }
  });
  return devices as unknown as Device[];
}

/**
 * The id of a listed device, or the id itself; a copy if it is an object.
 *
 * @throws {TypeError} If it is missing, or JSON cannot express it.
 * @throws {RangeError} If it is a number that may have lost digits, so that it could be another
 * device's.
 */
export function deviceIdOf(device: DeviceId | Device): DeviceId {
  const deviceId = isObject(device) && Object.hasOwn(device, "DeviceId")
    ? device.DeviceId
    : device as DeviceId;
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
  return typeof deviceId === "string" || typeof deviceId === "number"
    ? deviceId
    : copyJson(deviceId);
}

function copyJson(deviceId: DeviceId): DeviceId {
  try {
    // What has no JSON is `undefined` in between, which cannot be parsed.
    return JSON.parse(JSON.stringify(deviceId));
  } catch (cause) {
    const message = "Cannot address device as its 'DeviceId' cannot be expressed in JSON";
    throw new TypeError(message, { cause });
  }
}

/**
 * The arguments of a color, `DeviceId` aside.
 *
 * @throws {TypeError} If the LED has no name, or a text is not a color.
 * @throws {RangeError} If a channel is not an integer from 0 to 255.
 */
export function colorArguments(color: string | ColorLed): ColorLed {
  const { LedId = "RingLed", Red, Green, Blue }: ColorLed = typeof color === "string"
    ? parseColor(color)
    : color;
  if (typeof LedId !== "string" || LedId === "") {
    throw new TypeError("Cannot set LED as 'LedId' must be a name, such as 'RingLed'");
  }
  for (const [channel, value] of Object.entries({ Red, Green, Blue })) {
    assertInteger(channel, value, 0, 255, "Cannot set LED as ");
  }
  return { LedId, Red, Green, Blue };
}
