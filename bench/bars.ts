/**
 * The bars that the figures are held to, by runtime. All are ratios within one run, so that they
 * mean the same on any machine. Where clients are compared, it is on the same server, which does next to
 * nothing. Run by itself, this file prints them.
 */

import type { Runtime } from "../tests/support/runtime.ts";
import { tableText } from "./support/report.ts";

/** One bar. */
export interface Bar {
  /** The figure, by the name that a bench gives it. */
  readonly metric: string;
  readonly what: string;
  readonly kind: "at least" | "at most";
  readonly limits: Readonly<Record<Runtime, number>>;
}

function atLeast(metric: string, what: string, v8: number, bun = v8): Bar {
  return { metric, what, kind: "at least", limits: { deno: v8, node: v8, bun } };
}

function atMost(metric: string, what: string, v8: number, bun = v8): Bar {
  return { metric, what, kind: "at most", limits: { deno: v8, node: v8, bun } };
}

/** All bars. */
export const BARS: readonly Bar[] = [
  atLeast("framing.concatenating", "framing 256 B in 64 KiB chunks: × concatenating", 3),
  atMost("framing.subarray", "framing 256 B in 64 KiB chunks: time over one subarray each", 1.6),
  atLeast("framing.bestPeer", "framing 256 B in 64 KiB chunks: × best published peer", 1.0),
  atLeast("framing.lengthPrefixed", "framing 256 B in 64 KiB chunks: × it-length-prefixed", 5),
  atLeast("matrix.worstBestPeer", "worst cell of the matrix: × best published peer", 0.9),
  atLeast("memcpy.64KiB", "64 KiB payloads in 64 KiB chunks: % of memcpy", 70),
  atLeast("memcpy.1MiB", "1 MiB payloads in 1460 B chunks: % of memcpy", 50),
  atMost("linearity", "cost per byte of 1 MiB over 64 KiB payloads, 1460 B chunks", 2),
  atMost(
    "objects.256",
    "chunks to objects, 256 B: time over JSON.parse of ready strings",
    2.0,
    2.7,
  ),
  atLeast("encode.plain", "command to bytes: × encode + header + concat", 2),
  atLeast("encode.argument", "command with an argument to bytes: × encode + header + concat", 2),
  atLeast("sequential.raw", "sequential calls, one core: share of raw round trips", 0.7),
  atLeast("sequential.python", "sequential calls, one core: × the Python client", 1.0, 1.1),
  atLeast("pipelined64.python", "64 outstanding: × Python sequential", 15, 20),
  atLeast("pipelined64.rawJson", "64 outstanding: share of raw plus JSON", 0.5),
  atLeast("pipelined1000.python", "1000 outstanding: × Python sequential", 25, 30),
  atLeast("pipelined64.oneWrite", "64 outstanding: × one write per command", 2),
  atLeast("events.python", "events decoded: × the Python client", 6, 12),
  atLeast("events.unheard", "events unheard: × heard", 3),
  atMost("memory.eventsGrowth", "heap after 10^6 events over heap after 10^5, in KiB more", 1024),
];

if (import.meta.main) {
  const rows = BARS.map(({ what, kind, limits: { deno, bun } }) => [
    what,
    `${kind} ${deno}`,
    `${kind} ${bun}`,
  ]);
  console.log(tableText({ title: "", columns: ["what", "Deno, Node", "Bun"], rows }));
}
