/**
 * The check of numbers that callers give, in the words of all its errors. Free of any runtime.
 *
 * @module
 */

/**
 * Gives the number back if it is whole and from `least` to `most`. `name` is what the caller knows it
 * by, `action` what cannot be done otherwise, such as `Cannot set LED as `.
 *
 * @throws {RangeError} If it is not.
 */
export function assertInteger(
  name: string,
  value: number,
  least: number,
  most: number,
  action = "",
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(
    `${action}'${name}' must be a whole number from ${least} to ${most}: current value is ${value}`,
  );
}
