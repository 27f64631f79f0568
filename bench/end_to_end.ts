/**
 * Client and server in two processes over loopback TCP: ours beside the runtime's raw sockets with the
 * same bytes, the same plus JSON, and a small Python client.
 */

import { type Children, startChildren } from "./support/children.ts";
import { describeMachine } from "./support/machine.ts";
import { figureText, finish, options, type Table } from "./support/report.ts";
import { Times } from "./support/rounds.ts";
import { FLOOD_EVENTS } from "./support/wire.ts";

interface Work {
  readonly id: string;
  readonly title: string;
  readonly count: number;
  readonly outstanding: number;
  readonly ways: readonly string[];
}

const PYTHON = ["python > ours", "python > plain"];
const PYTHON_EVENTS = ["python events > plain"];
// Python takes its time: it is given less to do.
const PYTHON_SHARE = 0.25;

const { smoke, json } = options();
const scale = smoke ? 0.02 : 1;
const rounds = smoke ? 1 : 11;
const { python, taskset, cores } = describeMachine();
const notes: string[] = [];

const CALLS = [
  "ours > plain",
  "raw > plain",
  "raw + JSON > plain",
  "ours > ours",
  "raw > ours",
  "raw + JSON > ours",
];
const ONE_WRITE = ["one write each > ours", "one write each > plain"];
const sequential = (id: string, title: string): Work => ({
  id,
  title,
  count: 2_000,
  outstanding: 1,
  ways: [...CALLS, ...PYTHON],
});
const split: Work[] = [
  sequential("sequential", "one command at a time"),
  {
    id: "pipelined64",
    title: "64 commands outstanding",
    count: 16_000,
    outstanding: 64,
    ways: [...CALLS, ...ONE_WRITE],
  },
  {
    id: "pipelined1000",
    title: "1000 commands outstanding",
    count: 32_000,
    outstanding: 1000,
    ways: [...CALLS, ...ONE_WRITE],
  },
  {
    id: "events",
    title: "events",
    count: 100 * FLOOD_EVENTS,
    outstanding: 1,
    ways: [
      "heard: ours > plain",
      "heard: ours > ours",
      "unheard: ours > plain",
      "raw events > plain",
      "raw + JSON events > plain",
      ...PYTHON_EVENTS,
    ],
  },
];

const apart = taskset && cores > 1;
const oneCore = await run(
  [sequential("oneCore", "one command at a time")],
  taskset ? { server: 0, client: 0 } : { server: undefined, client: undefined },
);
const all = await run(
  split,
  apart ? { server: 0, client: 1 } : { server: undefined, client: undefined },
);
if (!taskset) notes.push("There is no taskset here: nothing was held on one core.");
else if (!apart) notes.push("There is one core here: nothing could be held on two.");
if (python === undefined) notes.push("There is no python3 here: its rows and bars are left out.");
notes.push(
  "`client > server`. `ours`: this module's client and `RcspServer`. `plain`: a server that copies the " +
    "TrackId into ready bytes, so that the client alone is measured. `raw`: the runtime's sockets " +
    "sending and counting the same bytes; `+ JSON`: and one `JSON.stringify` or `JSON.parse` of ready " +
    "text for each message. `one write each`: our client on a connector that takes its batches apart, " +
    "so that each command goes out in a write of its own. Events are read from an async iterator.",
);

finish({
  bench: "end_to_end",
  tables: [
    table(oneCore[0]!, `${taskset ? "one core for both" : "not held on a core"}`),
    ...all.map((found) =>
      table(found, apart ? "client and server on a core each" : "not held on cores")
    ),
  ],
  metrics: metrics(oneCore[0]!.times, all.map(({ times }) => times)),
  notes,
}, { smoke, json });

interface Found {
  readonly work: Work;
  readonly times: Times;
}

