/**
 * Where values are in the text of JSON, for what must be passed on as it was written.
 *
 * @module
 */

import { endOfString } from "./json.ts";

/** A member of an object, at any depth, and where its value is in the text. */
export interface JsonMember {
  /** Its key. */
  readonly key: string;
  /** The keys that lead to it, joined by dots as in a dialect. */
  readonly path: string;
  /** Index of the first character of the value. */
  readonly start: number;
  /** Index after the last character of the value. */
  readonly end: number;
}

/** An object or an array whose end is not reached. Within an array nothing has a path. */
interface Open {
  readonly key: string | undefined;
  readonly path: string | undefined;
  readonly start: number;
  readonly isObject: boolean;
  readonly prefix: string | undefined;
}

/**
 * All members of an object and of those within it, in the order of their ends; not those in arrays. `json`
 * must be valid JSON.
 */
export function* jsonMembers(json: string): Generator<JsonMember> {
  const token = /["{}[\]]|[^\s,:"{}[\]]+/g;
  const open: Open[] = [];
  let key: string | undefined;
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    const start = match.index;
    const [first] = match[0];
    if (first === '"') token.lastIndex = endOfString(json, start) + 1;
    const end = token.lastIndex;
    const around = open.at(-1);
    if (first === '"' && key === undefined && around?.isObject) {
      key = JSON.parse(json.slice(start, end)) as string;
      continue;
    }
    const path = key === undefined || around?.prefix === undefined
      ? undefined
      : around.prefix + key;
    if (first === "{" || first === "[") {
      const isObject = first === "{";
      const inside = around === undefined ? "" : path === undefined ? undefined : `${path}.`;
      open.push({ key, path, start, isObject, prefix: isObject ? inside : undefined });
      key = undefined;
    } else if (first === "}" || first === "]") {
      const { key, path, start } = open.pop()!;
      if (key !== undefined && path !== undefined) yield { key, path, start, end };
    } else {
      if (key !== undefined && path !== undefined) yield { key, path, start, end };
      key = undefined;
    }
  }
}

/** The text of a member of the object itself; of several with the same key the last, as `JSON.parse`. */
export function memberText(json: string, key: string): string | undefined {
  let text: string | undefined;
  for (const { key: found, path, start, end } of jsonMembers(json)) {
    if (found === key && path === key) text = json.slice(start, end);
  }
  return text;
}

/** Replaces every string at a key path; all else stays as it is. */
export function replaceStrings(json: string, path: string, value: string): string {
  let result = "";
  let copied = 0;
  for (const { path: found, start, end } of jsonMembers(json)) {
    if (found !== path || json[start] !== '"') continue;
    result += json.slice(copied, start) + JSON.stringify(value);
    copied = end;
  }
  return result + json.slice(copied);
}
