/**
 * The grammar of `data_type` (confirmed): a type, then nothing, `[n]` or `[n,m]`.
 *
 * @module
 */

/** The type of one value on the wire. There are no types of 8 or 16 bits. */
export type ElementType = "INT32" | "UINT32" | "INT64" | "UINT64" | "FLOAT" | "DOUBLE";

const ELEMENT_SIZES: { readonly [T in ElementType]: number } = {
  INT32: 4,
  UINT32: 4,
  INT64: 8,
  UINT64: 8,
  FLOAT: 4,
  DOUBLE: 8,
};

/** What a `data_type` means. */
export interface DataType {
  /** The type of one value. */
  readonly type: ElementType;
  /** `[]` for a single value, `[7]` for `FLOAT[7]`, `[3, 3]` for `DOUBLE[3,3]`. */
  readonly shape: readonly number[];
  /** How many values there are: the product of the shape. */
  readonly length: number;
  /** The bytes of all values. */
  readonly byteLength: number;
}

const DATA_TYPE = /^(INT32|UINT32|INT64|UINT64|FLOAT|DOUBLE)(?:\[(\d{1,9})(?:, ?(\d{1,9}))?\])?$/;

/** Parses a `data_type` such as `FLOAT`, `FLOAT[7]` or `DOUBLE[3, 3]`; `undefined` if it is not one. */
export function parseDataType(text: string): DataType | undefined {
  const match = DATA_TYPE.exec(text);
  if (match === null) return undefined;
  const type = match[1] as ElementType;
  const shape = match.slice(2).filter((size) => size !== undefined).map(Number);
  const length = shape.reduce((product, size) => product * size, 1);
  if (length === 0) return undefined;
  return { type, shape, length, byteLength: length * ELEMENT_SIZES[type] };
}
