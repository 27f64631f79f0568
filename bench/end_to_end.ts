/**
 * Client and server in two processes over loopback TCP: our client, a bare client, and raw sockets with
 * the same bytes, with and without JSON.
 */

import { execFileSync } from "node:child_process";
import os from "node:os";
import { type Cores, type Processes, startProcesses } from "./end_to_end/processes.ts";
import { FLOOD_EVENTS } from "./end_to_end/messages.ts";
import type { Work } from "./end_to_end/tasks.ts";
import { figureText, finish, options, percentText, type Table } from "./support/report.ts";
import { Times } from "./support/rounds.ts";

interface Measurement {
  readonly title: string;
  readonly work: Work;
  readonly count: number;
  readonly outstanding: number;
}

interface Result extends Measurement {
  readonly times: Times;
}

const ONE_AT_A_TIME: Measurement = {
  title: "one command at a time, one core",
  work: "commands",
  count: 2_000,
  outstanding: 1,
};
const EVENTS: Measurement = {
  title: "events, one core",
  work: "events",
  count: 60 * FLOOD_EVENTS,
  outstanding: 1,
};
const PIPELINED: Measurement = {
  title: "64 commands outstanding, a core each",
  work: "commands",
  count: 16_000,
  outstanding: 64,
};

const { smoke, json } = options();
const rounds = smoke ? 1 : 11;
const warmUps = smoke ? 0 : 2;
const pinnable = canPin();
const notes = [
  "Per second, and share of raw + JSON. Clients use a server that copies ready bytes, except the one on " +
  "`RcspServer`.",
];
if (!pinnable) {
  notes.push("No taskset: processes were not pinned to cores, so the titles are not true.");
} else if (os.availableParallelism() < 2) {
  notes.push("One core only: '64 outstanding' shares it.");
}

const sequential = await measure([ONE_AT_A_TIME, EVENTS], cores(0, 0));
const pipelined = await measure([PIPELINED], cores(0, 1));
const results = [...sequential, ...pipelined];

finish({
  bench: "end_to_end",
  tables: results.map(table),
  summary: {
    title: "End to end",
    columns: ["client", ""],
    rows: results.flatMap(({ title, times }) =>
      times.names.map((name) => [
        `${title}: ${name}`,
        `${perSecond(times, name)}, ${percentText(times.ratio("raw + JSON", name))}`,
      ])
    ),
  },
  metrics: metrics(results.map(({ times }) => times)),
  notes,
}, { smoke, json });

function canPin(): boolean {
  try {
    execFileSync("taskset", ["-c", "0", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function cores(server: number, client: number): Cores {
  if (!pinnable) return { server: undefined, client: undefined };
  return { server, client: Math.min(client, os.availableParallelism() - 1) };
}

async function measure(measurements: readonly Measurement[], cores: Cores): Promise<Result[]> {
  const processes = await startProcesses(cores);
  try {
    const results: Result[] = [];
    for (const measurement of measurements) {
      results.push({ ...measurement, times: await takeTurns(processes, measurement) });
    }
    return results;
  } finally {
    await processes.end();
  }
}

/** Like the turns of `support/rounds.ts`, with the work in another process. */
async function takeTurns(
  processes: Processes,
  { work, count, outstanding }: Measurement,
): Promise<Times> {
  const clients = processes.clients[work];
  const unit = work === "events" ? FLOOD_EVENTS : 1;
  if (smoke) count = Math.ceil(count / 50 / unit) * unit;
  const times = new Times();
  for (let round = -warmUps; round < rounds; round++) {
    for (let i = 0; i < clients.length; i++) {
      const client = clients[(round + warmUps * clients.length + i) % clients.length]!;
      const seconds = await processes.run({ work, client, count, outstanding });
      if (round >= 0) times.add(client, seconds / count * 1e9);
    }
  }
  return times;
}

function table({ title, times }: Result): Table {
  return {
    title,
    columns: ["client", "per second", "share of raw", "of raw + JSON", "spread"],
    rows: times.names.map((name) => [
      name,
      perSecond(times, name),
      percentText(times.ratio("raw", name)),
      percentText(times.ratio("raw + JSON", name)),
      percentText(times.spread(name)),
    ]),
  };
}

function perSecond(times: Times, name: string): string {
  return figureText(1e9 / times.of(name));
}

function metrics([sequential, events, pipelined]: readonly Times[]): Record<string, number> {
  return {
    "sequential.raw": sequential!.ratio("raw", "ours"),
    "events.listener": events!.ratio("raw + JSON", "listener"),
    "events.iterator": events!.ratio("listener", "async iterator"),
    "events.unmatched": events!.ratio("async iterator", "no listener"),
    "pipelined64.rawJson": pipelined!.ratio("raw + JSON", "ours"),
  };
}
