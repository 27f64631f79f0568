/**
 * Events as lines.
 *
 * @module
 */

import { escapeUnprintable, type JsonObject, type RcspEvent } from "@rcsp/rcsp";
import { findPressType } from "@rcsp/rcsp/server";
import { displayWidth, fit, pad } from "./text_width.ts";

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

/**
 * An event for people: one line of at most `columns`. Each cell comes with the texts that other lines
 * have in its place, so that they are aligned.
 */
export function alignCells(
  cells: readonly (readonly [text: string, alike: readonly string[]])[],
  columns: number,
): string {
  // Half a line at most, so that what happened is seen in a narrow terminal. What has no room is not
  // looked at: an event may be very long.
  const most = Math.max(1, Math.floor(columns / 2));
  const safe = (text: string): string => escapeUnprintable(text.slice(0, columns));
  const aligned = cells.map(([text, alike]) => {
    if (alike.length === 0) return safe(text);
    const shown = [text, ...alike].map((each) => fit(safe(each), most));
    return pad(shown[0]!, Math.max(...shown.map(displayWidth)));
  });
  return fit(aligned.join("  "), columns);
}
