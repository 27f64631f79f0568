/** Variants that parse one header: return its size, or throw. */

import { readHeader } from "../../src/wire/mod.ts";
import { isHeader, payloadSizeAt } from "../../src/wire/header.ts";

/** Creates a parser of the headers in `bytes`. */
export type HeaderParser = (bytes: Uint8Array) => (at: number) => number;

const LIMIT = 16 * 1024 * 1024;

/** All variants by name. */
export const HEADER_PARSERS: Readonly<Record<string, HeaderParser>> = {
  // Reads one byte and checks nothing.
  "floor: one byte": (bytes) => (at) => bytes[at + 4]!,
  "ours": (bytes) => (at) => {
    if (!isHeader(bytes, at)) fail(at);
    const size = payloadSizeAt(bytes, at);
    return size > LIMIT ? fail(at) : size;
  },
  "ours: readHeader()": (bytes) => (at) => readHeader(bytes, at).payloadSize,
  "indexed bytes": (bytes) => (at) => {
    const type = bytes[at + 3]!;
    if (bytes[at] !== 0xdc || bytes[at + 1] !== 1 || bytes[at + 2] !== 8) fail(at);
    if (type < 1 || type > 4) fail(at);
    const size = (bytes[at + 4]! | bytes[at + 5]! << 8 | bytes[at + 6]! << 16 |
      bytes[at + 7]! << 24) >>> 0;
    return size > LIMIT ? fail(at) : size;
  },
  "reused DataView": ({ buffer, byteOffset, byteLength }) => {
    const view = new DataView(buffer, byteOffset, byteLength);
    return (at) => sizeIn(view, at);
  },
  "DataView per header": (bytes) => (at) =>
    sizeIn(new DataView(bytes.buffer, bytes.byteOffset + at, 8), 0),
  "subarray + DataView + object": (bytes) => (at) => parse(bytes.subarray(at, at + 8)).size,
};

function sizeIn(view: DataView, at: number): number {
  const start = view.getUint32(at, true);
  const type = start >>> 24;
  if ((start & 0xffffff) !== 0x0801dc || type < 1 || type > 4) fail(at);
  const size = view.getUint32(at + 4, true);
  return size > LIMIT ? fail(at) : size;
}

function parse(header: Uint8Array): { marker: number; type: number; size: number } {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  const marker = view.getUint8(0);
  const type = view.getUint8(3);
  if (marker !== 0xdc || view.getUint8(1) !== 1 || view.getUint8(2) !== 8) fail(0);
  if (type < 1 || type > 4) fail(0);
  const size = view.getUint32(4, true);
  return size > LIMIT ? fail(0) : { marker, type, size };
}

function fail(at: number): never {
  throw new Error(`Invalid header at ${at}`);
}
