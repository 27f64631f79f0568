/** Ways to read hands from chunks: this project's, and what people write without it. */

import { concat } from "@std/bytes";
import { type Hand, MotionDecoder, MotionRegistry, type Sample } from "../../src/motion/mod.ts";
import type { HandStream } from "./stream.ts";

/** Receives the 26 × 7 values of a hand; the array is valid only during the call. */
export type OnValues = (values: Float32Array) => void;

/** Reads all chunks of a stream; can run again after it. */
export type Pass = () => void;

// Later than the restart of a device's clock, so that each pass is accepted.
const BETWEEN_PASSES = 1000;
const DATA = 2;
const VALUES_OFFSET = 24;
const VALUES = 26 * 7;

/** Frames as views of their payloads. */
export function rawViews({ chunks }: HandStream, onFrame: (payload: Uint8Array) => void): Pass {
  const decoder = new MotionDecoder();
  return () => {
    for (const chunk of chunks) decoder.push(chunk, (_prefix, payload) => onFrame(payload));
  };
}

/** Each sample copied into one Float32Array. */
export function floatArrays(stream: HandStream, onValues: OnValues): Pass {
  const target = new Float32Array(VALUES);
  return samples(stream, (sample) => {
    sample.copyInto(target);
    onValues(target);
  });
}

/** Each sample as a hand with named joints. */
export function namedHands(stream: HandStream, onHand: (hand: Hand) => void): Pass {
  return samples(stream, (_sample, hand) => onHand(hand));
}

function samples(
  { definitions, chunks }: HandStream,
  onSample: (sample: Sample, hand: Hand) => void,
): Pass {
  const registry = new MotionRegistry({
    onSample: (sample, device) => onSample(sample, device.hand!),
  });
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

/** A loop that knows the layout and size of every frame, and checks only what it must. */
export function handWritten({ chunks, frameSize }: HandStream, onValues: OnValues): Pass {
  const values = new Float32Array(VALUES);
  const bytes = new Uint8Array(values.buffer);
  const split = new Uint8Array(frameSize);
  let filled = 0;
  const read = (frame: Uint8Array, at: number): void => {
    if (frame[at] !== DATA || (frame[at + 4]! | frame[at + 5]! << 8) !== frameSize - 8) {
      throw new Error(`Invalid frame at ${at}`);
    }
    bytes.set(frame.subarray(at + VALUES_OFFSET, at + frameSize));
    onValues(values);
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
