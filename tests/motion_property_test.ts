import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import { RcspError } from "../src/errors.ts";
import type { JsonObject } from "../src/message/json.ts";
import { DataFrame } from "../src/motion/data_frame.ts";
import { parseDefinitionJson, readDefinition } from "../src/motion/definition.ts";
import { MotionDecoder } from "../src/motion/decoder.ts";
import { encodeDefinition, encodeMotionFrame } from "../src/motion/frame.ts";
import { handDefinition } from "../src/motion/hand_model.ts";
import { MotionRegistry } from "../src/motion/registry.ts";
import { toHex, utf8 } from "./support/frames.ts";
import { feedMotion } from "./support/motion.ts";
import { test } from "./support/test.ts";

const RUNS = 300;
const name = fc.string({ unit: "binary", maxLength: 8 });
const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const dataType = fc.tuple(
  fc.constantFrom("INT32", "UINT32", "INT64", "UINT64", "FLOAT", "DOUBLE"),
  fc.oneof(
    fc.constant(""),
    fc.integer({ min: 1, max: 9 }).map((n) => `[${n}]`),
    fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(",", ", "),
      fc.integer({ min: 1, max: 4 }),
    )
      .map(([n, comma, m]) => `[${n}${comma}${m}]`),
  ),
).map(([type, shape]) => type + shape);
const stream = fc.record(
  { data_type: dataType, measure_type: name, target_frame: name, reference_frame: name },
  { requiredKeys: ["data_type"] },
);
const definition = fc.record({
  device_id: uint32,
  device_type: name,
  groups: fc.array(fc.record({ name, streams: fc.array(stream, { maxLength: 8 }) }), {
    minLength: 1,
    maxLength: 4,
  }),
}) as unknown as fc.Arbitrary<JsonObject>;

test("any bytes for any definition are read as a DataView reads them, at any alignment", () => {
  fc.assert(
    fc.property(definition, fc.nat(7), fc.integer(), (json, shift, seed) => {
      const { deviceId, groups } = readDefinition(json);
      const registry = new MotionRegistry();
      registry.receive(1, utf8(JSON.stringify(json)));
      for (const group of groups) {
        const chunk = Uint8Array.from(
          { length: shift + 16 + group.byteLength },
          (_, i) => Math.imul(seed ^ i, 0x9e3779b1) >>> 24,
        );
        const payload = chunk.subarray(shift);
        const view = new DataView(chunk.buffer, shift);
        view.setUint32(0, deviceId, true);
        view.setUint32(4, group.id, true);
        registry.receive(2, payload);
        const sample = registry.device(deviceId)!.sample(group.id)!;
        assertEquals(sample.deviceTime, view.getBigUint64(8, true));
        const flat: number[] = [];
        let at = 16;
        for (const each of sample.group.streams) {
          const { type, length } = each;
          const expected = Array.from({ length }, () => {
            const value = {
              INT32: () => view.getInt32(at, true),
              UINT32: () => view.getUint32(at, true),
              INT64: () => view.getBigInt64(at, true),
              UINT64: () => view.getBigUint64(at, true),
              FLOAT: () => view.getFloat32(at, true),
              DOUBLE: () => view.getFloat64(at, true),
            }[type]();
            at += type.endsWith("64") || type === "DOUBLE" ? 8 : 4;
            return value;
          });
          const values = [...sample.values(each)] as (number | bigint)[];
          assert(
            values.every((value, i) => Object.is(value, expected[i])),
            `${values} ${expected}`,
          );
          flat.push(...expected.map((value) => Math.fround(Number(value))));
        }
        const target = new Float32Array(group.length);
        assertEquals(sample.copyInto(target), group.length);
        assert(flat.every((value, i) => Object.is(value, target[i])));
      }
    }),
    { numRuns: RUNS },
  );
});

