/**
 * Rotations inside flat arrays of poses, without an object for each. A quaternion is x, y, z, w.
 *
 * A rotation is taken as it is, not normalized: one of length 0 leaves vectors as they are.
 *
 * @module
 */

/** Numbers at an offset: a pose in a `Float32Array`, or a plain array. */
export type Numbers = Float32Array | Float64Array | number[];

/** Writes the product `a * b` (first b, then a) to `out`, which may be one of the two. */
export function multiply(
  out: Numbers,
  at: number,
  a: ArrayLike<number>,
  i: number,
  b: ArrayLike<number>,
  j: number,
): void {
  const ax = a[i]!, ay = a[i + 1]!, az = a[i + 2]!, aw = a[i + 3]!;
  const bx = b[j]!, by = b[j + 1]!, bz = b[j + 2]!, bw = b[j + 3]!;
  out[at] = aw * bx + ax * bw + ay * bz - az * by;
  out[at + 1] = aw * by - ax * bz + ay * bw + az * bx;
  out[at + 2] = aw * bz + ax * by - ay * bx + az * bw;
  out[at + 3] = aw * bw - ax * bx - ay * by - az * bz;
}

/** Writes the vector `v` rotated by `q` to `out`, which may be the vector. */
export function rotate(
  out: Numbers,
  at: number,
  q: ArrayLike<number>,
  i: number,
  v: ArrayLike<number>,
  j: number,
): void {
  const x = q[i]!, y = q[i + 1]!, z = q[i + 2]!, w = q[i + 3]!;
  const vx = v[j]!, vy = v[j + 1]!, vz = v[j + 2]!;
  const tx = 2 * (y * vz - z * vy), ty = 2 * (z * vx - x * vz), tz = 2 * (x * vy - y * vx);
  out[at] = vx + w * tx + y * tz - z * ty;
  out[at + 1] = vy + w * ty + z * tx - x * tz;
  out[at + 2] = vz + w * tz + x * ty - y * tx;
}

/** Returns the rotation by an angle in radians about an axis of length 1. */
export function aboutAxis(x: number, y: number, z: number, angle: number): number[] {
  const sine = Math.sin(angle / 2);
  return [x * sine, y * sine, z * sine, Math.cos(angle / 2)];
}

/** Returns the product of rotations: the last is applied first. */
export function product(first: readonly number[], ...rest: readonly number[][]): number[] {
  const out = [...first];
  for (const next of rest) multiply(out, 0, out, 0, next, 0);
  return out;
}
