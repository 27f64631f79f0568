/**
 * Which hand a device is for. No public text says where a driver tells it.
 *
 * @module
 */

import type { JsonObject } from "@rcsp/rcsp";

/** The fields that may hold it, the likeliest first. */
const FIELDS = ["Side", "Hand", "Name", "Type"];

/** `left` or `right`, if one of the likely fields holds that word and not the other. */
export function sideOf(info: JsonObject): "left" | "right" | undefined {
  for (const field of FIELDS) {
    const value = Object.hasOwn(info, field) ? info[field] : undefined;
    if (typeof value !== "string" || value.length > 200) continue;
    const found = new Set(value.toLowerCase().match(/(?<![a-z])(left|right)(?![a-z])/g));
    if (found.size === 1) return [...found][0] as "left" | "right";
  }
  return undefined;
}
