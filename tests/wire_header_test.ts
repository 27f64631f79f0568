import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { HEADER_SIZE, PayloadType, readHeader, writeHeader } from "../src/wire/header.ts";
import { assertProtocolError, fromHex, header, toHex } from "./support/frames.ts";
import { test } from "./support/test.ts";

const known: { type: PayloadType; size: number; hex: string }[] = [
  { type: 1, size: 0, hex: "dc01080100000000" },
  { type: 2, size: 1, hex: "dc01080201000000" },
  { type: 3, size: 13, hex: "dc0108030d000000" },
  { type: 4, size: 0x01020304, hex: "dc01080404030201" },
  { type: 1, size: 16 * 1024 * 1024, hex: "dc01080100000001" },
  { type: 1, size: 2 ** 31 - 1, hex: "dc010801ffffff7f" },
  { type: 1, size: 2 ** 31, hex: "dc01080100000080" },
  { type: 4, size: 2 ** 32 - 1, hex: "dc010804ffffffff" },
];

for (const { type, size, hex } of known) {
  test(`a header of type ${type} and size ${size} is ${hex}, both ways`, () => {
    const bytes = new Uint8Array(HEADER_SIZE);
    writeHeader(bytes, 0, { type, payloadSize: size });
    assertEquals(toHex(bytes), hex);
    assertEquals(readHeader(fromHex(hex)), { type, payloadSize: size });
  });
}

test("the payload types are those of the protocol", () => {
  assertEquals({ ...PayloadType }, { Command: 1, ResponseOk: 2, ResponseError: 3, Event: 4 });
});

test("writeHeader() writes exactly 8 bytes at the offset", () => {
  const bytes = new Uint8Array(12).fill(0xaa);
  writeHeader(bytes, 3, { type: 2, payloadSize: 0x00c0ffee });
  assertEquals(toHex(bytes), "aaaaaa" + "dc010802eeffc000" + "aa");
});

test("readHeader() reads at an offset, also in a view of a larger buffer", () => {
  const buffer = concat([fromHex("ffffff"), header(3, 77), fromHex("ff")]);
  assertEquals(readHeader(buffer, 3), { type: 3, payloadSize: 77 });
  assertEquals(readHeader(buffer.subarray(2), 1), { type: 3, payloadSize: 77 });
});

test("a size written as big-endian is read as little-endian", () => {
  assertEquals(readHeader(fromHex("dc0108020000000d")).payloadSize, 0x0d000000);
});

const places: { offset: number; length: number }[] = [
  { offset: 0, length: 0 },
  { offset: 0, length: 7 },
  { offset: 1, length: 8 },
  { offset: 8, length: 8 },
  { offset: 9, length: 8 },
  { offset: -1, length: 16 },
  { offset: 0.5, length: 16 },
  { offset: NaN, length: 16 },
  { offset: Infinity, length: 16 },
  { offset: 2 ** 32, length: 16 },
];

for (const { offset, length } of places) {
  test(`no header can be read from or written to offset ${offset} of ${length} bytes`, () => {
    const bytes = new Uint8Array(length).fill(0xdc);
    assertThrows(() => readHeader(bytes, offset), RangeError, `offset ${offset}`);
    assertThrows(
      () => writeHeader(bytes, offset, { type: 1, payloadSize: 0 }),
      RangeError,
      `offset ${offset}`,
    );
    assertEquals(bytes, new Uint8Array(length).fill(0xdc));
  });
}

for (const type of [0, 5, 255, -1, 1.5, NaN, "2", null, undefined]) {
  test(`writeHeader() rejects the ${typeof type} ${type} as a type`, () => {
    const wrong = { type: type as PayloadType, payloadSize: 0 };
    const bytes = new Uint8Array(8);
    const error = assertThrows(() => writeHeader(bytes, 0, wrong), RangeError, "'type'");
    assertStringIncludes(error.message, `${type}`);
    assertEquals(bytes, new Uint8Array(8));
  });
}

for (const payloadSize of [-1, 0.5, 2 ** 32, NaN, Infinity, "8", undefined]) {
  test(`writeHeader() rejects the ${typeof payloadSize} ${payloadSize} as a size`, () => {
    const wrong = { type: PayloadType.Event, payloadSize: payloadSize as number };
    const bytes = new Uint8Array(8);
    const error = assertThrows(() => writeHeader(bytes, 0, wrong), RangeError, "'payloadSize'");
    assertStringIncludes(error.message, `${payloadSize}`);
    assertEquals(bytes, new Uint8Array(8));
  });
}

test("every byte other than 0xdc is rejected as a marker", () => {
  for (let marker = 0; marker < 256; marker++) {
    if (marker === 0xdc) continue;
    const bytes = header(1, 0, { marker });
    const error = assertProtocolError(() => readHeader(bytes), "bad-marker");
    assertStringIncludes(error.expected, "0xdc");
    assertStringIncludes(error.received, `0x${toHex(bytes.subarray(0, 1))}`);
  }
});

test("every version other than 1 is rejected", () => {
  for (let version = 0; version < 256; version++) {
    if (version === 1) continue;
    const error = assertProtocolError(() => readHeader(header(1, 0, { version })), "bad-version");
    assertStringIncludes(error.expected, "1");
    assertEquals(error.received, `${version}`);
  }
});

test("every header size other than 8 is rejected", () => {
  for (let headerSize = 0; headerSize < 256; headerSize++) {
    if (headerSize === 8) continue;
    const bytes = header(1, 0, { headerSize });
    const error = assertProtocolError(() => readHeader(bytes), "bad-header-size");
    assertStringIncludes(error.expected, "8");
    assertEquals(error.received, `${headerSize}`);
  }
});

test("every type except 1, 2, 3 and 4 is rejected", () => {
  for (let type = 0; type < 256; type++) {
    if (type >= 1 && type <= 4) continue;
    const error = assertProtocolError(() => readHeader(header(type, 0)), "bad-type");
    assertStringIncludes(error.expected, "1, 2, 3 or 4");
    assertEquals(error.received, `${type}`);
  }
});

test("the error names the first of several invalid fields", () => {
  const all = { marker: 0, version: 0, headerSize: 0 };
  assertProtocolError(() => readHeader(header(0, 0, all)), "bad-marker");
  assertProtocolError(() => readHeader(header(0, 0, { ...all, marker: 0xdc })), "bad-version");
  assertProtocolError(() => readHeader(header(0, 0, { headerSize: 0 })), "bad-header-size");
});

test("the error for an invalid header has its offset and shows its 8 bytes only", () => {
  const bytes = concat([new Uint8Array(5), fromHex("474554202f204854"), fromHex("54502f312e31")]);
  const error = assertProtocolError(() => readHeader(bytes, 5), "bad-marker");
  assertEquals(error.offset, 5);
  assertEquals(error.excerpt, "47 45 54 20 2f 20 48 54");
  assertStringIncludes(error.message, "at byte 5");
  assertStringIncludes(error.message, error.expected);
  assertStringIncludes(error.message, error.received);
  assertStringIncludes(error.message, error.excerpt);
});
