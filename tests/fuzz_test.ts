/** Tests of the fuzzer: it finds errors, it can be repeated, and it saves what it finds. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bodyTarget } from "../dev/fuzz/body_target.ts";
import { checkRandom, FuzzFailure, makeCase, newTally, runCase } from "../dev/fuzz/campaign.ts";
import { clientTarget } from "../dev/fuzz/client_target.ts";
import { type Decoder, decoderTarget } from "../dev/fuzz/decoder_target.ts";
import { type MotionDecoding, motionTarget } from "../dev/fuzz/motion_target.ts";
import { serverTarget } from "../dev/fuzz/server_target.ts";
import type { Target } from "../dev/fuzz/target.ts";
import { keepVector } from "../dev/fuzz/vector.ts";
import {
  MotionDecoder,
  type MotionDecoderOptions,
  type MotionSink,
} from "../src/motion/decoder.ts";
import { FrameDecoder, type FrameDecoderOptions } from "../src/wire/decoder.ts";
import { RcspError } from "../src/errors.ts";
import { feed, fromHex, toHex } from "./support/frames.ts";
import { test } from "./support/test.ts";

const targets = [decoderTarget(), bodyTarget(), clientTarget(), serverTarget(), motionTarget()];
const SEED = 45_451;
const VECTORS = new URL("./vectors/", import.meta.url);

for (const target of targets) {
  test(`500 cases of the target '${target.name}' match the model`, async () => {
    const tally = newTally();
    for (let i = 0; i < 500; i++) await runCase(target, SEED, i, tally);
    assertEquals(tally.cases, 500);
    assert(tally.frames >= 500, "each case has a frame that was changed");
    assert(tally.outcomes.size >= 4, "they come to different ends");
  });

  test(`the same seed generates the same cases of the target '${target.name}', another seed others`, () => {
    const hex = (seed: number): string[] =>
      Array.from({ length: 50 }, (_, i) => toHex(makeCase(target, seed, i).bytes));
    assertEquals(hex(1), hex(1));
    assert(hex(1).join() !== hex(2).join());
  });
}

/** A broken decoder. */
class Wrong implements Decoder {
  inner: Decoder;

  constructor(options: FrameDecoderOptions) {
    this.inner = new FrameDecoder(options);
  }

  push(...[chunk, sink]: Parameters<Decoder["push"]>): void {
    this.inner.push(chunk, sink);
  }

  end(): void {
    this.inner.end();
  }
}

const WRONG: { what: string; make: (options: FrameDecoderOptions) => Decoder }[] = [
  {
    what: "forgets its error",
    make: (options) =>
      new class extends Wrong {
        override push(...[chunk, sink]: Parameters<Decoder["push"]>): void {
          try {
            super.push(chunk, sink);
          } catch (error) {
            this.inner = new FrameDecoder(options);
            throw error;
          }
        }
      }(options),
  },
  {
    what: "does not tell a cut frame",
    make: (options) =>
      new class extends Wrong {
        override end(): void {
          try {
            super.end();
          } catch (error) {
            if (!(error instanceof RcspError && error.code === "cut-frame")) throw error;
          }
        }
      }(options),
  },
  {
    what: "allows one byte more than maxPayload",
    make: ({ maxPayload = 1 }) => new FrameDecoder({ maxPayload: maxPayload + 1 }),
  },
  {
    what: "loses empty bodies",
    make: (options) =>
      new class extends Wrong {
        override push(...[chunk, sink]: Parameters<Decoder["push"]>): void {
          super.push(chunk, (type, body) => body.length > 0 && sink(type, body));
        }
      }(options),
  },
  {
    what: "gives a body one byte short now and then",
    make: (options) =>
      new class extends Wrong {
        override push(...[chunk, sink]: Parameters<Decoder["push"]>): void {
          super.push(
            chunk,
            (type, body) => sink(type, body.length === 257 ? body.subarray(1) : body),
          );
        }
      }(options),
  },
];

for (const { what, make } of WRONG) {
  test(`a decoder that ${what} is detected, and the case can be repeated by its number`, async () => {
    const wrong = decoderTarget(make);
    const failure = await findFailure(wrong);
    const again = await assertRejects(() => runCase(wrong, SEED, failure.iteration), FuzzFailure);
    assertEquals(toHex(again.bytes), toHex(failure.bytes));
    await runCase(targets[0]!, SEED, failure.iteration);
  });
}

