/** Predicts the outcome of a client's calls from the server's bytes alone. */

import { isObject, referenceBody, referenceDecode } from "./reference.ts";

/** How a call must end; `ended` is an error of the connection, or a timeout. */
export type Fate =
  | { readonly kind: "ok"; readonly json: string }
  | { readonly kind: "refused" }
  | { readonly kind: "aborted" }
  | { readonly kind: "timeout" }
  | { readonly kind: "ended" };

/** The state before the bytes arrive. */
export interface Situation {
  readonly calls: number;
  readonly maxPayload: number;
  readonly maxDepth: number;
  /** Whether there is a subscriber. */
  readonly listening: boolean;
  /** Abandoned calls, whose responses must be dropped. */
  readonly gone: ReadonlyMap<number, Fate>;
}

/** The prediction. */
export interface Forecast {
  readonly fates: Fate[];
  readonly events: number;
  /** Events dropped because they are not JSON objects. */
  readonly unreadable: number;
  /** Error codes, one of which ends the connection; empty if the bytes do not end it. */
  readonly codes: readonly string[];
  /** Number of matched responses. */
  readonly answered: number;
}

/** Reads all bytes at once. */
export function forecast(bytes: Uint8Array, situation: Situation): Forecast {
  const { calls, maxPayload, maxDepth, listening, gone } = situation;
  const decoded = referenceDecode(bytes, maxPayload);
  const fates = Array.from({ length: calls }, (_, i): Fate => gone.get(i) ?? { kind: "ended" });
  let events = 0;
  let unreadable = 0;
  let answered = 0;
  const done = (codes: readonly string[]): Forecast => ({
    fates,
    events,
    unreadable,
    codes,
    answered,
  });
  for (const { type, start, end } of decoded.frames) {
    if (type === 1) return done(["unexpected-type"]);
    if (type === 4 && !listening) continue;
    const { value, codes } = referenceBody(bytes.subarray(start, end), maxDepth);
    if (type === 4) {
      if (codes === undefined) events++;
      else unreadable++;
      continue;
    }
    if (codes !== undefined) return done(codes);
    const trackId = value["TrackId"] ?? undefined;
    if (trackId !== undefined && typeof trackId !== "string") return done(["bad-shape"]);
    if (answered === calls) return done(["unexpected-response"]);
    if (trackId !== undefined && trackId !== String(answered + 1)) return done(["out-of-step"]);
    const data = value[type === 2 ? "Response" : "Error"] ?? {};
    if (!isObject(data)) return done(["bad-shape"]);
    if (!gone.has(answered)) {
      fates[answered] = type === 3
        ? { kind: "refused" }
        : { kind: "ok", json: JSON.stringify(data) };
    }
    answered++;
  }
  return done(decoded.code === undefined ? [] : [decoded.code]);
}
