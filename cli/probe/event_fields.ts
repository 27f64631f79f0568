/**
 * Where an event says what, found by the values that are known beforehand.
 *
 * @module
 */

import type { Device, JsonObject, JsonValue } from "@rcsp/rcsp";
import { findPressType, PRESS_TYPES, readPath } from "@rcsp/rcsp/server";
import type { Report } from "../terminal/finding_report.ts";
import { describeValue, sameId } from "../text/values.ts";
import { type DialectDraft, NOWHERE } from "./draft.ts";
import { choosePath, findPaths } from "./value_paths.ts";

/** Finds what it can in an event of the button of a device. */
export async function learnEvent(
  report: Report,
  draft: DialectDraft,
  event: JsonObject,
  { DeviceId }: Device,
): Promise<void> {
  const learnField = async (
    key: "publisher" | "topic" | "deviceId",
    holds: (value: JsonValue) => boolean,
    looksRight: RegExp,
  ): Promise<void> => {
    const assumed = draft.dialect.event[key];
    const found = findPaths(event, holds)
      // A number such as 1 can be anywhere: only a key that looks right makes it a device.
      .filter((path) => key !== "deviceId" || path === assumed || looksRight.test(path));
    const path = choosePath(found, assumed, looksRight);
    const check = `event: ${key}`;
    if (path !== undefined) {
      if (path !== assumed) draft.set(`event.${key}`, path);
      return await sayPath(report, check, path, assumed);
    }
    // Any value in the assumed place would make the event another's.
    const there = readPath(event, assumed) ?? null;
    if (there === null) return await report.add("info", check, "the event does not say it");
    draft.set(`event.${key}`, NOWHERE);
    const finding = `'${assumed}' holds something else: ${describeValue(there)}`;
    await report.add("warn", check, finding);
  };
  const { button, event: assumed } = draft.dialect;
  const isText = (text: string) => (value: JsonValue) => value === text;
  const { publisher, topic } = button;
  await learnField("publisher", isText(publisher), /publish|source/i);
  await learnField("topic", isText(topic), /topic|event|name|type/i);
  const isDevice = (value: JsonValue) => value !== null && sameId(value as string, DeviceId);
  await learnField("deviceId", isDevice, /device|id$/i);
  const presses = findPaths(event, (value) => PRESS_TYPES.some((type) => type === value));
  const press = choosePath(presses, assumed.pressType, /press|type/i);
  if (press === undefined) {
    const where = findPressType(event) === undefined ? "it holds none" : "it is within an array";
    return await report.add("warn", "event: press type", where);
  }
  if (press !== assumed.pressType) draft.set("event.pressType", press);
  await sayPath(report, "event: press type", press, assumed.pressType);
  const data = press.split(".").slice(0, -1).join(".");
  if (data === "") return;
  if (data !== assumed.data) draft.set("event.data", data);
  await sayPath(report, "event: data", data, assumed.data);
}

/** Says where something was found, and whether that was assumed. */
export async function sayPath(
  report: Report,
  check: string,
  path: string,
  assumed: string,
): Promise<void> {
  if (path === assumed) await report.add("ok", check, `'${path}', as assumed`, { path });
  else await report.add("warn", check, `'${path}', not '${assumed}'`, { path });
}
