/**
 * Events as lines.
 *
 * @module
 */

import { escapeUnprintable, type JsonObject, type RcspEvent } from "@rcsp/rcsp";
import { findPressType } from "@rcsp/rcsp/server";
import { words } from "./output.ts";
import { fit } from "./text_width.ts";

/** The body as it came; with a time around it where there is one. */
export function rawEvent({ raw }: RcspEvent, time: string | undefined): JsonObject {
  return time === undefined ? raw : { time, event: raw };
}

/** What is known of an event, under names of our own. */
export function eventJson(event: RcspEvent, time: string | undefined): JsonObject {
  const { deviceId, publisher, topic, data } = event;
  const press = findPressType(event.raw);
  const entries = Object.entries({ time, deviceId, publisher, topic, press, data });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonObject;
}

/** An event for people: one line of at most so many columns. */
export function eventText(event: RcspEvent, time: string | undefined, columns: number): string {
  const { deviceId, publisher, topic, data, raw } = event;
  const press = findPressType(raw);
  const what = `${publisher ?? "?"}/${topic ?? "?"}`;
  // What is sure to be short goes first, so that it is what a narrow terminal shows.
  const rest = press === undefined ? [what, words(data ?? raw)] : [press, what];
  const parts = [...(time === undefined ? [] : [time]), words(deviceId ?? "-"), ...rest];
  // What has no room is not looked at: an event may be very long.
  const safe = parts.map((part) => escapeUnprintable(part.slice(0, columns)));
  return fit(safe.join("  "), columns);
}
