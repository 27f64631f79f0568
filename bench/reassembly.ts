/**
 * Bytes in chunks to frames: ours beside the floors, the usual first draft and published packages,
 * over payloads of 64 B to 1 MiB in chunks of 1 byte to all at once.
 */

import { bl } from "./peers/bl.ts";
import { concatenating } from "./peers/concatenating.ts";
import { memcpy, subarrays } from "./peers/floors.ts";
import { frameStreamPeer } from "./peers/frame_stream.ts";
import { itLengthPrefixed } from "./peers/it_length_prefixed.ts";
import { ours } from "./peers/ours.ts";
import type { Peer, Sink } from "./peers/peer.ts";
import { pgProtocol } from "./peers/pg_protocol.ts";
import { vscodeJsonrpc } from "./peers/vscode_jsonrpc.ts";
import { checkFrames, framer } from "./support/framing.ts";
import { cutFrames, type CutStream, noisePayload } from "./support/frames.ts";
import { figureText, finish, options, type Report, timeText } from "./support/report.ts";
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
const PAYLOADS = [64, 256, 4096, 65_536, 1_048_576];
const CHUNKS = [1, 17, 1460, 16_384, 65_536, Infinity];

const { smoke, json } = options();
const pace = smoke ? SMOKE : FULL;
const rows: string[][] = [];
const cells = new Map<string, Times>();

// Something must be done with each frame, or a compiler might leave the work out.
let total = 0;
const count: Sink = (_type, payload) => {
  total += payload.length;
};

for (const payload of PAYLOADS) {
  for (const chunk of CHUNKS) {
    // The quick run leaves out what takes long by its size alone.
    if (smoke && payload / Math.min(chunk, payload) > 4096) continue;
    const stream = makeStream(payload, chunk);
    const peers = PEERS.filter(({ mostChunks }) => (payload + 8) / chunk <= mostChunks);
    for (const peer of peers) await checkFrames(peer, stream);
    const variants: Variant[] = [
      { name: "memcpy", pass: memcpy(stream) },
      { name: "subarray", pass: subarrays(stream, count) },
    ];
    for (const peer of peers) {
      variants.push(await framer(peer, stream, count, smoke ? 1 : undefined));
    }
    const times = await takeTurns(variants, pace);
    cells.set(`${payload}/${chunk}`, times);
    rows.push(row(payload, chunk, times));
    if (!json && !smoke) console.error(rows.at(-1)!.join("  "));
  }
}

const head = cells.get("256/65536")!;
const large = cells.get("65536/65536");
const mtu64KiB = cells.get("65536/1460")!;
const mtu1MiB = cells.get("1048576/1460")!;
const worst = [...cells].map(([cell, times]) => ({ cell, times, ratio: bestPeer(times).ratio }))
  .reduce((one, other) => other.ratio < one.ratio ? other : one);

const report: Omit<Report, "machine"> = {
  bench: "reassembly",
  tables: [
    {
      title: "Frames out of chunks: ours beside the others (× = how many times quicker ours is)",
      columns: [
        "payload / chunk",
        "ours",
        "× concatenating",
        "% of memcpy",
        "over subarray",
        "× best peer",
        ...PEERS.filter(({ published }) => published).map(({ name }) => `× ${name}`),
      ],
      rows,
    },
    {
      title: "256 B payloads in 64 KiB chunks",
      columns: ["variant", "per message", "over ours", "spread"],
      rows: head.names.map((name) => [
        name,
        timeText(head.of(name)),
        figureText(head.ratio(name, "ours")),
        `${(head.spread(name) * 100).toFixed(0)} %`,
      ]),
    },
  ],
  metrics: {
    "framing.concatenating": head.ratio("concatenating", "ours"),
    "framing.subarray": head.ratio("ours", "subarray"),
    "framing.bestPeer": bestPeer(head).ratio,
    "framing.lengthPrefixed": head.ratio("it-length-prefixed", "ours"),
    "matrix.worstBestPeer": worst.ratio,
    "memcpy.64KiB": large === undefined ? NaN : large.ratio("memcpy", "ours") * 100,
    "memcpy.1MiB": mtu1MiB.ratio("memcpy", "ours") * 100,
    "linearity": mtu1MiB.of("ours") / 1_048_576 / (mtu64KiB.of("ours") / 65_536),
  },
  notes: [
    `Worst cell beside the best peer: ${worst.cell} (${bestPeer(worst.times).name}).`,
    "`>`: a pass was cut off, so the true figure is higher. `–`: takes no part, as its time grows " +
    "with the square of the chunks of a message.",
  ],
};
if (total === 0) throw new Error("No frame has reached its sink");
finish(report, { smoke, json });

/** Enough messages for a pass to last, few enough for the slow ones. */
function makeStream(payload: number, chunk: number): CutStream {
  const kibibytes = smoke ? 16 : chunk === 1 ? 64 : chunk === 17 ? 256 : 1024;
  const least = payload > 65_536 && chunk > 17 ? 4 : payload > 4096 && chunk > 1460 ? 24 : 1;
  const messages = Math.max(least, Math.ceil(kibibytes * 1024 / (payload + 8)));
  const payloads = Array.from({ length: messages }, (_, i) => noisePayload(payload, i));
  return cutFrames(payloads, chunk);
}

function row(payload: number, chunk: number, times: Times): string[] {
  const beside = (name: string): string => {
    if (!times.has(name)) return "–";
    return (times.cut.has(name) ? ">" : "") + figureText(times.ratio(name, "ours"));
  };
  const best = bestPeer(times);
  return [
    `${payload} / ${chunk === Infinity ? "all" : chunk}`,
    timeText(times.of("ours")),
    beside("concatenating"),
    figureText(times.ratio("memcpy", "ours") * 100),
    figureText(times.ratio("ours", "subarray")),
    `${figureText(best.ratio)} ${best.name}`,
    ...PEERS.filter(({ published }) => published).map(({ name }) => beside(name)),
  ];
}

/** The peer that comes nearest to ours, or passes it. */
function bestPeer(times: Times): { name: string; ratio: number } {
  return PEERS.filter(({ name, published }) => published && times.has(name))
    .map(({ name }) => ({ name, ratio: times.ratio(name, "ours") }))
    .reduce((one, other) => other.ratio < one.ratio ? other : one);
}
