/** Checks what this project needs from `@std`, for the stand-ins and for the real packages. */

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
import { concat, equals } from "@std/bytes";
import { parseArgs } from "@std/cli/parse-args";
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

test("assertEquals() compares deeply and distinguishes types", () => {
  assertEquals({ a: [1, { b: bytes(1, 2) }] }, { a: [1, { b: bytes(1, 2) }] });
  assertEquals(new Map([[1, new Set(["x"])]]), new Map([[1, new Set(["x"])]]));
  assertEquals<unknown>(NaN, NaN);
  fails(() => assertEquals({ a: 1 }, { a: 2 }));
  fails(() => assertEquals<unknown>({ a: undefined }, {}));
  fails(() => assertEquals<unknown>([1], { 0: 1 }));
  fails(() => assertEquals<unknown>(bytes(1), [1]));
  fails(() => assertEquals(bytes(1, 2), bytes(1, 3)));
});

test("assertEquals() treats 0 and -0 as equal, assertStrictEquals() does not", () => {
  assertEquals(0, -0);
  assertEquals({ a: [1, { b: -0 }] }, { a: [1, { b: 0 }] });
  fails(() => assertNotEquals([-0], [0]));
  fails(() => assertEquals([0, 1], [-0, 2]));
  assertStrictEquals(-0, -0);
  fails(() => assertStrictEquals(0, -0));
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
  assertStringIncludes("abc", "");
  fails(() => assertStringIncludes("abc", "d"));
  assertMatch("abc", /b/);
  fails(() => assertMatch("abc", /d/));
});

test("the comparing assertions pass and fail", () => {
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

test("assertRejects() fails for a function that throws synchronously", async () => {
  const fn = (): Promise<void> => {
    throw new RangeError("too early");
  };
  await assertRejects(() => assertRejects(fn), AssertionError);
});

test("concat() returns a new array", () => {
  const first = bytes(1, 2);
  const joined = concat([first, bytes(), bytes(3)]);
  assertEquals<Uint8Array>(joined, bytes(1, 2, 3));
  first[0] = 9;
  assertEquals(joined[0], 1);
  assertEquals(concat([]).length, 0);
});

test("equals() compares bytes", () => {
  assert(equals(bytes(1, 2), bytes(0, 1, 2).subarray(1)));
  assert(equals(bytes(), bytes()));
  assert(!equals(bytes(1, 2), bytes(1, 2, 3)));
  assert(!equals(bytes(1, 2), bytes(1, 3)));
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

test("parseArgs() does not parse arguments after a double dash", () => {
  assertEquals(parseArgs(["1", "--", "--host", "2"])._, [1, "--host", "2"]);
});

/** Parses, omits unknown arguments, and returns those too. */
function parse(...args: string[]): { parsed: Record<string, unknown>; unknown: unknown[] } {
  const unknown: unknown[] = [];
  const parsed = parseArgs(args, {
    string: ["port"],
    boolean: ["help"],
    alias: { help: "h" },
    unknown: (...args) => {
      unknown.push(args);
      return false;
    },
  });
  return { parsed: { ...parsed }, unknown };
}

const unknowns: [args: string[], unknown: unknown[]][] = [
  [["--other=y"], [["--other=y", "other", "y"]]],
  [["--other", "y", "z"], [["--other", "other", "y"], ["z"]]],
  [["word", "", "-", "7"], [["word"], [""], ["-"], ["7"]]],
  [["--", "word", "--other"], []],
  [["--_"], [["--_", "_", true]]],
  [["--_=1"], [["--_=1", "_", "1"]]],
  [["--constructor"], [["--constructor", "constructor", true]]],
  [["--__proto__=1"], [["--__proto__=1", "__proto__", "1"]]],
  [["--toString", "x"], [["--toString", "toString", "x"]]],
  [["-x"], [["-x", "x", true]]],
  [["-1"], [["-1", "1", true]]],
  [["--no-help"], [["--no-help", "no-help", true]]],
  [["--port="], [["--port=", "port=", true]]],
];

for (const [args, unknown] of unknowns) {
  test(`parseArgs() reports what is unknown in ${JSON.stringify(args)}, and can omit it`, () => {
    const found = parse(...args);
    assertEquals(found.unknown, unknown);
    const _ = args[0] === "--" ? args.slice(1) : [];
    assertEquals(found.parsed, { _, help: false, h: false });
  });
}

test("parseArgs() uses neither an option as a value, nor a word as the value of a boolean", () => {
  assertEquals(parse("--port", "--help").parsed, { _: [], port: "", help: true, h: true });
  assertEquals(parse("--port", "-1").unknown, [["-1", "1", true]]);
  assertEquals(parse("--port=-1").parsed["port"], "-1");
  assertEquals(parse("-h", "word").unknown, [["word"]]);
  assertEquals(parse("--help", "false").parsed["help"], false);
  assertEquals(parse("--help=1").parsed["help"], true);
});

test("parseArgs() keeps any value typed after the letter of a boolean", () => {
  for (
    const [arg, help] of [["-h=1", 1], ["-h=0", 0], ["-h5", 5], ["-h=false", "false"]] as const
  ) {
    assertEquals(parse(arg), { parsed: { _: [], help, h: help }, unknown: [] });
  }
});

test("FixedChunkStream makes chunks of one size, except the last", async () => {
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
