/** A slow reference implementation of the motion stream. It shares nothing with `src/`. */

import { isObject } from "./reference.ts";

/** Position of a payload in a stream. */
export interface ReferenceMotionFrame {
  readonly prefix: number;
  readonly start: number;
  readonly end: number;
}

/** The expected result for a whole stream. */
export interface ReferenceMotion {
  readonly frames: ReferenceMotionFrame[];
  /** Headers with an unknown prefix. */
  readonly skipped: number;
  /** The error code, if it fails. */
  readonly code: string | undefined;
  /** Offset of the failing frame. */
  readonly offset: number;
}

/** Splits a whole stream into frames with a known prefix. */
export function referenceMotion(bytes: Uint8Array, maxPayload: number): ReferenceMotion {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const frames: ReferenceMotionFrame[] = [];
  let [offset, skipped, row] = [0, 0, 0];
  const fails = (code: string): ReferenceMotion => ({ frames, skipped, code, offset });
  while (offset < bytes.length) {
    if (bytes.length - offset < 8) return fails("cut-frame");
    const prefix = view.getUint32(offset, true);
    const size = view.getUint32(offset + 4, true);
    if ([1, 2, 3].includes(prefix)) {
      row = 0;
      if (size > maxPayload) return fails("limit-reached");
    } else {
      skipped++;
      row++;
      const isRcsp = offset === 0 && view.getUint8(0) === 0xdc;
      if (isRcsp || size > maxPayload || row === 10) return fails("bad-type");
    }
    const start = offset + 8;
    if (start + size > bytes.length) return fails("cut-frame");
    if (row === 0) frames.push({ prefix, start, end: start + size });
    offset = start + size;
  }
  return { frames, skipped, code: undefined, offset };
}

const READERS: {
  readonly [type: string]: [size: number, read: (view: DataView, at: number) => number | bigint];
} = {
  INT32: [4, (view, at) => view.getInt32(at, true)],
  UINT32: [4, (view, at) => view.getUint32(at, true)],
  INT64: [8, (view, at) => view.getBigInt64(at, true)],
  UINT64: [8, (view, at) => view.getBigUint64(at, true)],
  FLOAT: [4, (view, at) => view.getFloat32(at, true)],
  DOUBLE: [8, (view, at) => view.getFloat64(at, true)],
};

/**
 * The values of each stream in a data payload, by a definition that is known to be good; `undefined` if
 * it has no such group or the payload has another length.
 */
export function referenceValues(
  definition: unknown,
  groupId: number,
  payload: Uint8Array,
): (number | bigint)[][] | undefined {
  const groups = isObject(definition) ? definition["groups"] : undefined;
  const group: unknown = Array.isArray(groups)
    ? groups.find((group, index) => (group.group_id ?? group.id ?? index) === groupId)
    : undefined;
  if (!isObject(group)) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const values: (number | bigint)[][] = [];
  let at = 16;
  const streams = (group["streams"] ?? []) as readonly { readonly data_type: string }[];
  for (const { data_type } of streams) {
    const [type = "", ...sizes] = data_type.split(/\[|, ?|\]/).filter((part) => part !== "");
    const [size, read] = READERS[type]!;
    const count = sizes.reduce((product, text) => product * Number(text), 1);
    if (at + count * size > payload.length) return undefined;
    values.push(Array.from({ length: count }, (_, i) => read(view, at + i * size)));
    at += count * size;
  }
  return at === payload.length ? values : undefined;
}
