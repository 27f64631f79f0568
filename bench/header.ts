/** Parses consecutive headers; the size in each leads to the next. */

import { HEADER_PARSERS } from "./peers/headers.ts";
import { joinFrames, noisePayload } from "./support/frames.ts";
import { figureText, finish, options, percentText, timeText } from "./support/report.ts";
import { FULL, SMOKE, takeTurns } from "./support/rounds.ts";

const { smoke, json } = options();
const count = smoke ? 256 : 8192;
// Irregular for the branch predictor, and below 256 for the variant that reads one byte.
const sizes = Array.from({ length: count }, (_, i) => (i * 7919) % 61);
const bytes = joinFrames(sizes.map((size) => noisePayload(size, size)));

const variants = Object.entries(HEADER_PARSERS).map(([name, open]) => {
  const read = open(bytes);
  let i = 0;
  walk(read, (size) => {
    if (size !== sizes[i++]) throw new Error(`'${name}' read size ${size} in header ${i}`);
  });
  if (i !== count) throw new Error(`'${name}' read ${i} of ${count} headers`);
  // Separate code per variant, so that none is slowed by the type feedback of the others.
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
      percentText(times.spread(name)),
    ]),
  }],
  summary: {
    title: "Header: time to parse one",
    columns: ["variant", ""],
    rows: times.names.map((name) => [name, timeText(times.of(name))]),
  },
  metrics: {},
  notes: [],
}, { smoke, json });

function walk(read: (at: number) => number, see: (size: number) => void): void {
  for (let at = 0; at < bytes.length;) {
    const size = read(at);
    see(size);
    at += 8 + size;
  }
}
