import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { LimitError, ProtocolError, type ProtocolErrorCode } from "../src/errors.ts";
import { LIMITS } from "../src/limits.ts";
import { FrameDecoder } from "../src/wire/decoder.ts";
import { feed, frame, fromHex, fromUtf8, header, oneByOne, utf8 } from "./support/frames.ts";
import { test } from "./support/test.ts";

const good = frame(2, '{"TrackId":"1"}');

const wrong: { name: string; bytes: Uint8Array; code: ProtocolErrorCode; received: string }[] = [
  ...[0x00, 0xdb, 0xff].map((marker) => ({
    name: `the marker ${marker}`,
    bytes: header(1, 0, { marker }),
    code: "bad-marker" as const,
    received: `0x${marker.toString(16).padStart(2, "0")}`,
  })),
  { name: "HTTP", bytes: utf8("GET / HTTP/1.1\r\n\r\n"), code: "bad-marker", received: "0x47" },
  {
    name: "a TLS hello",
    bytes: fromHex("16030100f4010000f0"),
    code: "bad-marker",
    received: "0x16",
  },
  { name: "a byte order mark", bytes: utf8('\ufeff{"a":1}'), code: "bad-marker", received: "0xef" },
  { name: "bare JSON", bytes: utf8('{"TrackId":"1"}'), code: "bad-marker", received: "0x7b" },
  {
    name: "a header of the motion stream",
    bytes: fromHex("0100000010000000"),
    code: "bad-marker",
    received: "0x01",
  },
  ...[0, 2, 255].map((version) => ({
    name: `version ${version}`,
    bytes: header(1, 0, { version }),
    code: "bad-version" as const,
    received: `${version}`,
  })),
  ...[0, 7, 9, 255].map((headerSize) => ({
    name: `header size ${headerSize}`,
    bytes: header(1, 0, { headerSize }),
    code: "bad-header-size" as const,
    received: `${headerSize}`,
  })),
  ...[0, 5, 255].map((type) => ({
    name: `type ${type}`,
    bytes: header(type, 0),
    code: "bad-type" as const,
    received: `${type}`,
  })),
];

for (const { name, bytes, code, received } of wrong) {
  test(`${name} after good frames is ${code} with its offset, in whatever chunks`, () => {
    const stream = concat([good, good, bytes]);
    const cuts = [[stream], [good, good, bytes], oneByOne(stream)];
    for (let at = 1; at < 8; at++) cuts.push([stream.subarray(0, -at), stream.subarray(-at)]);
    for (const chunks of cuts) {
      const { frames, error } = feed(chunks);
      assertEquals(frames.length, 2);
      assertInstanceOf(error, ProtocolError);
      assertEquals(error.code, code);
      assertEquals(error.offset, 2 * good.length);
      assert(error.received.startsWith(received), error.received);
      assertEquals(error.excerpt, bytes.subarray(0, 8).reduce(spaced, ""));
    }
  });
}

function spaced(text: string, byte: number): string {
  return `${text}${text === "" ? "" : " "}${byte.toString(16).padStart(2, "0")}`;
}

test("an invalid header is detected with its 8th byte, not before", () => {
  const decoder = new FrameDecoder();
  const bytes = header(9, 0);
  decoder.push(bytes.subarray(0, 7), () => {});
  assertThrows(() => decoder.push(bytes.subarray(7), () => {}), ProtocolError, "type");
});

test("a size over the limit is detected as soon as the header is complete", () => {
  const decoder = new FrameDecoder({ maxPayload: 10 });
  assertThrows(() => decoder.push(header(2, 11), () => {}), LimitError);
});

for (const size of [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 0x0d000000, LIMITS.maxPayload + 1]) {
  test(`a declared size of ${size} exceeds the default limit`, () => {
    for (const chunks of [[good, header(2, size)], oneByOne(concat([good, header(2, size)]))]) {
      const { frames, error } = feed(chunks);
      assertEquals(frames.length, 1);
      assertInstanceOf(error, LimitError);
      assertEquals(error.code, "limit-reached");
      assertEquals([error.limit, error.max], ["maxPayload", LIMITS.maxPayload]);
      assertStringIncludes(error.message, `at byte ${good.length}`);
      assertStringIncludes(error.message, `${size} bytes`);
    }
  });
}

test("a body as long as the default limit is accepted", () => {
  const bytes = frame(4, new Uint8Array(LIMITS.maxPayload));
  const decoder = new FrameDecoder();
  let length = -1;
  decoder.push(bytes, (_, payload) => length = payload.length);
  assertEquals(length, 16 * 1024 * 1024);
});

for (const maxPayload of [1, 2, 100, 5000]) {
  test(`maxPayload ${maxPayload} accepts bodies of up to ${maxPayload} bytes`, () => {
    for (const size of [0, maxPayload - 1, maxPayload]) {
      const { frames, error } = feed([frame(2, new Uint8Array(size))], { maxPayload });
      assertEquals(error, undefined);
      assertEquals(frames.map(({ payload }) => payload.length), [size]);
    }
    const { frames, error } = feed([frame(2, new Uint8Array(maxPayload + 1))], { maxPayload });
    assertEquals(frames, []);
    assertInstanceOf(error, LimitError);
    assertEquals(error.max, maxPayload);
  });
}

test("maxPayload is at most what the size field can hold", () => {
  const decoder = new FrameDecoder({ maxPayload: 2 ** 32 - 1 });
  decoder.push(header(2, 2 ** 32 - 1), () => {});
  assert(decoder.partial);
  for (const maxPayload of [0, -1, 1.5, NaN, Infinity, 2 ** 32]) {
    assertThrows(() => new FrameDecoder({ maxPayload }), RangeError, "'maxPayload'");
  }
});

test("after an invalid header, valid bytes get the same error", () => {
  const decoder = new FrameDecoder();
  const error = assertThrows(() => decoder.push(utf8("GET / HT"), () => {}), ProtocolError);
  let frames = 0;
  for (const again of [() => decoder.push(good, () => frames++), () => decoder.end()]) {
    assert(assertThrows(again) === error);
  }
  assertEquals(frames, 0);
});

test("offsets count every byte of a long stream", () => {
  const decoder = new FrameDecoder();
  const chunk = concat(Array.from({ length: 1000 }, () => good));
  for (let i = 0; i < 1000; i++) decoder.push(chunk, () => {});
  const error = assertThrows(() => decoder.push(utf8("no marker"), () => {}), ProtocolError);
  assertEquals(error.offset, chunk.length * 1000);
});

test("a million small frames in one chunk all decode", () => {
  const count = 1_000_000;
  const burst = new Uint8Array(10 * count);
  burst.set(frame(4, "{}"));
  for (let filled = 10; filled < burst.length; filled *= 2) {
    burst.copyWithin(filled, 0, Math.min(filled, burst.length - filled));
  }
  let frames = 0;
  let bytes = 0;
  const decoder = new FrameDecoder();
  decoder.push(burst, (_, payload) => {
    frames++;
    bytes += payload.length;
  });
  decoder.end();
  assertEquals([frames, bytes], [count, 2 * count]);
});

test("a long frame decodes in chunks of one byte", () => {
  const body = utf8("0123456789abcdef".repeat(64 * 1024));
  const bytes = frame(2, body);
  const decoder = new FrameDecoder({ maxPayload: body.length });
  let text = "";
  for (let at = 0; at < bytes.length; at++) {
    decoder.push(bytes.subarray(at, at + 1), (_, payload) => text = fromUtf8(payload));
  }
  assert(text === fromUtf8(body));
});
