/**
 * Fuzz target for the motion stream: decoder and registry are compared with a slow model, and every
 * eighth case goes through a client, which must work afterwards.
 */

import { Buffer } from "node:buffer";
import { concat } from "@std/bytes";
import { readFileSync } from "node:fs";
import { LimitError, RcspError } from "../../src/errors.ts";
import {
  MotionDecoder,
  type MotionDecoderOptions,
  type MotionSink,
} from "../../src/motion/decoder.ts";
import { type MotionClient, openMotionClient } from "../../src/motion/motion_client.ts";
import { MotionRegistry, type MotionStats } from "../../src/motion/registry.ts";
import { SimulatedHand } from "../../src/motion/simulated_hand.ts";
import { randomInteger } from "../../src/simulator/random.ts";
import { FakeClock } from "../../tests/support/fake_clock.ts";
import { fromHex } from "../../tests/support/frames.ts";
import { dataPayload, definitionOf, motionFrame, uint32 } from "../../tests/support/motion.ts";
import { frame as rcspFrame } from "./frames.ts";
import { type ReferenceMotion, referenceMotion, referenceValues } from "./motion_reference.ts";
import { Mutator, type Random } from "./mutator.ts";
import { FuzzSocket } from "./socket.ts";
import { must, type MutatedInput, type Target, turn } from "./target.ts";

const LARGEST_CHUNKS = [1, 9, 100, 65_536];
/** Longer than the longest wait before a reconnect. */
const LONG = 20_000;
const GOOD = concat([
  motionFrame(1, definitionOf(77, "UINT32")),
  motionFrame(2, dataPayload(77, 0, 5, uint32(42))),
]);

/** A decoder; a test substitutes a broken one. */
export interface MotionDecoding {
  push(chunk: Uint8Array, sink: MotionSink): void;
  end(): void;
  readonly skipped: number;
}

/** Frames that fit each other, so that data mostly meets its definition. */
class Frames {
  readonly definitions: readonly Uint8Array[];
  /** Each with how often it is taken. */
  readonly #kinds: readonly [share: number, frames: readonly Uint8Array[]][];

  constructor() {
    const hand = new SimulatedHand({ side: "left", deviceId: 4 });
    const types = ["FLOAT[7]", "DOUBLE", "INT64[2]", "UINT32[2, 2]"];
    const sizes = [28, 36, 52];
    const data = Array.from({ length: 60 }, (_, i) => {
      const values = Uint8Array.from({ length: sizes[i % 3]! }, (_, byte) => (byte * 37 + i) % 256);
      return motionFrame(2, dataPayload(1 + i % 3, 0, 1_000_000 + 1_000 * i, values));
    });
    const handData = [0, 12, 24].flatMap((time) => hand.framesAt(time).map((each) => each.slice()));
    const vectors: { body: string }[] = JSON.parse(
      readFileSync(new URL("../../tests/vectors/motion_definitions.json", import.meta.url), "utf8"),
    );
    const odd = vectors.map(({ body }) => fromHex(body)).filter(({ length }) => length < 2_000);
    this.definitions = [
      ...[1, 2, 3].map((id) => motionFrame(1, definitionOf(id, ...types.slice(0, id)))),
      motionFrame(1, hand.definition),
    ];
    this.#kinds = [
      [0.7, data],
      [0.1, handData],
      [0.05, this.definitions.slice(0, 3)],
      [0.04, [1, 2, 3, 4, 5].map((id) => motionFrame(3, uint32(id)))],
      [0.06, odd.map((body) => motionFrame(1, body))],
      [1, [
        motionFrame(0, new Uint8Array(3)),
        motionFrame(4, new Uint8Array(0)),
        rcspFrame(4, "{}"),
      ]],
    ];
  }

  pick(random: Random): Uint8Array {
    let left = random();
    const [, frames] = this.#kinds.find(([share]) => (left -= share) < 0)!;
    return frames[randomInteger(random, 0, frames.length - 1)]!;
  }
}

