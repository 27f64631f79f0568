/**
 * Motion frames from chunks to (a) views of their payloads, (b) one Float32Array of 26 × 7 values, (c) a
 * hand with named joints; beside one copy of all bytes, our RCSP decoder, loops that people write, and
 * Python's `struct.unpack`. At last all that a hand can do: both groups, forward kinematics, measures.
 */

import { equals } from "@std/bytes";
import { startPython } from "./motion/python.ts";
import {
  dataView,
  floatArrays,
  handWritten,
  namedHands,
  type Pass,
  rawViews,
} from "./motion/readers.ts";
import { type HandStream, handStream } from "./motion/stream.ts";
import { memcpy } from "./peers/floors.ts";
import { ownModule } from "./support/own_module.ts";
import {
  figureText,
  finish,
  options,
  percentText,
  type Table,
  timeText,
} from "./support/report.ts";
import { type Pace, SMOKE, takeTurns, type Times, type Variant } from "./support/rounds.ts";

const CHUNKS = [65_536, 1460];
// Frames a second of two hands: each about 83 times a second, `joints_local` and `joints_openxr`.
const NEEDED = 2 * 83.3 * 2;

// Turns that are shorter than a time slice, and many of them: other processes disturb few.
const SHORT_TURNS: Pace = { rounds: 99, turn: 2 };

const { smoke, json } = options();
const pace = smoke ? SMOKE : SHORT_TURNS;
const poses = smoke ? 20 : 700;

type Open<T> = (stream: HandStream, on: (values: T) => void) => Pass | Promise<Pass>;

/** Readers of values, each of which must read exactly what was sent. */
const VALUE_READERS: readonly [name: string, open: Open<Float32Array>][] = [
  ["hand-written loop", handWritten],
  ["DataView loop", dataView],
  ["(b) Float32Array", floatArrays],
  ["(c) named hand", (stream, onValues) =>
    namedHands(stream, (hand) => {
      // What an application reads of it.
      if (hand.openXr?.get("index_tip") === hand.joints[10]) onValues(hand.openXr!.poses);
    })],
];

// What is read must be used, or the compiler might remove the work.
let total = 0;
const streams = new Map(CHUNKS.map((size) => [size, handStream(poses, size, "openxr")]));
const times = new Map<number, Times>();
for (const [size, stream] of streams) times.set(size, await measure(stream));
const whole = handStream(poses, 1460, "all");
const wholeTimes = await takeTurns(
  [{ name: "(d) hand", pass: await counted(whole, everything) }],
  pace,
);
if (total === 0) throw new Error("No frame was read");

const [chunk64KiB, chunk1460] = CHUNKS.map((size) => times.get(size)!);
const worst = (other: string, one: string): number =>
  Math.min(chunk64KiB!.ratio(other, one), chunk1460!.ratio(other, one));
const wholeRate = 1e9 / wholeTimes.of("(d) hand");

finish({
  bench: "motion",
  tables: [...times].map(([size, times]) => table(size, times)).concat({
    title:
      "All of two hands: both groups, forward kinematics, and measures of each frame; 1460 B " +
      `chunks, × the ${figureText(NEEDED)} frames a second that they send`,
    columns: ["variant", "per frame", "frames/s", "× needed", "spread"],
    rows: [[
      "(d) hand",
      timeText(wholeTimes.of("(d) hand")),
      figureText(wholeRate),
      figureText(wholeRate / NEEDED),
      percentText(wholeTimes.spread("(d) hand")),
    ]],
  }),
  summary: {
    title: "Motion: time per frame of 26 × 7 floats (752 B), bytes a second",
    columns: ["variant", ...CHUNKS.map((size) => `${size} B chunks`)],
    rows: [
      ...chunk64KiB!.names.map((name) => [
        name,
        ...[...times].map(([size, times]) =>
          `${timeText(times.of(name))}, ${figureText(rates(size, times, name)[1]!)}B/s`
        ),
      ]),
      ["(d) both groups, kinematics, measures", "–", timeText(wholeTimes.of("(d) hand"))],
    ],
  },
  metrics: {
    "motion.views": worst("RCSP decoder", "(a) raw view"),
    "motion.floats": worst("hand-written loop", "(b) Float32Array"),
    "motion.hands": wholeRate / NEEDED,
  },
  notes: ["`struct.unpack` runs in a process of its own and includes one round trip per pass."],
}, { smoke, json });

