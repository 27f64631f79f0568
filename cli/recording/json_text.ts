/**
 * Where things stand in the text of JSON, for what must go on as it was written.
 *
 * @module
 */

/** A member of an object, however deep, and where its value stands in the text. */
export interface Member {
  readonly key: string;
  /** The keys that lead to it, joined by dots as in a dialect. */
  readonly path: string;
  readonly start: number;
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

/** All members of an object and of those within it, in the order of their ends; not those in arrays. */
export function* members(json: string): Generator<Member> {
  const token = /["{}[\]]|[^\s,:"{}[\]]+/g;
  const open: Open[] = [];
  let key: string | undefined;
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    const start = match.index;
    const [first] = match[0];
    if (first === '"') token.lastIndex = endOfString(json, start);
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

function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1);; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === "\\") backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
}