/** Creates the target for a decoder, by default for `MotionDecoder`. */
export function motionTarget(
  makeDecoder: (options: MotionDecoderOptions) => MotionDecoding = (options) =>
    new MotionDecoder(options),
): Target {
  const mutator = new Mutator();
  const frames = new Frames();
  const buffer = new Uint8Array(65_536);
  return {
    name: "motion",
    weight: 3,
    limits: [1_024, 20_000, 16 * 1024 * 1024],
    make: (random, limit) => makeStream(mutator, frames, random, limit),
    check(bytes, random, maxPayload): string | Promise<string> {
      const expected = referenceMotion(bytes, maxPayload);
      checkDecoder(makeDecoder({ maxPayload }), bytes, expected, buffer, random);
      const stats = checkRegistry(bytes, expected);
      if (random() > 1 / 8) return expected.code ?? "clean";
      return checkClient(bytes, expected, stats, maxPayload, random);
    },
  };
}

/** A stream of some frames, at least one of them mutated. */
function makeStream(
  mutator: Mutator,
  frames: Frames,
  random: Random,
  limit: number,
): MutatedInput {
  mutator.begin(random, limit);
  const count = randomInteger(random, 1, 20);
  const share = random() * random();
  for (let i = 0; i < count; i++) {
    // The hand, which is last, is long: now and then.
    const definition = i < frames.definitions.length && random() < (i === 3 ? 0.2 : 0.8);
    mutator.add(definition ? frames.definitions[i]! : frames.pick(random));
    if (random() < share) mutator.mutate(0.95);
  }
  const kind = random();
  if (kind < 0.5 || mutator.mutated === 0) mutator.mutate(0.6);
  else if (kind < 0.6) mutator.splice(frames.pick(random));
  else if (kind < 0.7) mutator.truncate();
  else if (kind < 0.75) mutator.addNoise(randomInteger(random, 0, 40));
  return { bytes: mutator.bytes, mutated: mutator.mutated };
}

function checkDecoder(
  decoder: MotionDecoding,
  bytes: Uint8Array,
  { frames, skipped, code, offset }: ReferenceMotion,
  buffer: Uint8Array,
  random: Random,
): void {
  let seen = 0;
  const error = feed(decoder, bytes, buffer, random, (prefix, payload) => {
    const wanted = frames[seen++];
    must(wanted !== undefined, () => `received frame ${seen} of ${frames.length}`);
    must(prefix === wanted!.prefix, () => `frame ${seen} has prefix ${prefix}`);
    must(
      Buffer.compare(payload, bytes.subarray(wanted!.start, wanted!.end)) === 0,
      () => `the payload of frame ${seen} differs`,
    );
  });
  must(seen === frames.length, () => `received ${seen} frames instead of ${frames.length}`);
  must(decoder.skipped === skipped, () => `${decoder.skipped} skipped instead of ${skipped}`);
  if (error === undefined || code === undefined) {
    must(error === code, () => `${error} instead of ${code}`);
    return;
  }
  if (!(error instanceof RcspError)) throw error;
  must(error.code === code, () => `${error.code} instead of ${code}: ${error.message}`);
  const place = error instanceof LimitError ? `at byte ${offset} ` : `at byte ${offset}:`;
  must(error.message.includes(place), () => `'${error.message}' lacks '${place}'`);
  const again = thrownBy(() => decoder.push(GOOD, () => must(false, () => "went on after it")));
  must(again === error && thrownBy(() => decoder.end()) === error, () => "the error is forgotten");
}

/** Pushes all bytes in chunks of one reused buffer, then ends; returns the error. */
function feed(
  decoder: MotionDecoding,
  bytes: Uint8Array,
  buffer: Uint8Array,
  random: Random,
  sink: MotionSink,
): unknown {
  const largest = LARGEST_CHUNKS[randomInteger(random, 0, LARGEST_CHUNKS.length - 1)]!;
  return thrownBy(() => {
    for (let at = 0; at < bytes.length;) {
      const size = Math.min(bytes.length - at, randomInteger(random, 1, largest));
      buffer.set(bytes.subarray(at, at + size));
      decoder.push(buffer.subarray(0, size), sink);
      // A view that is used after its call reads garbage.
      buffer.fill(0xee, 0, size);
      at += size;
    }
    decoder.end();
  });
}

