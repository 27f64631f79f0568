/**
 * The limits of the motion stream. All are ours: no public text names any.
 *
 * @module
 */

import { assertInteger } from "../limits.ts";

/** The limits of the motion stream, by the name of the option that sets each. */
export interface MotionLimits {
  /** Longest payload of a frame, in bytes. */
  readonly maxPayload: number;
  /** Longest definition, in bytes of JSON. */
  readonly maxDefinition: number;
  /** Deepest nesting of arrays and objects in a definition. */
  readonly maxDepth: number;
  /** Most devices at once. */
  readonly maxDevices: number;
  /** Most groups, most streams and most static data of a device. */
  readonly maxStreams: number;
  /** Time without data after which a device is stale, in milliseconds. */
  readonly staleAfter: number;
}

/** The defaults. */
export const MOTION_LIMITS: MotionLimits = {
  maxPayload: 16 * 1024 * 1024,
  maxDefinition: 1024 * 1024,
  maxDepth: 32,
  maxDevices: 64,
  maxStreams: 4096,
  staleAfter: 500,
};

/**
 * Returns all limits, with their defaults.
 *
 * @throws {RangeError} If one is not an integer from 1 on.
 */
export function motionLimits(
  limits: { readonly [L in keyof MotionLimits]?: number | undefined } = {},
): MotionLimits {
  const entries = Object.entries(MOTION_LIMITS).map(([name, fallback]) => {
    const value = limits[name as keyof MotionLimits] ?? fallback;
    return [name, assertInteger(name, value, 1, Number.MAX_SAFE_INTEGER)];
  });
  return Object.fromEntries(entries);
}
