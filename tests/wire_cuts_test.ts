/** A valid stream yields the same frames however it is split; a truncated one fails with `cut-frame`. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { concat, equals } from "@std/bytes";
import { ProtocolError } from "../src/errors.ts";
import {
  conversation,
  cutAt,
  cutAtRandom,
  feed,
  frame,
  fromUtf8,
  header,
  oneByOne,
  type Outcome,
  seeded,
} from "./support/frames.ts";
import { test } from "./support/test.ts";

const frames = conversation.map(({ type, body }) => frame(type, body));
const stream = concat(frames);

function assertConversation({ frames, error }: Outcome, count = conversation.length): void {
  assertEquals(error, undefined);
  assertEquals(
    frames.map(({ type, payload }) => ({ type, body: fromUtf8(payload) })),
    conversation.slice(0, count),
  );
}

test("the conversation decodes from one chunk", () => {
  assertConversation(feed([stream]));
});

test("the conversation decodes with one frame per chunk", () => {
  assertConversation(feed(frames));
});

test("the conversation decodes in chunks of one byte", () => {
  assertConversation(feed(oneByOne(stream)));
});

test("the conversation decodes with empty chunks between all bytes", () => {
  const empty = new Uint8Array(0);
  assertConversation(feed(oneByOne(stream).flatMap((byte) => [empty, byte, empty])));
});

test("the conversation decodes when split at any byte", () => {
  for (let at = 0; at <= stream.length; at++) assertConversation(feed(cutAt(stream, at)));
});

test("the conversation decodes in chunks of any size", () => {
  for (let size = 1; size <= 300; size++) {
    const offsets = [];
    for (let at = size; at < stream.length; at += size) offsets.push(at);
    assertConversation(feed(cutAt(stream, ...offsets)));
  }
});

test("the conversation decodes in chunks of random sizes", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const chunks = cutAtRandom(stream, seeded(seed), 1 + seed % 90);
    assertConversation(feed(chunks));
  }
});

test("two frames decode when split at any two bytes", () => {
  const pair = concat([frame(2, "{}"), frame(4, ""), frame(3, "[1]")]);
  for (let first = 0; first <= pair.length; first++) {
    for (let second = first; second <= pair.length; second++) {
      const { frames, error } = feed(cutAt(pair, first, second));
      assertEquals(error, undefined);
      assertEquals(frames.map(({ payload }) => fromUtf8(payload)), ["{}", "", "[1]"]);
    }
  }
});

test("a stream that ends between two frames yields the frames before and no error", () => {
  for (let count = 0; count <= frames.length; count++) {
    assertConversation(feed(frames.slice(0, count)), count);
  }
});

test("a stream that ends inside a frame yields the frames before, then cut-frame", () => {
  for (const split of [0, 1, 5]) {
    let start = 0;
    for (const [index, bytes] of frames.entries()) {
      for (let inside = 1; inside < bytes.length; inside++) {
        const cut = stream.subarray(0, start + inside);
        const { frames, error } = feed(cutAt(cut, Math.max(0, cut.length - split)));
        assertEquals(frames.length, index);
        assertInstanceOf(error, ProtocolError);
        assertEquals(error.code, "cut-frame");
        assertEquals(error.offset, start);
      }
      start += bytes.length;
    }
  }
});

test("the error for a truncated header shows the bytes received and their number", () => {
  for (let count = 1; count <= 7; count++) {
    const { error } = feed([frame(2, "{}"), header(4, 5).subarray(0, count)]);
    assertInstanceOf(error, ProtocolError);
    assertEquals(error.expected, "8 bytes of header");
    assertEquals(error.received, `${count}, then the end`);
    assertEquals(error.offset, 10);
    assertEquals(error.excerpt, "dc 01 08 04 05 00 00 00".slice(0, count * 3 - 1));
  }
});

test("the error for a truncated body shows the header and the number of bytes received", () => {
  for (let count = 0; count <= 4; count++) {
    const { error } = feed([frame(2, "{}"), header(4, 5), new Uint8Array(count)]);
    assertInstanceOf(error, ProtocolError);
    assertEquals(error.expected, "5 bytes of body");
    assertEquals(error.received, `${count}, then the end`);
    assertEquals(error.offset, 10);
    assertEquals(error.excerpt, "dc 01 08 04 05 00 00 00");
  }
});

test("long bodies decode in chunks that end before, at and after their boundaries", () => {
  const random = seeded(45_451);
  const sizes = [0, 1, 23, 24, 25, 4095, 4096, 4097, 8191, 8192, 70_000];
  const bodies = sizes.map((size) => Uint8Array.from({ length: size }, () => random() * 256));
  const bytes = concat(bodies.map((body) => frame(1, body)));
  for (let seed = 1; seed <= 20; seed++) {
    const { frames, error } = feed(cutAtRandom(bytes, seeded(seed), 10 ** (seed % 5)));
    assertEquals(error, undefined);
    assertEquals(frames.length, bodies.length);
    frames.forEach(({ payload }, i) => assert(equals(payload, bodies[i]!), `body ${i}`));
  }
});
