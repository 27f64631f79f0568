/** Pins what this project relies on in `@std`; holds for the stand-ins and the real packages. */

import {
  assert,
  assertEquals,
  assertExists,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { concat, equals, indexOfNeedle, startsWith } from "@std/bytes";
import { parseArgs } from "@std/cli/parse-args";
import { TextLineStream, toArrayBuffer } from "@std/streams";
import { FixedChunkStream } from "@std/streams/unstable-fixed-chunk-stream";
import { test } from "./support/test.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function fails(fn: () => unknown): void {
  assertThrows(fn, AssertionError);
}

async function collect<T>(stream: ReadableStream<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

test("assertEquals() compares deeply and tells types apart", () => {
  assertEquals({ a: [1, { b: bytes(1, 2) }] }, { a: [1, { b: bytes(1, 2) }] });
  assertEquals(new Map([[1, new Set(["x"])]]), new Map([[1, new Set(["x"])]]));
  assertEquals<unknown>(NaN, NaN);
  fails(() => assertEquals({ a: 1 }, { a: 2 }));
  fails(() => assertEquals<unknown>({ a: undefined }, {}));
  fails(() => assertEquals<unknown>([1], { 0: 1 }));
  fails(() => assertEquals<unknown>(bytes(1), [1]));
  fails(() => assertEquals(bytes(1, 2), bytes(1, 3)));
});

test("assertEquals() shows both values and the message", () => {
  const error = assertThrows(() => assertEquals([1], [2], "the reason"), AssertionError);
  assertMatch(error.message, /the reason[^]*1[^]*2/);
});

test("the simple assertions pass and fail", () => {
  assert(1);
  fails(() => assert(0));
  assertNotEquals({ a: 1 }, { a: 2 });
  fails(() => assertNotEquals({ a: 1 }, { a: 1 }));
  const same = {};
  assertStrictEquals(same, same);
  fails(() => assertStrictEquals({}, {}));
  assertExists(0);
  fails(() => assertExists(null));
  fails(() => assertExists(undefined));
  assertInstanceOf(new TypeError(), Error);
  fails(() => assertInstanceOf({}, Error));
  assertStringIncludes("abc", "b");
  fails(() => assertStringIncludes("abc", "d"));
  assertMatch("abc", /b/);
  fails(() => assertMatch("abc", /d/));
});

test("the orders pass and fail", () => {
  assertGreaterOrEqual(2, 2);
  fails(() => assertGreaterOrEqual(1, 2));
  assertLess(1, 2);
  fails(() => assertLess(2, 2));
  assertLessOrEqual(2, 2);
  fails(() => assertLessOrEqual(3, 2));
});

test("assertThrows() returns what was thrown and checks class and message", () => {
  const thrown = new RangeError("too far");
  const fn = () => {
    throw thrown;
  };
  assertStrictEquals(assertThrows(fn), thrown);
  assertStrictEquals(assertThrows(fn, RangeError, "far"), thrown);
  fails(() => assertThrows(fn, TypeError));
  fails(() => assertThrows(fn, RangeError, "near"));
  fails(() => assertThrows(() => {}));
});

test("assertRejects() returns the reason and checks class and message", async () => {
  const reason = new RangeError("too far");
  const fn = () => Promise.reject(reason);
  assertStrictEquals(await assertRejects(fn), reason);
  assertStrictEquals(await assertRejects(fn, RangeError, "far"), reason);
  await assertRejects(() => assertRejects(fn, TypeError), AssertionError);
  await assertRejects(() => assertRejects(fn, RangeError, "near"), AssertionError);
  await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError);
});

test("assertRejects() fails for a function that throws at once", async () => {
  const fn = (): Promise<void> => {
    throw new RangeError("too early");
  };
  await assertRejects(() => assertRejects(fn), AssertionError);
});

test("concat() makes a new array", () => {
  const first = bytes(1, 2);
  const joined = concat([first, bytes(), bytes(3)]);
  assertEquals<Uint8Array>(joined, bytes(1, 2, 3));
  first[0] = 9;
  assertEquals(joined[0], 1);
  assertEquals(concat([]).length, 0);
});

