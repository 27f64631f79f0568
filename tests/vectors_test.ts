import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { readFile } from "node:fs/promises";
import { LimitError, ProtocolError } from "../src/errors.ts";
import { type JsonValue, parseBody } from "../src/message/json.ts";
import { LIMITS } from "../src/limits.ts";
import {
  cutAtRandom,
  feed,
  fromHex,
  oneByOne,
  type Outcome,
  seeded,
  toHex,
} from "./support/frames.ts";
import { test } from "./support/test.ts";

interface StreamVector {
  name: string;
  chunks: string[];
  maxPayload?: number;
  frames: { type: number; payload: string; json?: JsonValue }[];
  error?: { code: string; offset: number };
}

interface BodyVector {
  name: string;
  body: string;
  maxDepth?: number;
  json?: JsonValue;
  error?: { code: string };
}

async function vectors<T>(file: string): Promise<T[]> {
  return JSON.parse(await readFile(new URL(`./vectors/${file}`, import.meta.url), "utf8"));
}

for (const file of ["streams_valid.json", "streams_hostile.json"]) {
  const all = await vectors<StreamVector>(file);

  test(`${file} has vectors with unique names`, () => {
    assert(all.length > 0);
    assertEquals(new Set(all.map(({ name }) => name)).size, all.length);
    for (const { name, error } of all) {
      assertEquals(error !== undefined, file === "streams_hostile.json", name);
    }
  });

  for (const vector of all) {
    test(`${file}: ${vector.name}`, () => {
      const chunks = vector.chunks.map(fromHex);
      const bytes = concat(chunks);
      const { maxPayload } = vector;
      for (const cut of [chunks, [bytes], oneByOne(bytes), cutAtRandom(bytes, seeded(5), 20)]) {
        assertOutcome(feed(cut, { maxPayload }), vector);
      }
    });
  }
}

function assertOutcome({ frames, error }: Outcome, expected: StreamVector): void {
  assertEquals(
    frames.map(({ type, payload }) => ({ type, payload: toHex(payload) })),
    expected.frames.map(({ type, payload }) => ({ type, payload })),
  );
  for (const [i, { json }] of expected.frames.entries()) {
    if (json === undefined) continue;
    assertEquals<JsonValue>(parseBody(frames[i]!.payload, LIMITS.maxDepth), json);
  }
  assertCode(error, expected.error?.code);
  if (error instanceof ProtocolError) assertEquals(error.offset, expected.error?.offset);
  if (error instanceof LimitError) {
    assertStringIncludes(error.message, `at byte ${expected.error?.offset} `);
  }
}

function assertCode(error: unknown, code: string | undefined): void {
  if (code === undefined) {
    assertEquals(error, undefined);
  } else if (code === "limit-reached") {
    assertInstanceOf(error, LimitError);
  } else {
    assertInstanceOf(error, ProtocolError);
    assertEquals<string>(error.code, code);
  }
}

const bodies = await vectors<BodyVector>("bodies.json");

test("bodies.json has vectors with unique names and one outcome each", () => {
  assertEquals(new Set(bodies.map(({ name }) => name)).size, bodies.length);
  assert(bodies.some(({ error }) => error) && bodies.some(({ error }) => !error));
  for (const { name, json, error } of bodies) {
    assertEquals((json === undefined) !== (error === undefined), true, name);
  }
});

for (const { name, body, maxDepth = 64, json, error } of bodies) {
  test(`bodies.json: ${name}`, () => {
    let value: JsonValue | undefined;
    let thrown: unknown;
    try {
      value = parseBody(fromHex(body), maxDepth);
    } catch (error) {
      thrown = error;
    }
    assertCode(thrown, error?.code);
    // As text: some equality functions stumble over a value whose key is `constructor`.
    assertEquals(JSON.stringify(value), JSON.stringify(json));
  });
}
