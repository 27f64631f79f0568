/** Ways to read hands from chunks: this project's, and what people write without it. */

import { concat } from "@std/bytes";
import { readUint32 } from "../../src/motion/frame.ts";
import type { Hand, MotionDevice, Sample } from "../../src/motion/mod.ts";
import { ownModule } from "../support/own_module.ts";
import type { HandStream } from "./stream.ts";

/** Receives the 26 × 7 values of a hand; the array is valid only during the call. */
export type OnValues = (values: Float32Array) => void;

/** Reads all chunks of a stream; can run again after it. */
export type Pass = () => void;

type Decoder = typeof import("../../src/motion/decoder.ts");
type Registry = typeof import("../../src/motion/registry.ts");

// Later than the restart of a device's clock, so that each pass is accepted.
const BETWEEN_PASSES = 1000;
const DATA = 2;
// `joints_openxr` is the second group of a simulated hand.
const GROUP = 1;
const VALUES_OFFSET = 24;
const VALUES = 26 * 7;

/** Frames as views of their payloads. */
export async function rawViews(
  { chunks }: HandStream,
  onFrame: (payload: Uint8Array) => void,
): Promise<Pass> {
  const { MotionDecoder } = await ownModule<Decoder>("src/motion/decoder.ts");
  const decoder = new MotionDecoder();
  return () => {
    for (const chunk of chunks) decoder.push(chunk, (_prefix, payload) => onFrame(payload));
  };
}

/** The values of each sample, in one Float32Array. */
export function floatArrays(stream: HandStream, onValues: OnValues): Promise<Pass> {
  return samples(stream, (sample) => onValues(sample.floats!));
}

/** Each sample as a hand with named joints. */
export function namedHands(stream: HandStream, onHand: (hand: Hand) => void): Promise<Pass> {
  return samples(stream, (_sample, { hand }) => onHand(hand!));
}

async function samples(
  { definitions, chunks }: HandStream,
  onSample: (sample: Sample, device: MotionDevice) => void,
): Promise<Pass> {
  const { MotionDecoder } = await ownModule<Decoder>("src/motion/decoder.ts");
  const { MotionRegistry } = await ownModule<Registry>("src/motion/registry.ts");
  const registry = new MotionRegistry({ onSample });
  const decoder = new MotionDecoder();
  decoder.push(definitions, registry.receive);
  let at = 0;
  return () => {
    at += BETWEEN_PASSES;
    // As the client does: all frames of a chunk were received at the same time.
    for (const chunk of chunks) {
      decoder.push(chunk, (prefix, payload) => registry.receive(prefix, payload, at));
    }
  };
}

/**
 * A loop that knows the layout and size of every frame, and does only what nobody can do without: which
 * hand, when, its values.
 */
export function handWritten({ chunks, frameSize }: HandStream, onValues: OnValues): Pass {
  const hands = Array.from({ length: 2 }, () => {
    const values = new Float32Array(VALUES);
    return { values, bytes: new Uint8Array(values.buffer), time: 0 };
  });
  const split = new Uint8Array(frameSize);
  let filled = 0;
  const read = (frame: Uint8Array, at: number): void => {
    const hand = hands[readUint32(frame, at + 8) - 1];
    if (
      hand === undefined || readUint32(frame, at) !== DATA ||
      readUint32(frame, at + 4) !== frameSize - 8 || readUint32(frame, at + 12) !== GROUP
    ) {
      throw new Error(`Invalid frame at ${at}`);
    }
    hand.time = readUint32(frame, at + 20) * 2 ** 32 + readUint32(frame, at + 16);
    hand.bytes.set(frame.subarray(at + VALUES_OFFSET, at + frameSize));
    onValues(hand.values);
  };
  return () => {
    for (const chunk of chunks) {
      let at = 0;
      if (filled > 0) {
        at = Math.min(frameSize - filled, chunk.length);
        split.set(chunk.subarray(0, at), filled);
        filled += at;
        if (filled < frameSize) continue;
        filled = 0;
        read(split, 0);
      }
      for (; at + frameSize <= chunk.length; at += frameSize) read(chunk, at);
      filled = chunk.length - at;
      if (filled > 0) split.set(chunk.subarray(at));
    }
  };
}

/** What people write first: concatenate, then read each value with a DataView. */
export function dataView({ chunks }: HandStream, onValues: OnValues): Pass {
  const values = new Float32Array(VALUES);
  let buffer: Uint8Array = new Uint8Array(0);
  return () => {
    for (const chunk of chunks) {
      buffer = concat([buffer, chunk]);
      const view = new DataView(buffer.buffer);
      let at = 0;
      while (buffer.length - at >= 8) {
        const end = at + 8 + view.getUint32(at + 4, true);
        if (end > buffer.length) break;
        if (view.getUint32(at, true) === DATA) {
          for (let i = 0; i < VALUES; i++) {
            values[i] = view.getFloat32(at + VALUES_OFFSET + i * 4, true);
          }
          onValues(values);
        }
        at = end;
      }
      buffer = buffer.slice(at);
    }
  };
}
