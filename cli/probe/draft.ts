/**
 * A dialect file in the making.
 *
 * @module
 */

import type { Dialect, DialectOptions, JsonObject } from "@rcsp/rcsp";
import { resolveDialect } from "@rcsp/rcsp/server";
import { isObject, writePath } from "../text/values.ts";

/** A key path that no message has, for what a driver says elsewhere than a dialect can name. */
export const NOWHERE = "(none)";

/** The dialect as far as it is known. */
export class DialectDraft {
  readonly dialect: Dialect;

  /** Begins with what is known to differ already. */
  constructor(options: DialectOptions = {}) {
    this.dialect = resolveDialect(options);
  }

  /** Sets a name: `event.topic`. */
  set(path: string, name: string): void {
    writePath(this.dialect as unknown as JsonObject, path, name);
  }

  /** What differs from the default. */
  toJson(): JsonObject {
    return differing(
      resolveDialect() as unknown as JsonObject,
      this.dialect as unknown as JsonObject,
    );
  }
}

function differing(base: JsonObject, other: JsonObject): JsonObject {
  const entries = Object.entries(other).map(([key, value]) => {
    const assumed = base[key];
    return [key, isObject(value) && isObject(assumed) ? differing(assumed, value) : value] as const;
  });
  return Object.fromEntries(
    entries.filter(([key, value]) =>
      isObject(value) ? Object.keys(value).length > 0 : value !== base[key]
    ),
  );
}
