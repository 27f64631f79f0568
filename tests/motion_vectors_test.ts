import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import { concat } from "@std/bytes";
import { readFile } from "node:fs/promises";
import { LimitError, ProtocolError, RcspError } from "../src/errors.ts";
import type { JsonObject } from "../src/message/json.ts";
import { DataFrame, type Sample } from "../src/motion/data_frame.ts";
import {
  type DeviceDefinition,
  type MotionStream,
  parseDefinitionJson,
  readDefinition,
} from "../src/motion/definition.ts";
import { MotionRegistry } from "../src/motion/registry.ts";
import { cutAtRandom, fromHex, oneByOne, seeded, toHex } from "./support/frames.ts";
import { feedMotion, type MotionOutcome } from "./support/motion.ts";
import { test } from "./support/test.ts";

interface StreamVector {
  name: string;
  chunks: string[];
  maxPayload?: number;
  frames: { prefix: number; payload: string }[];
  skipped?: number;
  error?: { code: string; offset: number };
}

interface DefinitionVector {
  name: string;
  body: string;
  layout?: JsonObject;
  error?: { code: string };
}

interface SampleVector {
  name: string;
  definition: JsonObject;
  groupId: number;
  payload: string;
  time: string;
  values: (number | string)[][];
}

async function vectors<T extends { name: string }>(file: string): Promise<T[]> {
  const path = new URL(`./vectors/${file}`, import.meta.url);
  const all: T[] = JSON.parse(await readFile(path, "utf8"));
  assert(all.length > 0);
  assertEquals(new Set(all.map(({ name }) => name)).size, all.length);
  return all;
}

for (const vector of await vectors<StreamVector>("motion_streams.json")) {
  test(`motion_streams.json: ${vector.name}`, () => {
    const chunks = vector.chunks.map(fromHex);
    const bytes = concat(chunks);
    const { maxPayload } = vector;
    for (const cut of [chunks, [bytes], oneByOne(bytes), cutAtRandom(bytes, seeded(5), 20)]) {
      assertOutcome(feedMotion(cut, { maxPayload }), vector);
    }
  });
}

function assertOutcome({ frames, skipped, error }: MotionOutcome, expected: StreamVector): void {
  assertEquals(
    frames.map(({ prefix, payload }) => ({ prefix, payload: toHex(payload) })),
    expected.frames,
  );
  assertEquals(skipped, expected.skipped ?? 0);
  assertCode(error, expected.error?.code);
  if (error instanceof ProtocolError) assertEquals(error.offset, expected.error?.offset);
  if (error instanceof LimitError) {
    assertStringIncludes(error.message, `at byte ${expected.error?.offset} `);
  }
}

function assertCode(error: unknown, code: string | undefined): void {
  if (code === undefined) return assertEquals(error, undefined);
  assertInstanceOf(error, RcspError);
  assertEquals<string>(error.code, code);
}

for (
  const { name, body, layout, error } of await vectors<DefinitionVector>(
    "motion_definitions.json",
  )
) {
  test(`motion_definitions.json: ${name}`, () => {
    let definition: DeviceDefinition | undefined;
    let thrown: unknown;
    try {
      definition = readDefinition(parseDefinitionJson(fromHex(body)));
    } catch (error) {
      thrown = error;
    }
    assertCode(thrown, error?.code);
    assertEquals(definition && layoutOf(definition), layout);
  });
}

/** What a vector says of a definition. */
function layoutOf({ deviceId, deviceType, timestampEpoch, groups }: DeviceDefinition): unknown {
  return json({
    deviceId,
    deviceType,
    timestampEpoch,
    groups: groups.map(({ id, name, length, byteLength, streams }) => ({
      id,
      name,
      length,
      byteLength,
      streams: streams.map(({ index: _index, ...stream }) => stream),
    })),
  });
}

function json(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

for (const vector of await vectors<SampleVector>("motion_samples.json")) {
  const { name, definition, groupId, payload, time, values } = vector;
  const bytes = fromHex(payload);

  test(`motion_samples.json: ${name}`, () => {
    let sample: Sample | undefined;
    const registry = new MotionRegistry({ onSample: (each) => sample = each });
    registry.receive(1, new TextEncoder().encode(JSON.stringify(definition)));
    for (let shift = 0; shift < 8; shift++) {
      // The same frame at every alignment.
      const chunk = concat([new Uint8Array(shift), bytes]).subarray(shift);
      registry.receive(2, chunk);
      assertInstanceOf(sample, DataFrame);
      assertEquals([sample.group.id, String(sample.deviceTime)], [groupId, time]);
      assertEquals(sample.group.streams.map((stream) => shown(sample!, stream)), values);
      assertEquals(toHex(sample.frame.subarray(8)), payload);
    }
    assertEquals(registry.stats().samples, 8);
  });

  test(`motion_samples.json, encoded: ${name}`, () => {
    const group = readDefinition(definition).groups.find(({ id }) => id === groupId)!;
    const frame = new DataFrame(readDefinition(definition).deviceId, group);
    frame.deviceTime = BigInt(time);
    for (const [i, stream] of group.streams.entries()) {
      const isBig = stream.type === "INT64" || stream.type === "UINT64";
      const numbers = values[i]!.map((value) => isBig ? BigInt(value) : Number(value));
      frame.set(stream, numbers as number[] | bigint[]);
    }
    assertEquals(toHex(frame.frame.subarray(8)), payload);
  });
}

/** Values as a vector writes them: what JSON cannot say is text. */
function shown(sample: Sample, stream: MotionStream): (number | string)[] {
  return Array.from<number | bigint, number | string>(sample.values(stream), (value) => {
    if (Object.is(value, -0)) return "-0";
    return typeof value === "number" && Number.isFinite(value) ? value : String(value);
  });
}