function thrownBy(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Every frame counts once, and every sample has the values that the model reads. */
function checkRegistry(bytes: Uint8Array, { frames }: ReferenceMotion): MotionStats {
  let errors = 0;
  let payload = bytes;
  const registry = new MotionRegistry({
    now: () => 1_000,
    onError: (error) => {
      if (!(error instanceof RcspError)) throw error;
      errors++;
    },
    onSample(sample, { definition, hand }) {
      const values = referenceValues(definition!.raw, sample.group.id, payload);
      must(values !== undefined, () => "the model has no such sample");
      const read = sample.group.streams.map((stream) => [...sample.values(stream)]);
      must(sameValues(read.flat(), values!.flat()), () => "the values of a sample differ");
      must(Buffer.compare(sample.frame.subarray(8), payload) === 0, () => "its frame differs");
      hand?.measure();
    },
  });
  for (const [i, { prefix, start, end }] of frames.entries()) {
    payload = bytes.subarray(start, end);
    registry.receive(prefix as 1 | 2 | 3, payload);
    must(total(registry.stats()) === i + 1, () => `frame ${i + 1} does not count once`);
  }
  const stats = registry.stats();
  must(errors <= stats.badDefinitions + stats.wrongSize + stats.definitions, () => "more errors");
  for (const { definition, error } of registry.devices()) {
    must(definition !== undefined || error !== undefined, () => "a device without its error");
  }
  return stats;
}

function total(stats: MotionStats): number {
  const { definitions, disconnects, samples, undefinedData, wrongSize, backwards } = stats;
  return definitions + disconnects + samples + undefinedData + wrongSize + backwards;
}

function sameValues(one: (number | bigint)[], other: (number | bigint)[]): boolean {
  return one.length === other.length && one.every((value, i) => Object.is(value, other[i]));
}

/** The client counts the same, ends as the model says, and the next connection works. */
async function checkClient(
  bytes: Uint8Array,
  { code, frames }: ReferenceMotion,
  stats: MotionStats,
  maxPayload: number,
  random: Random,
): Promise<string> {
  const clock = new FakeClock();
  const sockets: FuzzSocket[] = [];
  const reconnect = random() < 0.5;
  const client = await openMotionClient(
    () => {
      sockets.push(new FuzzSocket(random));
      return Promise.resolve(sockets.at(-1)!);
    },
    { reconnect: reconnect ? {} : false, limits: { maxPayload } },
    { clock, random },
  );
  try {
    const samples = client.samples(1, 0, { every: true, buffer: 4 });
    samples.next().catch(() => {});
    sockets[0]!.feed(bytes);
    await turn();
    const counted = client.stats();
    must(total(counted) === frames.length, () => "the client counts other frames");
    must(counted.samples === stats.samples, () => "the client has other samples");
    const fails = code !== undefined && code !== "cut-frame";
    if (!fails) {
      must(client.status.state === "ready", () => `the client is ${client.status.state}`);
      sockets[0]!.finish(random() < 0.5 ? "end" : "reset");
      await turn();
    }
    await checkNext(client, clock, sockets, reconnect);
    return code ?? "clean";
  } finally {
    await client.close();
    must(clock.timers === 0, () => `${clock.timers} timers are left`);
    must(sockets.every(({ isClosed }) => isClosed), () => "a socket is left open");
  }
}

async function checkNext(
  client: MotionClient,
  clock: FakeClock,
  sockets: FuzzSocket[],
  reconnect: boolean,
): Promise<void> {
  must(client.devices().length === 0, () => "devices outlive their connection");
  if (!reconnect) {
    const cause = await client.closed;
    must(cause instanceof RcspError, () => `the client ended with ${cause}`);
    return;
  }
  clock.advance(LONG);
  await turn();
  sockets[1]!.feed(GOOD);
  await turn();
  const sample = client.devices()[0]?.sample(0);
  must(sample?.deviceId === 77, () => "the next connection does not work");
}
