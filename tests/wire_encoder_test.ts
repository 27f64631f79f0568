import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { concat, equals } from "@std/bytes";
import { encodeFrame, FrameBatch, utf8LengthIfOver } from "../src/wire/encoder.ts";
import { PayloadType } from "../src/wire/header.ts";
import { conversation, feed, frame, fromUtf8, toHex } from "./support/frames.ts";
import { test } from "./support/test.ts";

const LONG = 64 * 1024;

const texts: { name: string; text: string; utf8: string }[] = [
  { name: "nothing", text: "", utf8: "" },
  { name: "ASCII", text: '{"a":1}', utf8: "7b2261223a317d" },
  { name: "two-byte characters", text: "é", utf8: "c3a9" },
  { name: "three-byte characters", text: "手套", utf8: "e6898be5a597" },
  { name: "four-byte characters", text: "\u{1f9e4}", utf8: "f09fa7a4" },
  { name: "a lone high surrogate", text: "a\ud83eb", utf8: "61efbfbd62" },
  { name: "a lone low surrogate", text: "\udde4", utf8: "efbfbd" },
  { name: "swapped surrogates", text: "\udde4\ud83e", utf8: "efbfbdefbfbd" },
  { name: "NUL and a byte order mark", text: "\0\ufeff", utf8: "00efbbbf" },
];

for (const { name, text, utf8 } of texts) {
  test(`${name} is framed as UTF-8, its size counted in bytes`, () => {
    const size = utf8.length / 2;
    const expected = `dc010801${size.toString(16).padStart(2, "0")}000000${utf8}`;
    assertEquals(toHex(encodeFrame(PayloadType.Command, text)), expected);
    const batch = new FrameBatch();
    assertEquals(batch.add(PayloadType.Command, text), size);
    assertEquals(toHex(batch.bytes), expected);
    assertEquals(utf8LengthIfOver(text, size - 1), size);
    assertEquals(utf8LengthIfOver(text, size), undefined);
  });
}

test("encodeFrame() copies bytes unchanged", () => {
  const body = Uint8Array.of(0xff, 0x00, 0xc0);
  const encoded = encodeFrame(PayloadType.Event, body);
  body.fill(1);
  assertEquals(toHex(encoded), "dc01080403000000ff00c0");
});

test("encodeFrame() rejects an unknown type", () => {
  for (const type of [0, 5, NaN]) {
    assertThrows(() => encodeFrame(type as PayloadType, "{}"), RangeError, "'type'");
  }
});

test("a frame owns its buffer", () => {
  const encoded = encodeFrame(PayloadType.Event, "{}");
  assertEquals([encoded.byteOffset, encoded.buffer.byteLength], [0, 10]);
});

const units = ["a", "é", "手", "\u{1f9e4}", "\ud83e"];

for (const unit of units) {
  test(`text of ${toHex(encodeFrame(1, unit).subarray(8))} around 64 KiB is framed correctly`, () => {
    for (const length of [LONG - 2, LONG - 1, LONG, LONG + 1, LONG + 2, 3 * LONG]) {
      const text = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      const expected = frame(2, text);
      const batch = new FrameBatch();
      batch.add(PayloadType.ResponseOk, "{}");
      assertEquals(batch.add(PayloadType.ResponseOk, text), expected.length - 8);
      batch.add(PayloadType.ResponseOk, "[]");
      const all = concat([frame(2, "{}"), expected, frame(2, "[]")]);
      assert(equals(batch.bytes, all), `batch of ${length}`);
      assert(equals(encodeFrame(PayloadType.ResponseOk, text), expected), `frame of ${length}`);
    }
  });
}

test("a batch is the concatenation of its frames", () => {
  const batch = new FrameBatch();
  const frames: Uint8Array[] = [];
  for (let i = 0; i < 5000; i++) {
    const { type, body } = conversation[i % conversation.length]!;
    const json = `${body}${i}`;
    assertEquals(batch.add(type as PayloadType, json), new TextEncoder().encode(json).length);
    frames.push(encodeFrame(type as PayloadType, json));
  }
  const all = concat(frames);
  assertEquals(batch.length, all.length);
  assert(equals(batch.bytes, all));
});

test("a batch grows at any fill level", () => {
  for (let length = 4000; length <= 4110; length++) {
    const batch = new FrameBatch();
    batch.addBytes(new Uint8Array(length));
    batch.add(PayloadType.Event, "手");
    assertEquals(toHex(batch.bytes.subarray(length)), "dc01080403000000e6898b");
  }
});

test("a batch allocates at most twice the size of a long text", () => {
  const batch = new FrameBatch();
  batch.add(PayloadType.Event, "x".repeat(1024 * 1024));
  assertLessOrEqual(batch.bytes.buffer.byteLength, 2 * batch.length);
});

test("addBytes() adds encoded frames", () => {
  const batch = new FrameBatch();
  batch.addBytes(new Uint8Array(0));
  assertEquals(batch.length, 0);
  const made = encodeFrame(PayloadType.Event, '{"n":1}');
  batch.add(PayloadType.ResponseOk, "{}");
  batch.addBytes(made);
  batch.addBytes(encodeFrame(PayloadType.Event, "x".repeat(100_000)));
  made.fill(0);
  const { frames, error } = feed([batch.bytes]);
  assertEquals(error, undefined);
  assertEquals(frames.map(({ type }) => type), [2, 4, 4]);
  assertEquals(fromUtf8(frames[1]!.payload), '{"n":1}');
  assertEquals(frames[2]!.payload.length, 100_000);
});

test("clear() keeps the buffer, or releases it once it is large", () => {
  const batch = new FrameBatch();
  batch.add(PayloadType.Event, '{"before":"clear"}');
  const { buffer } = batch.bytes;
  batch.clear();
  assertEquals([batch.length, batch.bytes.length], [0, 0]);
  batch.add(PayloadType.Event, "{}");
  assertEquals(toHex(batch.bytes), "dc010804020000007b7d");
  assert(batch.bytes.buffer === buffer);

  batch.add(PayloadType.Event, "x".repeat(2 * 1024 * 1024));
  batch.clear();
  assertLessOrEqual(batch.bytes.buffer.byteLength, 4096);
  batch.add(PayloadType.Event, "{}");
  assertEquals(toHex(batch.bytes), "dc010804020000007b7d");
});
