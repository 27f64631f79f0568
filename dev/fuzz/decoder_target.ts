/** Compares the decoder with a slow reference decoder on the same bytes. */

import { LimitError, RcspError } from "../../src/errors.ts";
import { randomInteger } from "../../src/simulator/random.ts";
import { FrameDecoder, type FrameDecoderOptions, type FrameSink } from "../../src/wire/decoder.ts";
import { BODIES, frame } from "./frames.ts";
import { Mutator, type Random } from "./mutator.ts";
import { referenceDecode } from "./reference.ts";
import { must, type MutatedInput, type Target } from "./target.ts";

const FRAMES: readonly Uint8Array[] = [
  ...BODIES.flatMap((body, i) => [frame(1 + i % 4, body), frame(1 + (i + 2) % 4, body)]),
  ...[1, 63, 64, 65, 255, 256, 257].map((size) => frame(4, new Uint8Array(size).fill(0x61))),
  frame(2, new Uint8Array(5_000).fill(0x62)),
];
const LARGEST_CHUNKS = [1, 9, 100, 65_536];
const GOOD = frame(2, "{}");

/** A decoder; a test substitutes a broken one. */
export interface Decoder {
  push(chunk: Uint8Array, sink: FrameSink): void;
  end(): void;
}

/** Creates the target for a decoder, by default for `FrameDecoder`. */
export function decoderTarget(
  make: (options: FrameDecoderOptions) => Decoder = (options) => new FrameDecoder(options),
): Target {
  const mutator = new Mutator();
  const buffer = new Uint8Array(65_536);
  return {
    name: "decoder",
    weight: 5,
    limits: [64, 256, 16 * 1024 * 1024],
    make: (random, limit) => makeStream(mutator, random, limit),
    check(bytes, random, maxPayload): string {
      const expected = referenceDecode(bytes, maxPayload);
      const decoder = make({ maxPayload });
      let seen = 0;
      const sink: FrameSink = (type, payload) => {
        const wanted = expected.frames[seen++];
        must(wanted !== undefined, () => `received frame ${seen} of ${expected.frames.length}`);
        must(type === wanted!.type, () => `frame ${seen} has type ${type}, not ${wanted!.type}`);
        const whole = bytes.subarray(wanted!.start, wanted!.end);
        must(same(payload, whole), () => `the body of frame ${seen} differs`);
      };
      const error = feed(decoder, bytes, buffer, random, sink);
      must(
        seen === expected.frames.length,
        () => `received ${seen} frames instead of ${expected.frames.length}`,
      );
      compareError(error, expected.code, expected.offset);
      if (error !== undefined) checkFinal(decoder, error);
      return expected.code ?? "clean";
    },
  };
}

/** A stream of a few frames, at least one of them mutated. */
export function makeStream(mutator: Mutator, random: Random, limit: number): MutatedInput {
  mutator.begin(random, limit);
  const count = randomInteger(random, 1, 12);
  const share = random();
  for (let i = 0; i < count; i++) {
    const last = i === count - 1;
    mutator.add(FRAMES[randomInteger(random, 0, FRAMES.length - 1)]!);
    if (!last && random() > share) continue;
    const kind = last ? random() : 0;
    if (kind < 0.85) mutator.mutate(last ? 0.3 : 0.95);
    else if (kind < 0.92) mutator.splice(FRAMES[randomInteger(random, 0, FRAMES.length - 1)]!);
    else if (kind < 0.96) mutator.truncate();
    else mutator.addNoise(randomInteger(random, 0, 40));
  }
  return { bytes: mutator.bytes, mutated: mutator.mutated };
}

/** Pushes all bytes in chunks of one reused buffer, then ends; returns the error. */
function feed(
  decoder: Decoder,
  bytes: Uint8Array,
  buffer: Uint8Array,
  random: Random,
  sink: FrameSink,
): unknown {
  const largest = LARGEST_CHUNKS[randomInteger(random, 0, LARGEST_CHUNKS.length - 1)]!;
  try {
    for (let at = 0; at < bytes.length;) {
      const size = Math.min(
        bytes.length - at,
        randomInteger(random, largest === 1 ? 1 : 0, largest),
      );
      buffer.set(bytes.subarray(at, at + size));
      decoder.push(buffer.subarray(0, size), sink);
      // A view that is used after its call reads garbage.
      buffer.fill(0xee, 0, size);
      at += size;
    }
    decoder.end();
  } catch (error) {
    return error;
  }
  return undefined;
}

function compareError(error: unknown, code: string | undefined, offset: number): void {
  if (code === undefined) {
    if (error !== undefined) throw error;
    return;
  }
  if (!(error instanceof RcspError)) throw new Error(`expected ${code}`, { cause: error });
  must(error.code === code, () => `${error.code} instead of ${code}: ${error.message}`);
  const place = error instanceof LimitError ? `at byte ${offset} ` : `at byte ${offset}:`;
  must(error.message.includes(place), () => `'${error.message}' lacks '${place}'`);
}

/** After an error, every call must throw that error again. */
function checkFinal(decoder: Decoder, error: unknown): void {
  const again = [
    (): void => decoder.push(GOOD, () => must(false, () => "a frame was emitted after the error")),
    (): void => decoder.end(),
  ];
  for (const run of again) {
    try {
      run();
    } catch (same) {
      if (same === error) continue;
      throw new Error("the second error differs from the first", { cause: same });
    }
    throw new Error("no error after the first");
  }
}

function same(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
