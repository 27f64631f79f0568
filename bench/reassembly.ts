/**
 * Chunks to frames: our decoder, the lower bounds, a naive decoder and published packages, over payloads
 * of 64 B to 1 MiB in chunks of 1 byte to everything at once. Each chunk is either an array of its own or
 * a view of one large buffer, as from a pooled read.
 */

import { bl } from "./peers/bl.ts";
import { concatenating } from "./peers/concatenating.ts";
import { memcpy, subarrays } from "./peers/floors.ts";
import { frameStreamPeer } from "./peers/frame_stream.ts";
import { checkFrames, framer } from "./peers/framing.ts";
import { itLengthPrefixed } from "./peers/it_length_prefixed.ts";
import { ours } from "./peers/ours.ts";
import type { Peer, Sink } from "./peers/peer.ts";
import { pgProtocol } from "./peers/pg_protocol.ts";
import { vscodeJsonrpc } from "./peers/vscode_jsonrpc.ts";
import { type ChunkKind, cutFrames, type CutStream, noisePayload } from "./support/frames.ts";
import {
  figureText,
  finish,
  options,
  percentText,
  type Table,
  timeText,
} from "./support/report.ts";
import { FULL, SMOKE, takeTurns, type Times, type Variant } from "./support/rounds.ts";

const PEERS: readonly Peer[] = [
  ours,
  concatenating,
  pgProtocol,
  vscodeJsonrpc,
  bl,
  itLengthPrefixed,
  frameStreamPeer,
];
const PUBLISHED = PEERS.filter(({ published }) => published).map(({ name }) => name);
const KINDS = ["own", "views"] as const;
const PAYLOADS = [64, 256, 4096, 65_536, 1_048_576];
const CHUNKS = [1, 17, 1460, 16_384, 65_536, Infinity];

const { smoke, json } = options();
const pace = smoke ? SMOKE : FULL;
const cells: Record<ChunkKind, Map<string, Times>> = { own: new Map(), views: new Map() };

// The frames must be used, or the compiler might remove the work.
let total = 0;
const count: Sink = (_type, payload) => {
  total += payload.length;
};

for (const payload of PAYLOADS) {
  for (const chunk of CHUNKS) {
    // Too slow for a smoke run.
    if (smoke && payload / Math.min(chunk, payload) > 4096) continue;
    for (const kind of KINDS) {
      const times = await measure(payload, chunk, kind);
      const cell = `${payload} / ${chunk === Infinity ? "all" : chunk}`;
      cells[kind].set(cell, times);
      if (!json && !smoke) console.error(row(cell, times).join("  "));
    }
  }
}
if (total === 0) throw new Error("No frame reached its sink");

const head = cells.views.get("256 / 65536")!;
const large = cells.views.get("65536 / 65536");
const mtu64KiB = cells.views.get("65536 / 1460")!;
const mtu1MiB = cells.views.get("1048576 / 1460")!;

finish({
  bench: "reassembly",
  tables: [...KINDS.map(matrix), {
    title: "256 B payloads in 64 KiB chunks, views",
    columns: ["variant", "per message", "over ours", "spread"],
    rows: head.names.map((name) => [
      name,
      timeText(head.of(name)),
      figureText(head.ratio(name, "ours")),
      percentText(head.spread(name)),
    ]),
  }],
  summary: {
    title: "Reassembly: our time per message, × the best published peer",
    columns: ["payload / chunk", ...KINDS],
    rows: [...cells.own.keys()].map((cell) => [
      cell,
      ...KINDS.map((kind) => {
        const times = cells[kind].get(cell)!;
        return `${timeText(times.of("ours"))}, ${figureText(bestPeer(times).ratio)}`;
      }),
    ]),
  },
  metrics: {
    "framing.concatenating": head.ratio("concatenating", "ours"),
    "framing.subarray": head.ratio("ours", "subarray"),
    "framing.bestPeer": bestPeer(head).ratio,
    "framing.lengthPrefixed": head.ratio("it-length-prefixed", "ours"),
    "matrix.own": worst("own").ratio,
    "matrix.views": worst("views").ratio,
    "memcpy.64KiB": large === undefined ? NaN : large.ratio("memcpy", "ours") * 100,
    "memcpy.1MiB": mtu1MiB.ratio("memcpy", "ours") * 100,
    "linearity": mtu1MiB.of("ours") / 1_048_576 / (mtu64KiB.of("ours") / 65_536),
  },
  notes: [
    "Chunks are arrays of their own, or views of one large buffer.",
  ],
}, { smoke, json });