test("values that are set in a frame come out of a decoder, cut anywhere", () => {
  fc.assert(
    fc.property(
      definition,
      fc.array(fc.nat(60), { maxLength: 20 }),
      fc.nat(),
      (json, sizes, seed) => {
        const { deviceId, groups } = readDefinition(json);
        const frames = groups.map((group) => {
          const frame = new DataFrame(deviceId, group);
          frame.deviceTime = BigInt(seed);
          for (const each of group.streams) {
            const isBig = each.type === "INT64" || each.type === "UINT64";
            const value = (i: number) => isBig ? BigInt(seed + i) : (seed + i) % 1000;
            frame.set(each, Array.from({ length: each.length }, (_, i) => value(i)) as number[]);
          }
          return frame;
        });
        const bytes = concat([encodeDefinition(json), ...frames.map(({ frame }) => frame)]);
        const registry = new MotionRegistry();
        const decoder = new MotionDecoder();
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          decoder.push(bytes.slice(at, at + size), registry.receive);
          at += size;
        }
        decoder.end();
        for (const frame of frames) {
          const sample = registry.device(deviceId)!.sample(frame.group.id)!;
          assertEquals(toHex(sample.frame), toHex(frame.frame));
          for (const [i, each] of frame.group.streams.entries()) {
            assertEquals([...sample.values(sample.group.streams[i]!)], [...frame.values(each)]);
          }
        }
      },
    ),
    { numRuns: RUNS },
  );
});

test("any split of any frames gives the same frames", () => {
  const frames = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 3 }), fc.uint8Array({ maxLength: 300 })),
  );
  fc.assert(
    fc.property(frames, fc.array(fc.nat(80)), (sent, sizes) => {
      const bytes = concat(sent.map(([prefix, payload]) => encodeMotionFrame(prefix, payload)));
      let at = 0;
      const chunks = [...sizes, bytes.length].map((size) => bytes.slice(at, at += size));
      const { frames, error } = feedMotion(chunks);
      assertEquals(error, undefined);
      assertEquals(frames, sent.map(([prefix, payload]) => ({ prefix, payload: payload.slice() })));
    }),
    { numRuns: RUNS },
  );
});

test("a registry reports an error for any JSON that is not a definition, and never throws", () => {
  const loose = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.record({ device_id: uint32, groups: fc.jsonValue(), static_data: fc.jsonValue() }, {
      requiredKeys: ["device_id"],
    }),
  );
  fc.assert(
    fc.property(fc.array(loose), (values) => {
      let errors = 0;
      const registry = new MotionRegistry({
        onError: (error) => {
          assert(error instanceof RcspError);
          errors++;
        },
      });
      for (const value of values) registry.receive(1, utf8(JSON.stringify(value)));
      assertEquals(errors, registry.stats().badDefinitions);
    }),
    { numRuns: RUNS },
  );
});

test("a hand's definition with any part replaced is a hand, or a reported error", () => {
  const original = JSON.stringify(handDefinition("left", 5, true));
  const parts = [...original.matchAll(/"[^"]*"|-?\d[\d.e-]*|\[|\{/g)].map((match) => match);
  const other = fc.constantFrom(
    '"x"',
    "null",
    "7",
    "-1",
    "[]",
    "{}",
    '"left_hand"',
    '"FLOAT[7]"',
    "",
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(parts.length - 1), other), { minLength: 1, maxLength: 3 }),
      (edits) => {
        let text = original;
        for (const [part, replacement] of edits.toSorted((a, b) => b[0] - a[0])) {
          const { index, 0: old } = parts[part]!;
          text = text.slice(0, index) + replacement + text.slice(index + old.length);
        }
        const errors: unknown[] = [];
        const registry = new MotionRegistry({ onError: (error) => errors.push(error) });
        registry.receive(1, utf8(text));
        const device = registry.devices()[0];
        if (device?.definition === undefined) assertEquals(errors.length, 1);
        for (const { id, byteLength } of device?.definition?.groups ?? []) {
          const payload = new Uint8Array(16 + byteLength).fill(0x3e);
          new DataView(payload.buffer).setUint32(0, device!.id, true);
          new DataView(payload.buffer).setUint32(4, id, true);
          registry.receive(2, payload);
        }
        device?.hand?.measure();
      },
    ),
    { numRuns: RUNS },
  );
});

test("any bytes as a definition are a definition or an RcspError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (payload) => {
      try {
        readDefinition(parseDefinitionJson(payload));
      } catch (error) {
        assert(error instanceof RcspError, `${error}`);
      }
    }),
    { numRuns: RUNS },
  );
});
