import process from "node:process";
import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import { LimitError, ProtocolError } from "../src/errors.ts";
import { MotionDecoder } from "../src/motion/decoder.ts";
import { encodeDefinition, encodeDisconnect, encodeMotionFrame } from "../src/motion/frame.ts";
import { cutAt, cutAtRandom, fromUtf8, oneByOne, seeded, toHex } from "./support/frames.ts";
import {
  dataPayload,
  definitionOf,
  feedMotion,
  floats,
  motionFrame,
  motionHeader,
  type MotionOutcome,
  uint32,
} from "./support/motion.ts";
import { test } from "./support/test.ts";

const conversation: [prefix: number, payload: Uint8Array][] = [
  [1, new TextEncoder().encode(JSON.stringify(definitionOf(7, "FLOAT[3]")))],
  [2, dataPayload(7, 0, 12_000, floats(1, 2, 3))],
  [4, Uint8Array.of(1, 2, 3, 4, 5)],
  [2, dataPayload(7, 0, 24_000, floats(1, 2, 3))],
  [2, new Uint8Array(0)],
  [0, new Uint8Array(0)],
  [3, uint32(7)],
];
const frames = conversation.map(([prefix, payload]) => motionFrame(prefix, payload));
const stream = concat(frames);

function assertConversation({ frames, skipped, error }: MotionOutcome): void {
  assertEquals(error, undefined);
  assertEquals(
    frames.map(({ prefix, payload }) => [prefix, toHex(payload)]),
    conversation.filter(([prefix]) => prefix >= 1 && prefix <= 3)
      .map(([prefix, payload]) => [prefix, toHex(payload)]),
  );
  assertEquals(skipped, 2);
}

test("a motion stream comes whole in one chunk, in one chunk per frame and in single bytes", () => {
  assertConversation(feedMotion([stream]));
  assertConversation(feedMotion(frames));
  assertConversation(feedMotion(oneByOne(stream)));
});

test("a motion stream comes whole when it is cut at any two bytes", () => {
  for (let first = 0; first <= stream.length; first++) {
    for (let second = first; second <= stream.length; second += 1 + first % 5) {
      assertConversation(feedMotion(cutAt(stream, first, second)));
    }
  }
});

test("a motion stream comes whole in chunks of random sizes that reuse one buffer", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const decoder = new MotionDecoder();
    const received: MotionOutcome = { frames: [], skipped: 0, error: undefined };
    const buffer = new Uint8Array(stream.length);
    for (const chunk of cutAtRandom(stream, seeded(seed), 1 + seed % 90)) {
      buffer.set(chunk, seed % 7);
      decoder.push(buffer.subarray(seed % 7, seed % 7 + chunk.length), (prefix, payload) => {
        received.frames.push({ prefix, payload: payload.slice() });
      });
      buffer.fill(0xee);
    }
    decoder.end();
    assertConversation({ ...received, skipped: decoder.skipped });
  }
});

test("a frame inside one chunk is a view of the chunk", () => {
  const decoder = new MotionDecoder();
  decoder.push(stream, (_, payload) => assert(payload.buffer === stream.buffer));
});

test("a frame inside a Buffer is a plain Uint8Array, whose slice() is a copy", async () => {
  const { Buffer } = await import("node:buffer");
  const decoder = new MotionDecoder();
  let count = 0;
  decoder.push(Buffer.from(stream), (_, payload) => {
    assert(payload.constructor === Uint8Array);
    count++;
  });
  assertEquals(count, 5);
});

test("a split frame is collected in one buffer, again and again", () => {
  const decoder = new MotionDecoder();
  const buffers = new Set<ArrayBufferLike>();
  for (let i = 0; i < 100; i++) {
    for (const chunk of cutAt(frames[1]!, 12)) {
      decoder.push(chunk, (_, payload) => buffers.add(payload.buffer));
    }
  }
  assertEquals(buffers.size, 1);
});

test("the buffer of a split frame grows with the bytes received, not with the bytes claimed", () => {
  const decoder = new MotionDecoder();
  decoder.push(motionHeader(2, 16 * 1024 * 1024), () => {});
  // Only Node counts these; elsewhere the difference is 0.
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) decoder.push(new Uint8Array(10), () => {});
  assert(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  assert(decoder.partial);
});

test("a frame of megabytes comes whole, also after the one before has grown the buffer", () => {
  const payload = Uint8Array.from({ length: 3_000_000 }, (_, i) => i * 7);
  const two = concat([motionFrame(2, payload), motionFrame(1, "{}"), motionFrame(2, payload)]);
  const { frames, error } = feedMotion(cutAtRandom(two, seeded(3), 70_000));
  assertEquals(error, undefined);
  assertEquals(frames.map(({ payload }) => payload.length), [3_000_000, 2, 3_000_000]);
  for (const i of [0, 2]) assert(frames[i]!.payload.every((byte, at) => byte === payload[at]));
});

