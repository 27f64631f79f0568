/** Chunks to parsed objects, and commands to bytes: ours, `JSON` alone, and other implementations. */

import { checkObjects, type Decoder, DECODERS } from "./peers/decoders.ts";
import { checkCommands, COMMANDS, ENCODERS } from "./peers/encoders.ts";
import { cutFrames, eventJson, smallJson } from "./support/frames.ts";
import {
  figureText,
  finish,
  options,
  percentText,
  type Table,
  timeText,
} from "./support/report.ts";
import { FULL, SMOKE, takeTurns, type Times } from "./support/rounds.ts";

const CHUNK = 64 * 1024;
const BODIES: readonly [name: string, json: string][] = [
  ["64 B", smallJson(64)],
  ["256 B", eventJson(256)],
  ["256 B, multi-byte", eventJson(256, "multi-byte")],
  ["4 KiB", eventJson(4096)],
  ["64 KiB", eventJson(65_536)],
];

const { smoke, json } = options();
const pace = smoke ? SMOKE : FULL;
const tables: Table[] = [];
const summary: string[][] = [];
const metrics: Record<string, number> = {};

for (const [size, body] of BODIES) {
  const payload = new TextEncoder().encode(body);
  const messages = Math.max(4, Math.ceil((smoke ? 4 : 512) * 1024 / payload.length));
  const stream = cutFrames(new Array(messages).fill(payload), CHUNK);
  let seen: unknown;
  const variants = DECODERS.map(({ name, open }: Decoder) => {
    checkObjects({ name, open }, stream, body);
    return { name, pass: open(stream, (object) => seen = object) };
  });
  const times = await takeTurns(variants, pace);
  if (JSON.stringify(seen) !== body) throw new Error("The last object differs");
  addTable(`64 KiB chunks to objects, ${size}`, times, "JSON.parse");
  if (size === "256 B") {
    metrics["objects.256"] = times.ratio("ours", "JSON.parse");
  }
}

for (const command of COMMANDS) {
  checkCommands(command);
  const variants = ENCODERS.map(({ name, open }) => ({ name, pass: open(command) }));
  const times = await takeTurns(variants, pace);
  addTable(`command to bytes, ${command.title}`, times, "JSON.stringify");
  metrics[`encode.${command.id}`] = times.ratio("encode + header + concat", "ours");
}

finish({
  bench: "payload",
  tables,
  summary: {
    title: "Payload: our time, and its ratio to JSON.parse or JSON.stringify alone",
    columns: ["work", ""],
    rows: summary,
  },
  metrics,
  notes: [],
}, { smoke, json });

function addTable(title: string, times: Times, floor: string): void {
  const ratio = figureText(times.ratio("ours", floor));
  summary.push([title, `${timeText(times.of("ours"))}, ${ratio}`]);
  tables.push({
    title,
    columns: ["variant", "per message", `over ${floor}`, "over ours", "spread"],
    rows: times.names.map((name) => [
      name,
      timeText(times.of(name)),
      figureText(times.ratio(name, floor)),
      figureText(times.ratio(name, "ours")),
      percentText(times.spread(name)),
    ]),
  });
}
