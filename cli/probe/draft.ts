/**
 * A dialect file in the making: only what differs from the default stands in it.
 *
 * @module
 */

import { DIALECT, type Dialect, type DialectOptions, type JsonObject } from "@rcsp/rcsp";
import { resolveDialect } from "@rcsp/rcsp/server";

/** A key path that no message has, for what a driver says elsewhere than a dialect can name. */
export const NOWHERE = "(none)";

type Group = "commands" | "subscription" | "event" | "button" | "errorCodes";

/** See the module's own text. */
export class DialectDraft {
  #options: DialectOptions;

  /** Begins with what is known to differ already. */
  constructor(options: DialectOptions = {}) {
    this.#options = options;
  }

  /** The dialect as far as it is known. */
  get dialect(): Dialect {
    return resolveDialect(this.#options);
  }

  /** Sets where the `TrackId` stands. */
  setTrackId(path: string): void {
    this.#options = { ...this.#options, trackId: path };
  }

  /** Sets a name within a group. */
  set<G extends Group>(group: G, key: keyof Dialect[G] & string, value: string): void {
    this.#options = {
      ...this.#options,
      [group]: { ...this.#options[group], [key]: value },
    };
  }

  /** What differs from the default. */
  toJson(): JsonObject {
    const { trackId } = this.#options;
    const groups = ["commands", "subscription", "event", "button", "errorCodes"] as const;
    const differing: JsonObject = {};
    if (trackId !== undefined && trackId !== DIALECT.trackId) differing["trackId"] = trackId;
    for (const group of groups) {
      const base = DIALECT[group] as unknown as Readonly<Record<string, string>>;
      const entries = Object.entries(this.#options[group] ?? {})
        .filter(([key, value]) => base[key] !== value);
      if (entries.length > 0) differing[group] = Object.fromEntries(entries) as JsonObject;
    }
    return differing;
  }
}