async function measure(payload: number, chunk: number, kind: ChunkKind): Promise<Times> {
  const stream = createStream(payload, chunk, kind);
  const peers = PEERS.filter(({ maxChunks }) => (payload + 8) / chunk <= maxChunks);
  const variants: Variant[] = [
    { name: "memcpy", pass: memcpy(stream) },
    { name: "subarray", pass: subarrays(stream, count) },
  ];
  for (const peer of peers) {
    await checkFrames(peer, stream);
    variants.push(await framer(peer, stream, count, smoke ? 1 : undefined));
  }
  return await takeTurns(variants, pace);
}

/** Enough messages for a measurable pass, few enough for the slow variants. */
function createStream(payload: number, chunk: number, kind: ChunkKind): CutStream {
  const kibibytes = smoke ? 16 : chunk === 1 ? 64 : chunk === 17 ? 256 : 1024;
  const least = payload > 65_536 && chunk > 17 ? 4 : payload > 4096 && chunk > 1460 ? 24 : 1;
  const messages = Math.max(least, Math.ceil(kibibytes * 1024 / (payload + 8)));
  const payloads = Array.from({ length: messages }, (_, i) => noisePayload(payload, i));
  return cutFrames(payloads, chunk, kind);
}

/** All cells with chunks of one kind. */
function matrix(kind: ChunkKind): Table {
  const { cell, name, ratio } = worst(kind);
  const title = { own: "arrays of their own", views: "views of one large buffer" }[kind];
  return {
    title: `Chunks to frames, chunks are ${title} (× = speed of ours over the other; ` +
      `>: the other was stopped early; –: the other is quadratic). ` +
      `Worst cell: ${cell}, ${figureText(ratio)} × ${name}`,
    columns: [
      "payload / chunk",
      "ours",
      "× concatenating",
      "% of memcpy",
      "over subarray",
      "× best peer",
      ...PUBLISHED.map((name) => `× ${name}`),
    ],
    rows: [...cells[kind]].map(([cell, times]) => row(cell, times)),
  };
}

function row(cell: string, times: Times): string[] {
  const against = (name: string): string => {
    if (!times.has(name)) return "–";
    return (times.stopped.has(name) ? ">" : "") + figureText(times.ratio(name, "ours"));
  };
  const { name, ratio } = bestPeer(times);
  return [
    cell,
    timeText(times.of("ours")),
    against("concatenating"),
    figureText(times.ratio("memcpy", "ours") * 100),
    figureText(times.ratio("ours", "subarray")),
    `${figureText(ratio)} ${name}`,
    ...PUBLISHED.map(against),
  ];
}

/** The fastest peer. */
function bestPeer(times: Times): { name: string; ratio: number } {
  return PUBLISHED.filter((name) => times.has(name))
    .map((name) => ({ name, ratio: times.ratio(name, "ours") }))
    .reduce(lowest);
}

/** The cell where the best peer is nearest to ours, or ahead. */
function worst(kind: ChunkKind): { cell: string; name: string; ratio: number } {
  return [...cells[kind]].map(([cell, times]) => ({ cell, ...bestPeer(times) })).reduce(lowest);
}

function lowest<T extends { ratio: number }>(one: T, other: T): T {
  return other.ratio < one.ratio ? other : one;
}