test("equals() and startsWith() compare bytes", () => {
  assert(equals(bytes(1, 2), bytes(0, 1, 2).subarray(1)));
  assert(!equals(bytes(1, 2), bytes(1, 2, 3)));
  assert(startsWith(bytes(1, 2, 3), bytes(1, 2)));
  assert(startsWith(bytes(1), bytes()));
  assert(!startsWith(bytes(1), bytes(1, 2)));
});

test("indexOfNeedle() finds the first place at or after the start", () => {
  assertEquals(indexOfNeedle(bytes(0, 1, 2, 1, 2), bytes(1, 2)), 1);
  assertEquals(indexOfNeedle(bytes(0, 1, 2, 1, 2), bytes(1, 2), 2), 3);
  assertEquals(indexOfNeedle(bytes(0, 1, 2, 1, 2), bytes(1, 2), -2), 3);
  assertEquals(indexOfNeedle(bytes(0, 1), bytes(1, 2)), -1);
  assertEquals(indexOfNeedle(bytes(1), bytes(1), 5), -1);
});

test("parseArgs() reads strings, booleans, aliases and defaults", () => {
  const args = parseArgs(["--host", "box", "-v", "--port=80", "7", "left"], {
    string: ["host", "port", "name"],
    boolean: ["verbose", "simulate"],
    alias: { v: "verbose" },
    default: { name: "none" },
  });
  assertEquals(args.host, "box");
  assertEquals(args.port, "80");
  assertEquals(args.name, "none");
  assertEquals(args.verbose, true);
  assertEquals(args.simulate, false);
  assertEquals(args._, [7, "left"]);
});

test("parseArgs() keeps what follows a double dash apart on request", () => {
  const args = parseArgs(["a", "--", "--host", "1"], { "--": true });
  assertEquals(args._, ["a"]);
  assertEquals(args["--"], ["--host", "1"]);
  assertEquals(parseArgs(["--", "--host"])._, ["--host"]);
});

test("parseArgs() collects, negates and stops early", () => {
  const collected = parseArgs(["--topic", "a", "--topic=b"], {
    string: ["topic"],
    collect: ["topic"],
  });
  assertEquals(collected.topic, ["a", "b"]);
  const negated = parseArgs(["--no-color"], { boolean: ["color"], negatable: ["color"] });
  assertEquals(negated.color, false);
  const stopped = parseArgs(["-v", "run", "-w"], { boolean: ["v", "w"], stopEarly: true });
  assertEquals([stopped.v, stopped.w, ...stopped._], [true, false, "run", "-w"]);
});

test("parseArgs() tells of unknown options and leaves them out on false", () => {
  const seen: unknown[] = [];
  const args = parseArgs(["--known", "x", "--other=y"], {
    string: ["known"],
    unknown: (arg, key, value) => {
      seen.push([arg, key, value]);
      return false;
    },
  });
  assertEquals(seen, [["--other=y", "other", "y"]]);
  assertEquals("other" in args, false);
});

test("TextLineStream cuts lines across chunks", async () => {
  const lines = new ReadableStream<string>({
    start(controller): void {
      for (const chunk of ["one\ntw", "o\r\n\nla", "st"]) controller.enqueue(chunk);
      controller.close();
    },
  }).pipeThrough(new TextLineStream());
  assertEquals(await collect(lines), ["one", "two", "", "last"]);
});

test("TextLineStream gives no empty line after the last line end", async () => {
  const lines = new Blob(["one\n"]).stream()
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  assertEquals(await collect(lines), ["one"]);
});

test("FixedChunkStream makes chunks of one size but for the last", async () => {
  const chunks = new ReadableStream<Uint8Array>({
    start(controller): void {
      controller.enqueue(bytes(1, 2, 3, 4, 5));
      controller.enqueue(bytes(6));
      controller.enqueue(bytes(7));
      controller.close();
    },
  }).pipeThrough(new FixedChunkStream(3));
  assertEquals(await collect(chunks), [bytes(1, 2, 3), bytes(4, 5, 6), bytes(7)]);
});

test("toArrayBuffer() reads a stream to its end", async () => {
  const buffer = await toArrayBuffer(new Blob([bytes(1, 2) as BlobPart, "a"]).stream());
  assertEquals(new Uint8Array(buffer), new Uint8Array([1, 2, 97]));
});