/** A broken decoder of motion. */
class WrongMotion implements MotionDecoding {
  inner: MotionDecoding;
  readonly #options: MotionDecoderOptions;

  constructor(options: MotionDecoderOptions) {
    this.#options = options;
    this.inner = new MotionDecoder(options);
  }

  get skipped(): number {
    return this.inner.skipped;
  }

  push(chunk: Uint8Array, sink: MotionSink): void {
    try {
      this.inner.push(chunk, (prefix, payload) => {
        // A data frame is one byte short now and then.
        sink(prefix, payload.length === 52 ? payload.subarray(1) : payload);
      });
    } catch (error) {
      this.inner = new MotionDecoder(this.#options);
      throw error;
    }
  }

  end(): void {
    this.inner.end();
  }
}

test("a broken decoder of motion is detected, and the case is saved as a vector that passes", async () => {
  const failure = await findFailure(motionTarget((options) => new WrongMotion(options)));
  const folder = await mkdtemp(join(tmpdir(), "fuzz-"));
  try {
    const file = await keepVector(failure, pathToFileURL(`${folder}/`));
    assert(file.endsWith(`motion_streams_fuzz_motion_${SEED}_${failure.iteration}.json`));
    const [vector] = JSON.parse(await readFile(file, "utf8")) as [Kept];
    await checkKeptMotion(vector);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("a failing case is saved as a vector with the expected outcome", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fuzz-"));
  try {
    const failure = await findFailure(decoderTarget(WRONG[1]!.make));
    const file = await keepVector(failure, pathToFileURL(`${folder}/`));
    assert(file.endsWith(`streams_fuzz_decoder_${SEED}_${failure.iteration}.json`));
    const [vector] = JSON.parse(await readFile(file, "utf8")) as [Kept];
    assertEquals(vector.error?.code, "cut-frame");
    await checkKept(vector);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("every saved case passes", async () => {
  const files = (await readdir(VECTORS)).filter((name) => /^\w+_fuzz_.*\.json$/.test(name));
  for (const file of files) {
    const vectors: (Kept | KeptBody)[] = JSON.parse(
      await readFile(new URL(file, VECTORS), "utf8"),
    );
    for (const vector of vectors) {
      if (vector.fuzz.target === "motion") await checkKeptMotion(vector as Kept);
      else if ("body" in vector) {
        await checkAgain(vector.fuzz, fromHex(vector.body), vector.maxDepth);
      } else await checkKept(vector);
    }
  }
});

/** Where a vector came from. */
interface Origin {
  readonly target: string;
  readonly seed: number;
  readonly iteration: number;
}

interface KeptBody {
  readonly body: string;
  readonly maxDepth: number;
  readonly fuzz: Origin;
}

/** A vector of `tests/vectors/README.md` with where it came from. */
interface Kept {
  readonly chunks: string[];
  readonly maxPayload: number;
  readonly frames: { type: number; payload: string }[];
  readonly error?: { code: string; offset: number };
  readonly fuzz: Origin;
}

/** Checks the decoder against the vector, and the target that once failed. */
async function checkKept({ chunks, maxPayload, frames, error, fuzz }: Kept): Promise<void> {
  const outcome = feed(chunks.map(fromHex), { maxPayload });
  assertEquals(
    outcome.frames.map(({ type, payload }) => ({ type, payload: toHex(payload) })),
    frames,
  );
  if (error === undefined) assertEquals(outcome.error, undefined);
  else {
    assertInstanceOf(outcome.error, RcspError);
    assertEquals<string>(outcome.error.code, error.code);
  }
  await checkAgain(fuzz, fromHex(chunks.join("")), maxPayload);
}

/** The same for the motion stream, whose decoder is a part of its target. */
async function checkKeptMotion({ chunks, maxPayload, fuzz }: Kept): Promise<void> {
  await checkAgain(fuzz, fromHex(chunks.join("")), maxPayload);
}

async function checkAgain(origin: Origin, bytes: Uint8Array, limit: number): Promise<void> {
  const target = targets.find(({ name }) => name === origin.target);
  assert(target !== undefined, origin.target);
  await target.check(bytes, checkRandom(target, origin.seed, origin.iteration), limit);
}

async function findFailure(target: Target): Promise<FuzzFailure> {
  for (let i = 0; i < 20_000; i++) {
    try {
      await runCase(target, SEED, i);
    } catch (error) {
      if (error instanceof FuzzFailure) return error;
      throw error;
    }
  }
  throw new Error("nothing was found in 20,000 cases");
}