async function measure(stream: HandStream): Promise<Times> {
  await checkViews(stream);
  const python = startPython(stream);
  try {
    const variants: Variant[] = [
      { name: "memcpy", pass: memcpy(stream.rcsp) },
      { name: "RCSP decoder", pass: await counted(stream, rcspDecoder) },
      { name: "(a) raw view", pass: await counted(stream, rawViews) },
      ...await Promise.all(VALUE_READERS.map(async ([name, open]) => {
        await check(name, stream, open);
        return { name, pass: await counted(stream, open) };
      })),
      {
        name: "struct.unpack in Python",
        pass: async () => {
          await python.pass();
          return stream.frames;
        },
      },
    ];
    return await takeTurns(variants, pace);
  } finally {
    await python.end();
  }
}

/** A pass that returns how many frames it read, each of which is looked at. */
async function counted<T extends ArrayLike<number>>(
  stream: HandStream,
  open: Open<T>,
): Promise<() => number> {
  let frames = 0;
  const pass = await open(stream, (values) => {
    frames++;
    total += values[0]! + values.length;
  });
  return () => {
    frames = 0;
    pass();
    if (frames !== stream.frames) throw new Error(`${frames} of ${stream.frames} frames`);
    return frames;
  };
}

async function rcspDecoder(
  { rcsp }: HandStream,
  onFrame: (payload: Uint8Array) => void,
): Promise<Pass> {
  type Decoder = typeof import("../src/wire/decoder.ts");
  const { FrameDecoder } = await ownModule<Decoder>("src/wire/decoder.ts");
  const decoder = new FrameDecoder();
  return () => {
    for (const chunk of rcsp.chunks) decoder.push(chunk, (_type, payload) => onFrame(payload));
  };
}

/** Both groups of both hands; the values are the curls of the fingers. */
function everything(stream: HandStream, onCurls: (curls: number[]) => void): Promise<Pass> {
  return namedHands(stream, (hand) => {
    const { curls, pinch } = hand.measure()!;
    onCurls([pinch, curls.thumb, curls.index, curls.middle, curls.ring, curls.little]);
  });
}

async function checkViews(stream: HandStream): Promise<void> {
  let frame = 0;
  const pass = await rawViews(stream, (payload) => {
    if (!equals(payload, stream.rcsp.payloads[frame++]!)) throw new Error(`Frame ${frame} differs`);
  });
  pass();
}

/** Throws if a value differs from what was sent. */
async function check(name: string, stream: HandStream, open: Open<Float32Array>): Promise<void> {
  let frame = 0;
  const pass = await open(stream, (values) => {
    const expected = stream.values[frame++]!;
    if (values.length !== expected.length || expected.some((value, i) => values[i] !== value)) {
      throw new Error(`Frame ${frame} of '${name}' differs`);
    }
  });
  for (let run = 0; run < 2; run++) {
    frame = 0;
    pass();
    if (frame !== stream.values.length) throw new Error(`'${name}' read ${frame} frames`);
  }
}

function rates(size: number, times: Times, name: string): [frames: number, bytes: number] {
  const frames = 1e9 / times.of(name);
  return [frames, frames * streams.get(size)!.frameSize];
}

function table(size: number, times: Times): Table {
  return {
    title: `26 × 7 floats (752 B) in chunks of ${size} B`,
    columns: ["variant", "per frame", "frames/s", "B/s", "× hand-written", "× Python", "spread"],
    rows: times.names.map((name) => [
      name,
      timeText(times.of(name)),
      ...rates(size, times, name).map(figureText),
      figureText(times.ratio("hand-written loop", name)),
      figureText(times.ratio("struct.unpack in Python", name)),
      percentText(times.spread(name)),
    ]),
  };
}
