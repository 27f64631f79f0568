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
  throw new Error("expected no frame");
}

test("push() emits a frame with its last byte, before it returns", () => {
  const decoder = new FrameDecoder();
  const seen: string[] = [];
  for (const byte of oneByOne(one).slice(0, -1)) decoder.push(byte, none);
  assert(decoder.partial);
  decoder.push(one.subarray(-1), (type, payload) => seen.push(`${type} ${fromUtf8(payload)}`));
  assertEquals(seen, ['4 {"n":1}']);
  assert(!decoder.partial);
});

test("a frame within one chunk is a view of that chunk", () => {
  const chunk = concat([one, two]);
  const decoder = new FrameDecoder();
  const places: number[] = [];
  decoder.push(chunk, (_, payload) => {
    assert(payload.buffer === chunk.buffer);
    places.push(payload.byteOffset);
  });
  assertEquals(places, [8, one.length + 8]);
});

test("a body within one chunk is a view of that chunk, even if its header was split", () => {
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

test("an invalid header is detected after a frame whose header and body were separate chunks", () => {
  const decoder = new FrameDecoder();
  for (const part of [one.subarray(0, 8), one.subarray(8)]) decoder.push(part, () => {});
  assert(!decoder.partial);
  decoder.push(two.subarray(0, 3), none);
  const error = assertProtocolError(() => decoder.push(new Uint8Array(5), none), "bad-type");
  assertEquals(error.offset, one.length);
});

test("each payload is correct during its call, and copies stay correct", () => {
  // The first is collected from two chunks, the third overwrites it before push() returns.
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

test("one read buffer can be reused for all chunks", () => {
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

// As in the decoder.
const FIRST_BUFFER = 8192;
const SHORT_CHUNK = 2048;

test("memory grows with the bytes received, not with the size declared", () => {
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

test("the buffer of a split frame exceeds the frame by at most a short chunk", () => {
  for (const size of [4097, 10_000, 300_000]) {
    const bytes = frame(2, new Uint8Array(size));
    const decoder = new FrameDecoder();
    let buffer = 0;
    for (let at = 0; at < bytes.length; at += 1000) {
      decoder.push(bytes.subarray(at, at + 1000), (_, payload) => {
        buffer = payload.buffer.byteLength;
      });
    }
    assertLessOrEqual(buffer, Math.max(bytes.length + SHORT_CHUNK, FIRST_BUFFER));
    assert(buffer >= size);
  }
});

test("the buffer of split frames is reused, and released once it is large", () => {
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

test("the buffer of a 1 MiB body is reused, even with short chunks", () => {
  const bytes = frame(2, new Uint8Array(1024 * 1024));
  const decoder = new FrameDecoder();
  const buffers = new Set<ArrayBufferLike>();
  for (let i = 0; i < 3; i++) {
    for (let at = 0; at < bytes.length; at += 1460) {
      const chunk = bytes.subarray(at, at + 1460);
      decoder.push(chunk, (_, payload) => buffers.add(payload.buffer));
    }
  }
  assertEquals(buffers.size, 1);
});

test("a large buffer is released even if no chunk ends with a frame", () => {
  const large = frame(2, new Uint8Array(3 * 1024 * 1024));
  const stream = concat([large, ...Array.from({ length: 1000 }, () => one)]);
  const decoder = new FrameDecoder();
  const sizes: number[] = [];
  for (let at = 0; at < stream.length; at += one.length + 1) {
    const chunk = stream.slice(at, at + one.length + 1);
    decoder.push(chunk, (_, payload) => sizes.push(payload.buffer.byteLength));
  }
  assert(sizes[0]! >= large.length);
  assertLessOrEqual(Math.max(...sizes.slice(-500)), FIRST_BUFFER);
});

test("push() rethrows what the sink throws, and it is final", () => {
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

test("a sink that throws undefined is final too", () => {
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

test("push() from within a sink throws a TypeError and decodes nothing", () => {
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

test("a sink that catches the TypeError of its own push() loses no frame", () => {
  const decoder = new FrameDecoder();
  const seen: number[] = [];
  decoder.push(concat([one, two]), (type) => {
    assertThrows(() => decoder.push(two, none), TypeError);
    seen.push(type);
  });
  decoder.push(one, (type) => seen.push(type));
  assertEquals(seen, [4, 2, 4]);
});

test("end() accepts an empty stream, complete frames and empty chunks", () => {
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

test("push() accepts views of larger buffers and subclasses of Uint8Array", () => {
  class Special extends Uint8Array {}
  const special = Special.from([0, 0, ...one, 0, 0]).subarray(2, -2);
  assertInstanceOf(special, Special);
  const seen: string[] = [];
  const decoder = new FrameDecoder();
  decoder.push(special.subarray(0, 9), none);
  decoder.push(special.subarray(9), (_, payload) => seen.push(fromUtf8(payload)));
  assertEquals(seen, ['{"n":1}']);
});

test("a payload of a Buffer is a plain Uint8Array, so slice() copies", () => {
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

/** Total size of the typed arrays that `run` allocates. */
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
