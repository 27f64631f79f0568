import { Buffer } from "node:buffer";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLessOrEqual,
  assertThrows,
} from "@std/assert";
import { concat } from "@std/bytes";
import { FrameDecoder } from "../src/wire/decoder.ts";
import { assertProtocolError, frame, fromUtf8, header, oneByOne } from "./support/frames.ts";
import { test } from "./support/test.ts";

const one = frame(4, '{"n":1}');
const two = frame(2, '{"n":22}');

function none(): never {
  throw new Error("no frame should have come");
}

test("a frame comes before push() returns, and not before its last byte", () => {
  const decoder = new FrameDecoder();
  const seen: string[] = [];
  for (const byte of oneByOne(one).slice(0, -1)) decoder.push(byte, none);
  assert(decoder.partial);
  decoder.push(one.subarray(-1), (type, payload) => seen.push(`${type} ${fromUtf8(payload)}`));
  assertEquals(seen, ['4 {"n":1}']);
  assert(!decoder.partial);
});

test("a frame that lies whole in a chunk is a view of that chunk", () => {
  const chunk = concat([one, two]);
  const decoder = new FrameDecoder();
  const places: number[] = [];
  decoder.push(chunk, (_, payload) => {
    assert(payload.buffer === chunk.buffer);
    places.push(payload.byteOffset);
  });
  assertEquals(places, [8, one.length + 8]);
});

test("a body that comes whole after its header is a view of its chunk", () => {
  for (const split of [1, 7, 8]) {
    const decoder = new FrameDecoder();
    decoder.push(one.subarray(0, split), none);
    const rest = one.slice(split);
    let seen = "";
    decoder.push(rest, (_, payload) => {
      assert(payload.buffer === rest.buffer);
      seen = fromUtf8(payload);
    });
    assertEquals(seen, '{"n":1}');
  }
});

test("each payload of a push is right during its call, and copies stay right", () => {
  // The first is gathered from two chunks, the second lies in the chunk, the third takes the place
  // of the first before push() returns.
  const stream = concat([frame(1, "AAAA"), frame(2, "BBBB"), frame(3, "CCCC")]);
  const decoder = new FrameDecoder();
  decoder.push(stream.subarray(0, 10), none);
  const during: string[] = [];
  const copies: Uint8Array[] = [];
  const sink = (_: number, payload: Uint8Array) => {
    during.push(fromUtf8(payload));
    copies.push(payload.slice());
  };
  decoder.push(stream.subarray(10, stream.length - 2), sink);
  decoder.push(stream.subarray(-2), sink);
  assertEquals(during, ["AAAA", "BBBB", "CCCC"]);
  assertEquals(copies.map(fromUtf8), during);
});

test("one read buffer can be used for all chunks", () => {
  const bodies = Array.from({ length: 50 }, (_, i) => String(i).repeat(i));
  const stream = concat(bodies.map((body) => frame(4, body)));
  for (const size of [1, 3, 8, 9, 64, 1000]) {
    const buffer = new Uint8Array(size);
    const decoder = new FrameDecoder();
    const copies: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += size) {
      const chunk = stream.subarray(at, at + size);
      buffer.set(chunk);
      decoder.push(buffer.subarray(0, chunk.length), (_, payload) => copies.push(payload.slice()));
      buffer.fill(0xff);
    }
    decoder.end();
    assertEquals(copies.map(fromUtf8), bodies);
  }
});

// The decoder's own measures.
const FIRST_BUFFER = 8192;
const SHORT_CHUNK = 2048;

test("memory grows with the bytes received, not with the bytes claimed", () => {
  const claimed = 16 * 1024 * 1024;
  const decoder = new FrameDecoder();
  const chunks = [header(2, claimed), new Uint8Array(100)];
  const few = allocatedBy(() => chunks.forEach((chunk) => decoder.push(chunk, none)));
  assertLessOrEqual(few, FIRST_BUFFER);

  let received = 100;
  const piece = new Uint8Array(10_000);
  for (let i = 0; i < 50; i++) {
    received += piece.length;
    const more = allocatedBy(() => decoder.push(piece, none));
    assertLessOrEqual(more, 2 * received);
  }
});

test("the buffer of a split body gets no more than a short chunk longer than the size claimed", () => {
  for (const size of [4097, 10_000, 300_000]) {
    const bytes = frame(2, new Uint8Array(size));
    const decoder = new FrameDecoder();
    let buffer = 0;
    for (let at = 0; at < bytes.length; at += 1000) {
      decoder.push(bytes.subarray(at, at + 1000), (_, payload) => {
        buffer = payload.buffer.byteLength;
      });
    }
    assertLessOrEqual(buffer, Math.max(size + SHORT_CHUNK, FIRST_BUFFER));
    assert(buffer >= size);
  }
});