test("the buffer of split frames is hardly larger than they are, and is released if it is large", () => {
  const decoder = new MotionDecoder();
  const capacities: number[] = [];
  for (const size of [10_000, 3_000_000, 100]) {
    for (const chunk of cutAtRandom(motionFrame(2, new Uint8Array(size)), seeded(1), size / 9)) {
      decoder.push(chunk, (_, payload) => capacities.push(payload.buffer.byteLength));
    }
  }
  assertEquals(capacities.map((capacity) => capacity < 8193), [false, false, true]);
  assert(capacities[0]! < 12_200 && capacities[1]! < 3_002_200, `${capacities}`);
});

test("frames of all sizes around the buffer's come whole in short chunks", () => {
  const sizes = [
    1,
    2047,
    2048,
    2049,
    4095,
    4096,
    4097,
    6143,
    6144,
    6145,
    8183,
    8184,
    8191,
    8192,
    8193,
  ];
  const all = sizes.map((size) => Uint8Array.from({ length: size }, (_, i) => i * 31 + size));
  const bytes = concat(all.map((payload) => motionFrame(2, payload)));
  for (let seed = 1; seed <= 60; seed++) {
    const { frames, error } = feedMotion(cutAtRandom(bytes, seeded(seed), 2050 - seed));
    assertEquals(error, undefined);
    assert(frames.every(({ payload }, i) => toHex(payload) === toHex(all[i]!)), `seed ${seed}`);
    assertEquals(frames.length, all.length);
  }
});

test("a skipped frame of megabytes uses no memory", () => {
  const decoder = new MotionDecoder();
  const chunk = new Uint8Array(64 * 1024);
  const before = process.memoryUsage().arrayBuffers;
  decoder.push(motionHeader(99, 256 * chunk.length), () => {});
  for (let i = 0; i < 256; i++) decoder.push(chunk, () => {});
  assert(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
  assertEquals([decoder.partial, decoder.skipped], [false, 1]);
});

test("the error of a stream that ends inside a frame reports what was missing", () => {
  const { error } = feedMotion([stream, frames[1]!.subarray(0, 20)]);
  assertInstanceOf(error, ProtocolError);
  assertEquals(error.code, "cut-frame");
  assertEquals(error.offset, stream.length);
  assertEquals([error.expected, error.received], ["28 bytes of payload", "12, then the end"]);
});

test("RCSP on the port is named, with the ports to try", () => {
  const { error } = feedMotion([Uint8Array.of(0xdc, 1, 8, 4, 2, 0, 0, 0, 0x7b, 0x7d)]);
  assertInstanceOf(error, ProtocolError);
  assertMatch(error.message, /RCSP: try port 12276 or 12277/);
});

test("an unknown prefix with a length beyond 'maxPayload' is not RGMP", () => {
  const { error } = feedMotion([new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")]);
  assertInstanceOf(error, ProtocolError);
  assertMatch(error.message, /the other side may not send RGMP/);
});

test("a known prefix with a length beyond 'maxPayload' is a LimitError", () => {
  for (const size of [101, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const { error } = feedMotion([motionHeader(2, size)], { maxPayload: 100 });
    assertInstanceOf(error, LimitError);
    assertEquals([error.limit, error.max], ["maxPayload", 100]);
  }
  assertEquals(
    feedMotion([motionFrame(2, new Uint8Array(100))], { maxPayload: 100 }).error,
    undefined,
  );
  assertThrows(() => new MotionDecoder({ maxPayload: 0 }), RangeError);
});

test("after an error, also one of the sink, the decoder throws it again", () => {
  const decoder = new MotionDecoder();
  const error = new Error("mine");
  assertThrows(
    () =>
      decoder.push(stream, () => {
        throw error;
      }),
    Error,
    "mine",
  );
  assertThrows(() => decoder.push(stream, () => {}), Error, "mine");
  assertThrows(() => decoder.end(), Error, "mine");
});

test("a sink cannot push", () => {
  const decoder = new MotionDecoder();
  assertThrows(() => decoder.push(stream, () => decoder.push(stream, () => {})), TypeError);
});

test("frames are encoded as they are decoded", () => {
  const definition = { device_id: 5, groups: [], name: "✋" };
  const { frames, error } = feedMotion([
    encodeDefinition(definition),
    encodeDefinition(JSON.stringify(definition)),
    encodeDisconnect(2 ** 32 - 1),
    encodeMotionFrame(2, Uint8Array.of(1, 2, 3)),
  ]);
  assertEquals(error, undefined);
  assertEquals(frames.map(({ prefix }) => prefix), [1, 1, 3, 2]);
  assertEquals(JSON.parse(fromUtf8(frames[0]!.payload)), definition);
  assertEquals(toHex(frames[1]!.payload), toHex(frames[0]!.payload));
  assertEquals([toHex(frames[2]!.payload), toHex(frames[3]!.payload)], ["ffffffff", "010203"]);
});