async function run(works: readonly Work[], cores: Parameters<typeof startChildren>[0]) {
  const children = await startChildren(cores, python !== undefined);
  try {
    const found: Found[] = [];
    for (const work of works) found.push({ work, times: await takeTurns(children, work) });
    return found;
  } finally {
    await children.end();
  }
}

/** As the other benches' rounds, with other processes doing the work. */
async function takeTurns(children: Children, work: Work): Promise<Times> {
  const ways = work.ways.filter((way) => python !== undefined || !isPython(way));
  const times = new Times();
  const warmUp = smoke ? 0 : 2;
  for (let round = -warmUp; round < rounds; round++) {
    for (let i = 0; i < ways.length; i++) {
      const way = ways[(round + warmUp + i) % ways.length]!;
      const nanoseconds = await time(children, work, way);
      if (round >= 0) times.add(way, nanoseconds);
    }
  }
  return times;
}

/** Nanoseconds per command or event. */
async function time(children: Children, work: Work, way: string): Promise<number> {
  const events = way.includes("events") || way.includes("heard");
  const unit = events ? FLOOD_EVENTS : 1;
  const share = isPython(way) ? PYTHON_SHARE : 1;
  const count = Math.ceil(work.count * scale * share / unit) * unit;
  const seconds = isPython(way)
    ? await children.python(
      events ? "events" : "sequential",
      way.endsWith("ours") ? "ours" : "plain",
      count,
    )
    : await children.drive({ way, count, outstanding: work.outstanding });
  return seconds / count * 1e9;
}

function isPython(way: string): boolean {
  return way.startsWith("python");
}

function table({ work, times }: Found, how: string): Table {
  const events = work.id === "events";
  const [first, raw, withJson] = events
    ? ["heard: ours > plain", "raw events > plain", "raw + JSON events > plain"] as const
    : ["ours > plain", "raw > plain", "raw + JSON > plain"] as const;
  return {
    title: `${work.title} (${how})`,
    columns: [
      "client > server",
      "per second",
      `× ${first}`,
      "% of raw",
      "% of raw + JSON",
      "spread",
    ],
    rows: times.names.map((name) => [
      name,
      figureText(1e9 / times.of(name)),
      figureText(times.ratio(first, name)),
      figureText(times.ratio(raw, name) * 100),
      figureText(times.ratio(withJson, name) * 100),
      `${(times.spread(name) * 100).toFixed(0)} %`,
    ]),
  };
}

/** The bars compare clients on one server, which does next to nothing; `.ourServer` are for information. */
function metrics(
  oneCore: Times,
  [sequential, at64, at1000, events]: readonly Times[],
): Record<string, number> {
  const figures: Record<string, number> = {
    "events.unheard": events!.ratio("heard: ours > plain", "unheard: ours > plain"),
    "events.rawJson": events!.ratio("raw + JSON events > plain", "heard: ours > plain"),
  };
  if (python !== undefined) {
    figures["events.python"] = events!.ratio("python events > plain", "heard: ours > plain");
  }
  for (const [server, suffix] of [["plain", ""], ["ours", ".ourServer"]] as const) {
    const ours = `ours > ${server}`;
    const rawJson = `raw + JSON > ${server}`;
    figures[`sequential.raw${suffix}`] = oneCore.ratio(`raw > ${server}`, ours);
    figures[`pipelined64.rawJson${suffix}`] = at64!.ratio(rawJson, ours);
    figures[`pipelined1000.rawJson${suffix}`] = at1000!.ratio(rawJson, ours);
    figures[`pipelined64.oneWrite${suffix}`] = at64!.ratio(`one write each > ${server}`, ours);
    if (python === undefined) continue;
    const snake = `python > ${server}`;
    figures[`sequential.python${suffix}`] = oneCore.ratio(snake, ours);
    // Python's turns are not in the same rounds as these, so the medians are compared.
    figures[`pipelined64.python${suffix}`] = sequential!.of(snake) / at64!.of(ours);
    figures[`pipelined1000.python${suffix}`] = sequential!.of(snake) / at1000!.of(ours);
  }
  return figures;
}
