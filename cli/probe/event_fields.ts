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

/** Looks at an event of the button of a device. */
export class EventFields {
  readonly #report: Report;
  readonly #draft: DialectDraft;

  /** What is found goes to both. */
  constructor(report: Report, draft: DialectDraft) {
    this.#report = report;
    this.#draft = draft;
  }

  /** Finds what it can. */
  async learn(event: JsonObject, { DeviceId }: Device): Promise<void> {
    const { button, event: assumed } = this.#draft.dialect;
    const isText = (text: string) => (value: JsonValue) => value === text;
    const { publisher, topic } = button;
    await this.#learnField(event, "publisher", isText(publisher), /publish|source/i);
    await this.#learnField(event, "topic", isText(topic), /topic|event|name|type/i);
    const isDevice = (value: JsonValue) => value !== null && sameId(value as string, DeviceId);
    await this.#learnField(event, "deviceId", isDevice, /device|id$/i);
    const presses = findPaths(event, (value) => PRESS_TYPES.some((type) => type === value));
    const press = choosePath(presses, assumed.pressType, /press|type/i);
    if (press === undefined) {
      const where = findPressType(event) === undefined ? "it holds none" : "it is within an array";
      return await this.#report.add("warn", "event: press type", where);
    }
    if (press !== assumed.pressType) this.#draft.set("event", "pressType", press);
    await sayPath(this.#report, "event: press type", press, assumed.pressType);
    const data = press.split(".").slice(0, -1).join(".");
    if (data === "") return;
    if (data !== assumed.data) this.#draft.set("event", "data", data);
    await sayPath(this.#report, "event: data", data, assumed.data);
  }

  async #learnField(
    event: JsonObject,
    key: "publisher" | "topic" | "deviceId",
    holds: (value: JsonValue) => boolean,
    looksRight: RegExp,
  ): Promise<void> {
    const assumed = this.#draft.dialect.event[key];
    let found = findPaths(event, holds);
    // A number such as 1 may stand anywhere: only a key that looks right makes it a device.
    if (key === "deviceId") {
      found = found.filter(({ path }) => path === assumed || looksRight.test(path));
    }
    const path = choosePath(found, assumed, looksRight);
    const check = `event: ${key}`;
    if (path !== undefined) {
      if (path !== assumed) this.#draft.set("event", key, path);
      return await sayPath(this.#report, check, path, assumed);
    }
    // Whatever stands where it is assumed would make the event another's.
    const there = readPath(event, assumed) ?? null;
    if (there === null) return await this.#report.add("info", check, "the event does not say it");
    this.#draft.set("event", key, NOWHERE);
    await this.#report.add(
      "warn",
      check,
      `'${assumed}' holds something else: ${describeValue(there)}`,
    );
  }
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
