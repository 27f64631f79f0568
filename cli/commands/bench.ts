/**
 * `rcsp bench`
 *
 * @module
 */

import { connect, type RcspClient } from "@rcsp/rcsp";
import { resolveDialect } from "@rcsp/rcsp/server";
import { memoryNetwork, Simulator } from "@rcsp/rcsp/simulator";
import type { Command, Context } from "../command_line/command.ts";
import { UsageError } from "../exit_codes.ts";
import { loadCommands, loadEvents, type Result, type Span } from "../measure/load.ts";
import { Progress } from "../measure/progress.ts";

const LENGTH = 2_000;
const PARTS = [["sequential", 1], ["pipelined 64", 64], ["pipelined 1000", 1_000]] as const;

/** Measures how much goes through. */
export const bench: Command = {
  name: "bench",
  summary: "Measure how many commands and events a second go through",
  details: `Sends a harmless command (ListDevices; a dialect may name another): one after
the other, then with 64 and with 1000 of them unanswered at any time. Times are
those of one command, its wait behind the others included. An answer that is an
error is an answer. Events are measured with --simulate only, as nothing else
makes them come.

With --simulate client and driver share this process: that measures this module
and the runtime, no network.`,
  flags: [
    {
      name: "for",
      kind: "duration",
      value: "TIME",
      about: "how long each part takes",
      default: "2s",
      range: [1, 60_000],
    },
  ],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp bench", "the driver"],
    ["rcsp bench --simulate --for 5s", "this module on this machine"],
    ["rcsp bench --json | jq .perSecond", "the numbers alone"],
  ],
  async run(context) {
    const { line, clock, signal, io } = context;
    const progress = new Progress(io.stderr);
    const length = line.number("for") ?? LENGTH;
    const span = (title: string): Span => ({
      clock,
      signal,
      length,
      onProgress: (share) => progress.show(title, share),
    });
    const { rcsp, simulator } = await open(context);
    const command = resolveDialect((await context.server()).dialect).commands.heartbeat;
    const results: Result[] = [];
    try {
      for (const [part, outstanding] of PARTS) {
        if (signal.aborted) break;
        results.push(await loadCommands(rcsp, part, { command, outstanding }, span(part)));
      }
      if (simulator !== undefined && !signal.aborted) {
        results.push(await loadEvents(rcsp, simulator, span("events")));
      }
    } finally {
      await progress.clear();
      await show(context, results);
    }
  },
};

async function open(
  context: Context,
): Promise<{ rcsp: RcspClient; simulator?: Simulator }> {
  const { line } = context;
  if (!line.on("simulate")) return { rcsp: await context.connect() };
  for (const flag of ["host", "port"]) {
    if (line.typed(flag)) throw new UsageError(`Cannot use '--${flag}' together with '--simulate'`);
  }
  const server = await context.server();
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator({ dialect: server.dialect });
  context.defer(() => simulator.close());
  await simulator.serve(listen);
  const rcsp = await connect({
    ...server,
    ...simulator.address,
    connector,
    reconnect: false,
    signal: context.signal,
  });
  context.defer(() => rcsp.close());
  return { rcsp, simulator };
}

async function show({ out }: Context, results: readonly Result[]): Promise<void> {
  if (out.json) {
    for (const result of results) {
      const { part, count, duration, median, p99 } = result;
      await out.value({
        part,
        count,
        seconds: round(duration / 1_000),
        perSecond: perSecond(result),
        ...(median === undefined ? {} : { median: round(median) }),
        ...(p99 === undefined ? {} : { p99: round(p99) }),
      });
    }
    return;
  }
  if (results.length === 0) return;
  const columns = ["part", "count", "per second", "median", "p99"];
  await out.table(
    columns.map((name, i) => ({ name, right: i > 0 })),
    results.map((result) => [
      result.part,
      `${result.count}`,
      `${perSecond(result)}`,
      milliseconds(result.median),
      milliseconds(result.p99),
    ]),
  );
}

function perSecond({ count, duration }: Result): number {
  return duration > 0 ? Math.round(count / duration * 1_000) : 0;
}

function milliseconds(time: number | undefined): string {
  return time === undefined ? "" : `${time.toFixed(2)} ms`;
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
