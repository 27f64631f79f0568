/**
 * Colors as they come in a message.
 *
 * @module
 */

import type { ColorLed, JsonObject, JsonValue } from "@rcsp/rcsp";
import { parseBody, parseColor } from "@rcsp/rcsp/server";
import { isObject } from "../text/values.ts";

/** Longest payload that may be a color, in bytes. */
const LONGEST = 1_024;
const MAX_DEPTH = 8;
const FORMS = "expected a color such as red or #ff8000, " +
  'or JSON such as {"Red":255,"Green":128,"Blue":0} or {"state":"ON","color":{"r":255,"g":128,"b":0}}';

/**
 * Reads the color in a payload: text as `rcsp led` takes it, the arguments of `SetColorLed`, or the
 * message of a light in Home Assistant's JSON schema. `last` is the color that `ON` alone means.
 *
 * @throws {TypeError} If it is none of these.
 */
export function readLed(payload: Uint8Array, last: ColorLed): ColorLed {
  if (payload.length > LONGEST) throw new TypeError(`${payload.length} bytes: ${FORMS}`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(payload).trim();
  } catch {
    throw new TypeError(`text that is not UTF-8: ${FORMS}`);
  }
  if (!text.startsWith("{")) return { ...led(last), ...parseColor(text) };
  let body: JsonObject;
  try {
    body = parseBody(payload, MAX_DEPTH);
  } catch {
    throw new TypeError(`text that is not JSON: ${FORMS}`);
  }
  const own = (name: string): JsonValue | undefined =>
    Object.hasOwn(body, name) ? body[name] : undefined;
  const LedId = own("LedId") ?? undefined;
  if (LedId !== undefined && (typeof LedId !== "string" || LedId === "")) {
    throw new TypeError("'LedId' must be a name");
  }
  const color = own("state") === undefined
    ? channels(body, "Red", "Green", "Blue")
    : light(own("state"), own("color"), own("brightness"), last);
  if (color === undefined) throw new TypeError(`JSON without a color: ${FORMS}`);
  return { ...led(last), ...(LedId !== undefined && { LedId }), ...color };
}

/** Home Assistant sends `brightness` with or without a color. */
function light(
  state: JsonValue | undefined,
  color: JsonValue | undefined,
  brightness: JsonValue | undefined,
  last: ColorLed,
): ColorLed | undefined {
  if (state === "OFF") return { Red: 0, Green: 0, Blue: 0 };
  if (state !== "ON") return undefined;
  const chosen = color === undefined
    ? last
    : isObject(color)
    ? channels(color, "r", "g", "b")
    : undefined;
  if (chosen === undefined || brightness === undefined) return chosen;
  if (!isChannel(brightness)) return undefined;
  const { Red, Green, Blue } = chosen;
  const scale = brightness / (Math.max(Red, Green, Blue) || 255);
  const scaled = (channel: number): number => Math.min(255, Math.round(channel * scale));
  return { Red: scaled(Red), Green: scaled(Green), Blue: scaled(Blue) };
}

function channels(body: JsonObject, ...names: [string, string, string]): ColorLed | undefined {
  const [Red, Green, Blue] = names.map((name) =>
    Object.hasOwn(body, name) ? body[name] : undefined
  );
  return isChannel(Red) && isChannel(Green) && isChannel(Blue) ? { Red, Green, Blue } : undefined;
}

function isChannel(value: JsonValue | undefined): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 255;
}

function led({ LedId }: ColorLed): { LedId?: string } {
  return LedId === undefined ? {} : { LedId };
}
