/**
 * What a device says about itself. Only `DeviceId` is confirmed: the rest is found by likely names, and
 * whatever has another name is listed as it is.
 */

import type { JsonObject, JsonValue } from "@rcsp/rcsp/core";

/** The fields of a device, sorted for a card. */
export interface DeviceFacts {
  readonly name: string;
  readonly type: string | undefined;
  readonly side: "left" | "right" | undefined;
  /** 0 to 100. */
  readonly battery: number | undefined;
  readonly firmware: string | undefined;
  /** All other fields. */
  readonly others: readonly (readonly [key: string, value: JsonValue])[];
}

/** The channels of a color, 0 to 255 each. */
export interface Rgb {
  readonly Red: number;
  readonly Green: number;
  readonly Blue: number;
}

const NAME = /^(?:device)?name$/i;
const TYPE = /^(?:device)?type$/i;
const SIDE = /^(?:side|hand)$/i;
const BATTERY = /^battery(?:level|percent(?:age)?)?$/i;
const FIRMWARE = /^firmware(?:version)?$/i;

/** Sorts the fields of a device. */
export function deviceFacts(fields: JsonObject): DeviceFacts {
  const others = new Map(Object.entries(fields).filter(([, value]) => value !== null));
  const take = <T extends JsonValue>(
    name: RegExp,
    fits: (value: JsonValue) => value is T,
  ): T | undefined => {
    for (const [key, value] of others) {
      if (!name.test(key) || !fits(value)) continue;
      others.delete(key);
      return value;
    }
    return undefined;
  };
  const name = take(NAME, isText);
  const type = take(TYPE, isText);
  const side = take(SIDE, isSide)?.toLowerCase() as "left" | "right" | undefined;
  const battery = take(BATTERY, isPercent);
  const firmware = take(FIRMWARE, isText);
  return {
    name: name ?? `Device ${compactJson(fields["DeviceId"] ?? "?")}`,
    type,
    side,
    battery,
    firmware,
    others: [...others],
  };
}

/** The color of an LED, where the device says it as `SetColorLed` takes it; `undefined` otherwise. */
export function ledColor(fields: JsonObject, ledId: string): Rgb | undefined {
  for (const list of Object.values(fields)) {
    if (!Array.isArray(list)) continue;
    for (const led of list) {
      if (!isObject(led) || led["LedId"] !== ledId) continue;
      const [Red, Green, Blue] = [led["Red"], led["Green"], led["Blue"]];
      if (isChannel(Red) && isChannel(Green) && isChannel(Blue)) return { Red, Green, Blue };
    }
  }
  return undefined;
}

/** A value as one line. */
export function compactJson(value: JsonValue): string {
  return typeof value === "string" && value !== "" ? value : JSON.stringify(value);
}

function isText(value: JsonValue): value is string {
  return typeof value === "string" && value.trim() !== "";
}

function isSide(value: JsonValue): value is string {
  return typeof value === "string" && /^(?:left|right)$/i.test(value);
}

function isPercent(value: JsonValue): value is number {
  return typeof value === "number" && value >= 0 && value <= 100;
}

function isChannel(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
