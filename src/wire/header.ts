/**
 * The 8-byte header before every body. All of it is confirmed by Rokoko's public documentation; numbers
 * are little-endian.
 *
 * | offset | field | type | value |
 * | --- | --- | --- | --- |
 * | 0 | `marker` | uint8 | `0xDC` |
 * | 1 | `header_version` | uint8 | `1` |
 * | 2 | `header_size` | uint8 | `8` |
 * | 3 | `type` | uint8 | a {@link PayloadType} |
 * | 4 | `payload_size` | uint32 | size of the body in bytes |
 *
 * @module
 */

import { assertInteger } from "../limits.ts";
import { LimitError, ProtocolError, type ProtocolErrorCode } from "../errors.ts";

/** The first byte of every header. */
export const MARKER = 0xdc;
/** The only known header version. */
export const HEADER_VERSION = 1;
/** Size of a header in bytes. */
export const HEADER_SIZE = 8;

/** The values of the header's `type` field. */
export const PayloadType = {
  /** Client to server: a command; the server sends exactly one response. */
  Command: 1,
  /** Server to client: a command succeeded. */
  ResponseOk: 2,
  /** Server to client: a command failed. */
  ResponseError: 3,
  /** Server to client, at any time: an event. */
  Event: 4,
} as const;

/** The type of a body: 1 command, 2 response ok, 3 response error, 4 event. */
export type PayloadType = typeof PayloadType[keyof typeof PayloadType];

/** The fields of a header that vary. */
export interface Header {
  /** The type of the body. */
  readonly type: PayloadType;
  /** Size of the body in bytes, 0 to 2^32 - 1. */
  readonly payloadSize: number;
}

/**
 * Writes a header into `target` at `offset`.
 *
 * @throws {RangeError} If the type or the size is out of range, or `target` has no 8 bytes there.
 */
export function writeHeader(target: Uint8Array, offset: number, header: Header): void {
  const { type, payloadSize } = header;
  const action = "Cannot write header as ";
  assertInteger("type", type, PayloadType.Command, PayloadType.Event, action);
  assertInteger("payloadSize", payloadSize, 0, 2 ** 32 - 1, action);
  checkRoom("write", target, offset);
  fillHeader(target, offset, type, payloadSize);
}

/** Writes a header without checking its fields. */
export function fillHeader(
  target: Uint8Array,
  offset: number,
  type: PayloadType,
  payloadSize: number,
): void {
  target[offset] = MARKER;
  target[offset + 1] = HEADER_VERSION;
  target[offset + 2] = HEADER_SIZE;
  target[offset + 3] = type;
  target[offset + 4] = payloadSize;
  target[offset + 5] = payloadSize >>> 8;
  target[offset + 6] = payloadSize >>> 16;
  target[offset + 7] = payloadSize >>> 24;
}

/**
 * Reads and checks the header at `offset`.
 *
 * @throws {RangeError} If there are no 8 bytes at `offset`.
 * @throws {ProtocolError} If a field is invalid.
 */
export function readHeader(bytes: Uint8Array, offset = 0): Header {
  checkRoom("read", bytes, offset);
  if (!isHeader(bytes, offset)) throw headerError(bytes, offset, offset);
  return {
    type: bytes[offset + 3] as PayloadType,
    payloadSize: payloadSizeAt(bytes, offset),
  };
}

/** Whether all fields except the size are valid. */
export function isHeader(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset] === MARKER && bytes[offset + 1] === HEADER_VERSION &&
    bytes[offset + 2] === HEADER_SIZE && bytes[offset + 3]! >= PayloadType.Command &&
    bytes[offset + 3]! <= PayloadType.Event;
}

/** The size field of the header at `offset`. */
export function payloadSizeAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset + 4]! | bytes[offset + 5]! << 8 | bytes[offset + 6]! << 16 |
    bytes[offset + 7]! << 24) >>> 0;
}

/** The error for the first invalid field; `position` is the stream offset of the header. */
export function headerError(bytes: Uint8Array, offset: number, position: number): ProtocolError {
  const header = bytes.subarray(offset, offset + HEADER_SIZE);
  const wrong = [MARKER, HEADER_VERSION, HEADER_SIZE].findIndex((right, i) => header[i] !== right);
  const [code, expected] = wrong === -1 ? BAD_TYPE : BAD_FIELDS[wrong]!;
  const value = header.at(wrong === -1 ? 3 : wrong)!;
  const received = wrong === 0
    ? `0x${value.toString(16).padStart(2, "0")}, so the other side may not speak RCSP`
    : `${value}`;
  return new ProtocolError(code, "Cannot read header", {
    expected,
    received,
    offset: position,
    bytes: header,
  });
}

const BAD_FIELDS: readonly [code: ProtocolErrorCode, expected: string][] = [
  ["bad-marker", "marker 0xdc"],
  ["bad-version", "header version 1"],
  ["bad-header-size", "header size 8"],
];
const BAD_TYPE: (typeof BAD_FIELDS)[number] = ["bad-type", "type 1, 2, 3 or 4"];

/** The error for a body that is longer than allowed. */
export function payloadLimitError(
  action: string,
  size: number,
  maxPayload: number,
  received = false,
): LimitError {
  return new LimitError(
    `${action} as its body of ${size} bytes is longer than 'maxPayload' (${maxPayload})`,
    "maxPayload",
    maxPayload,
    received,
  );
}

function checkRoom(action: string, { length }: Uint8Array, offset: number): void {
  if (Number.isInteger(offset) && offset >= 0 && offset + HEADER_SIZE <= length) return;
  throw new RangeError(
    `Cannot ${action} header: no 8 bytes at offset ${offset} of ${length} bytes`,
  );
}
