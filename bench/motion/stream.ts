/** Input of the motion bench: two moving hands as bytes, and the same payloads as RCSP frames. */

import { concat } from "@std/bytes";
import { DATA_HEADER_SIZE, encodeDefinition } from "../../src/motion/frame.ts";
import { HAND_FRAME_PERIOD, SimulatedHand } from "../../src/motion/simulated_hand.ts";
import { cut, cutFrames, type CutStream } from "../support/frames.ts";

/** The data frames of two hands. */
export interface HandStream {
  /** Both definitions, which come first on a connection. */
  readonly definitions: Uint8Array;
  /** The data frames, cut. */
  readonly chunks: readonly Uint8Array[];
  /** How many data frames. */
  readonly frames: number;
  /** Bytes of a data frame; 0 if they differ. */
  readonly frameSize: number;
  /** The values of each `joints_openxr` frame. */
  readonly values: readonly Float32Array[];
  /** The payloads in RCSP frames, which have a header of the same size. */
  readonly rcsp: CutStream;
}

/** Makes a stream of `count` poses of each hand: `joints_openxr`, or `all` groups. */
export function handStream(count: number, chunkSize: number, groups: "openxr" | "all"): HandStream {
  const hands = [
    new SimulatedHand({ side: "left", deviceId: 1 }),
    new SimulatedHand({ side: "right", deviceId: 2 }),
  ];
  const frames: Uint8Array[] = [];
  const values: Float32Array[] = [];
  for (let i = 1; i <= count; i++) {
    for (const hand of hands) {
      const [local, openXr] = hand.framesAt(i * HAND_FRAME_PERIOD).map((frame) => frame.slice());
      if (groups === "all") frames.push(local!);
      frames.push(openXr!);
      values.push(new Float32Array(openXr!.buffer.slice(8 + DATA_HEADER_SIZE) as ArrayBuffer));
    }
  }
  return {
    definitions: concat(hands.map(({ definition }) => encodeDefinition(definition))),
    chunks: cut(concat(frames), chunkSize, "views"),
    frames: frames.length,
    frameSize: groups === "all" ? 0 : frames[0]!.length,
    values,
    rcsp: cutFrames(frames.map((frame) => frame.subarray(8)), chunkSize),
  };
}
