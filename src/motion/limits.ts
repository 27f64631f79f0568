/**
 * The limits of the motion stream. All are ours: no public text names any.
 *
 * @module
 */

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
 * Returns the value of a limit, or its default.
 *
 * @throws {RangeError} If it is not an integer from 1 on.
 */
export function motionLimit(name: keyof MotionLimits, value: number | undefined): number {
  if (value === undefined) return MOTION_LIMITS[name];
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`'${name}' must be an integer from 1 on: current value is ${value}`);
}

/** All limits, or their defaults; as {@link motionLimit}. */
export function motionLimits(
  limits: { readonly [L in keyof MotionLimits]?: number | undefined } = {},
): MotionLimits {
  const names = Object.keys(MOTION_LIMITS) as (keyof MotionLimits)[];
  const entries = names.map((name) => [name, motionLimit(name, limits[name])]);
  return Object.fromEntries(entries);
}
