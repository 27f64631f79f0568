/**
 * Foreign JSON values: what they are, in checks and in words.
 *
 * @module
 */

import { type DeviceId, escapeUnprintable, type JsonObject, type JsonValue } from "@rcsp/rcsp";

/** A piece of foreign text for a message: quoted, escaped, cut after 40 characters. */
export function quote(text: string): string {
  return `'${escapeUnprintable(text.length > 40 ? `${text.slice(0, 40)}…` : text)}'`;
}

/** `1 client`, `2 clients`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Whether a value is an object, and not an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value in words, for messages: `an array`, `the number 5`. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return `the ${typeof value} ${typeof value === "string" ? quote(value) : String(value)}`;
}

/** Whether two device ids are the same: `1` and `"1"` are not. */
export function sameId(one: DeviceId, other: DeviceId): boolean {
  return one === other || isObject(one) && JSON.stringify(one) === JSON.stringify(other);
}

/** Puts a value at a key path, creating the objects on the way. */
export function writePath(object: JsonObject, path: string, value: JsonValue): void {
  const [key = "", ...rest] = path.split(".");
  const own = Object.hasOwn(object, key) ? object[key] : undefined;
  const inner: JsonObject = isObject(own) ? { ...own } : {};
  if (rest.length > 0) writePath(inner, rest.join("."), value);
  const property = { enumerable: true, configurable: true, writable: true };
  // A plain assignment to `__proto__` would change the prototype.
  Object.defineProperty(object, key, { ...property, value: rest.length > 0 ? inner : value });
}

/** A number of bytes in words: `12 bytes`, `3.4 MiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return plural(bytes, "byte");
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), 4);
  return `${(bytes / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB", "TiB"][power]}`;
}
