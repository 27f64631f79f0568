/** One header after the other, each at the place that the size in the one before it leads to. */

import { HEADER_WAYS } from "./peers/headers.ts";
import { joinFrames, noisePayload } from "./support/frames.ts";
import { figureText, finish, options, timeText } from "./support/report.ts";
import { FULL, SMOKE, takeTurns } from "./support/rounds.ts";

const { smoke, json } = options();
const count = smoke ? 256 : 8192;
// Sizes that a branch predictor does not learn by heart, below 256 for the way that reads one byte.
const sizes = Array.from({ length: count }, (_, i) => (i * 7919) % 61);
const bytes = joinFrames(sizes.map((size) => noisePayload(size, size)));

const variants = Object.entries(HEADER_WAYS).map(([name, way]) => {
  const read = way(bytes);
  let i = 0;
  walk(read, (size) => {
    if (size !== sizes[i++]) throw new Error(`Header ${i} differs for '${name}': ${size}`);
  });
  if (i !== count) throw new Error(`'${name}' read ${i} of ${count} headers`);
  // A function of its own for each, so that none is slowed by what the others have shown the loop.
  const pass = new Function(
    "read",
    "end",
    "let at = 0, n = 0; while (at < end) { at += 8 + read(at); n++; } return n;",
  ) as (read: (at: number) => number, end: number) => number;
  return { name, pass: (): number => pass(read, bytes.length) };
});

const times = await takeTurns(variants, smoke ? SMOKE : FULL);

finish({
  bench: "header",
  tables: [{
    title: "One header",
    columns: ["variant", "time", "over ours", "spread"],
    rows: times.names.map((name) => [
      name,
      timeText(times.of(name)),
      figureText(times.ratio(name, "ours")),
      `${(times.spread(name) * 100).toFixed(0)} %`,
    ]),
  }],
  metrics: { "header.subarrayDataView": times.ratio("subarray + DataView + object", "ours") },
  notes: [],
}, { smoke, json });

function walk(read: (at: number) => number, see: (size: number) => void): void {
  for (let at = 0; at < bytes.length;) {
    const size = read(at);
    see(size);
    at += 8 + size;
  }
}