test("the buffer of split bodies is used again, and let go once it is large", () => {
  const decoder = new FrameDecoder();
  const bufferOf = (size: number): ArrayBufferLike => {
    const bytes = frame(2, new Uint8Array(size));
    let buffer: ArrayBufferLike | undefined;
    decoder.push(bytes.subarray(0, 100), none);
    decoder.push(bytes.subarray(100), (_, payload) => buffer = payload.buffer);
    assert(buffer !== undefined);
    return buffer;
  };
  const first = bufferOf(5_000);
  assert(bufferOf(200) === first);
  assertLessOrEqual(bufferOf(3 * 1024 * 1024).byteLength, 3 * 1024 * 1024 + SHORT_CHUNK);
  assertLessOrEqual(bufferOf(200).byteLength, FIRST_BUFFER);
  const large = bufferOf(1024 * 1024);
  assert(bufferOf(200) === large);
});

test("what a sink throws goes through push() and is final", () => {
  for (const split of [0, 3, 8, 12]) {
    const decoder = new FrameDecoder();
    const failure = new Error("the sink failed");
    const seen: number[] = [];
    const sink = (type: number) => {
      seen.push(type);
      throw failure;
    };
    const stream = concat([one, two]);
    decoder.push(stream.subarray(0, split), none);
    assert(assertThrows(() => decoder.push(stream.subarray(split), sink)) === failure);
    assert(assertThrows(() => decoder.push(two, none)) === failure);
    assert(assertThrows(() => decoder.end()) === failure);
    assertEquals(seen, [4]);
  }
});

test("a sink that throws nothing at all is final too", () => {
  const decoder = new FrameDecoder();
  let caught = 0;
  for (let i = 0; i < 2; i++) {
    try {
      decoder.push(one, () => {
        // deno-lint-ignore no-throw-literal
        throw undefined;
      });
    } catch {
      caught++;
    }
  }
  assertEquals(caught, 2);
});

test("push() from within a sink throws a TypeError and takes nothing", () => {
  const decoder = new FrameDecoder();
  const seen: number[] = [];
  const error = assertThrows(() =>
    decoder.push(one, (type) => {
      seen.push(type);
      decoder.push(two, none);
    }), TypeError);
  assert(assertThrows(() => decoder.push(two, none)) === error);
  assertEquals(seen, [4]);
});

test("a sink that handles the TypeError of its own push() loses no frame", () => {
  const decoder = new FrameDecoder();
  const seen: number[] = [];
  decoder.push(concat([one, two]), (type) => {
    assertThrows(() => decoder.push(two, none), TypeError);
    seen.push(type);
  });
  decoder.push(one, (type) => seen.push(type));
  assertEquals(seen, [4, 2, 4]);
});

test("end() is clean before the first byte, between frames and after empty chunks", () => {
  const decoder = new FrameDecoder();
  decoder.end();
  decoder.push(new Uint8Array(0), none);
  decoder.end();
  decoder.push(one, () => {});
  decoder.push(new Uint8Array(0), none);
  decoder.end();
});

test("end() inside a frame is final", () => {
  const decoder = new FrameDecoder();
  decoder.push(one.subarray(0, 10), none);
  const error = assertProtocolError(() => decoder.end(), "cut-frame");
  assert(assertThrows(() => decoder.end()) === error);
  assert(assertThrows(() => decoder.push(one.subarray(10), none)) === error);
});

test("a decoder takes views of larger buffers and subclasses of Uint8Array", () => {
  class Special extends Uint8Array {}
  const special = Special.from([0, 0, ...one, 0, 0]).subarray(2, -2);
  assertInstanceOf(special, Special);
  const seen: string[] = [];
  const decoder = new FrameDecoder();
  decoder.push(special.subarray(0, 9), none);
  decoder.push(special.subarray(9), (_, payload) => seen.push(fromUtf8(payload)));
  assertEquals(seen, ['{"n":1}']);
});

test("a payload of a Buffer is a plain Uint8Array, so that slice() makes a copy", () => {
  for (let split = 0; split <= one.length; split++) {
    const stream = Buffer.from(concat([one, two]));
    const decoder = new FrameDecoder();
    const copies: Uint8Array[] = [];
    const sink = (_: number, payload: Uint8Array) => copies.push(payload.slice());
    decoder.push(stream.subarray(0, split), sink);
    decoder.push(stream.subarray(split), sink);
    stream.fill(0);
    assertEquals(copies.map(fromUtf8), [fromUtf8(one.subarray(8)), fromUtf8(two.subarray(8))]);
  }
});

/** The bytes of all typed arrays that `run` makes by their length. */
function allocatedBy(run: () => void): number {
  const Original = globalThis.Uint8Array;
  let total = 0;
  globalThis.Uint8Array = new Proxy(Original, {
    construct(target, args, newTarget) {
      if (typeof args[0] === "number") total += args[0];
      return Reflect.construct(target, args, newTarget);
    },
  });
  try {
    run();
  } finally {
    globalThis.Uint8Array = Original;
  }
  return total;
}
