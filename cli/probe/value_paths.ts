/**
 * Finds the paths of a value in foreign JSON.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "@rcsp/rcsp";
import { readPath } from "@rcsp/rcsp/server";
import { isObject } from "../text/values.ts";

/** Most places that are looked at. */
const PLACES = 10_000;

/**
 * The key paths of the places whose value `holds`, those nearest to the top first. Only those are given
 * that a key path of a dialect can name: none within an array.
 */
export function findPaths(body: JsonObject, holds: (value: JsonValue) => boolean): string[] {
  const found: string[] = [];
  const queue: [path: string, object: JsonObject][] = [["", body]];
  let seen = 0;
  for (let next = queue.shift(); next !== undefined && seen < PLACES; next = queue.shift()) {
    const [path, object] = next;
    for (const [key, value] of Object.entries(object)) {
      if (++seen > PLACES) break;
      const place = `${path}${key}`;
      if (holds(value) && readPath(body, place) === value) found.push(place);
      if (isObject(value)) queue.push([`${place}.`, value]);
    }
  }
  return found;
}

/** The place to believe: the assumed one if it is among them, then one whose key looks right. */
export function choosePath(
  paths: readonly string[],
  assumed: string,
  looksRight: RegExp,
): string | undefined {
  if (paths.includes(assumed)) return assumed;
  return paths.find((path) => looksRight.test(path.split(".").at(-1)!)) ?? paths[0];
}

/** The keys of an object with the kind of value of each: `Name string, BatteryLevel number`. */
export function describeKeys(object: JsonObject): string {
  const entries = Object.entries(object).map(([key, value]) => `${key} ${typeName(value)}`);
  return entries.length === 0 ? "none" : entries.join(", ");
}

function typeName(value: JsonValue): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
