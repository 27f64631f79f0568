/**
 * The bars: limits for the figures of the benches. Every figure is a ratio within one run, so it means
 * the same on any machine.
 */

import type { Runtime } from "../tests/support/runtime.ts";

/** One bar. */
export interface Bar {
  /** Key of the figure in a report. */
  readonly metric: string;
  readonly what: string;
  readonly kind: "at least" | "at most";
  readonly limits: Readonly<Record<Runtime, number>>;
}

function atLeast(metric: string, what: string, deno: number, bun = deno, node = deno): Bar {
  return { metric, what, kind: "at least", limits: { deno, bun, node } };
}

function atMost(metric: string, what: string, deno: number, bun = deno, node = deno): Bar {
  return { metric, what, kind: "at most", limits: { deno, bun, node } };
}

/** All bars. */
export const BARS: readonly Bar[] = [
  atLeast("framing.concatenating", "framing 256 B in 64 KiB chunks: × concatenating", 3),
  atMost("framing.subarray", "framing 256 B in 64 KiB chunks: time over one subarray each", 1.6),
  atLeast("framing.bestPeer", "framing 256 B in 64 KiB chunks: × best published peer", 1),
  atLeast("framing.lengthPrefixed", "framing 256 B in 64 KiB chunks: × it-length-prefixed", 5),
  atLeast("matrix.own", "worst cell of own arrays: × best published peer", 1, 0.9, 1),
  atLeast("matrix.views", "worst cell of views: × best published peer", 1, 0.9, 1),
  atLeast("memcpy.64KiB", "64 KiB payloads in 64 KiB chunks: % of memcpy", 70),
  atLeast("memcpy.1MiB", "1 MiB payloads in 1460 B chunks: % of memcpy", 50),
  atMost("linearity", "cost per byte of 1 MiB over 64 KiB payloads, 1460 B chunks", 2),
  atMost("objects.256", "chunks to objects, 256 B: time over JSON.parse alone", 2, 2.7, 2),
  atLeast("encode.plain", "command to bytes: × encode + header + concat", 2),
  atLeast("encode.argument", "command with arguments to bytes: × encode + header + concat", 2),
  atLeast("sequential.raw", "one at a time, one core: share of raw", 0.8, 0.75, 0.74),
  atLeast(
    "events.listener",
    "events to a listener, one core: share of raw + JSON",
    0.65,
    0.65,
    0.75,
  ),
  atLeast("events.iterator", "events to an async iterator: share of the listener", 0.6, 0.5, 0.6),
  atLeast("events.unmatched", "events that nobody listens to: × async iterator", 3),
  atLeast("pipelined64.rawJson", "64 outstanding, a core each: share of raw + JSON", 0.7, 0.6, 0.7),
  atLeast(
    "motion.views",
    "motion frames to views: × the RCSP decoder, worse of two chunk sizes",
    0.9,
  ),
  atLeast(
    "motion.floats",
    "motion frames to 26 × 7 floats: × a hand-written loop, worse of two",
    0.8,
  ),
  atLeast("motion.hands", "all of a hand: × the rate of two hands at 83 Hz", 100),
  atMost(
    "memory.motionGrowth",
    "heap after 10^6 motion frames over heap after 10^5, KiB more",
    1024,
  ),
  atMost("memory.eventsGrowth", "heap after 10^6 events over heap after 10^5, in KiB more", 1024),
];
