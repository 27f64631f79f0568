/**
 * `rcsp ping`
 *
 * @module
 */

import { CommandError, TimeoutError } from "@rcsp/rcsp";
import { resolveDialect } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import { formatDuration } from "../command_line/duration.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";
import { summarize } from "../measure/statistics.ts";

const COUNT = 5;
const INTERVAL = 1_000;

/** Measures round trips. */
export const ping: Command = {
  name: "ping",
  summary: "Measure how long the driver takes to answer",
  details: `Sends a harmless command (ListDevices; a dialect may name another), one after the
other, and shows the least, the median, the 99th percentile and the most, in
milliseconds. An answer that is an error is an answer. Ctrl-C ends early and shows
what there is.`,
  flags: [
    {
      name: "count",
      short: "c",
      kind: "integer",
      value: "N",
      about: "how many commands",
      default: `${COUNT}`,
      range: [1, 1_000_000],
    },
    {
      name: "interval",
      short: "i",
      kind: "duration",
      value: "TIME",
      about: "from one command to the next: 0, 200ms, 2s",
      default: "1s",
      range: [0, LONGEST_TIMER],
    },
  ],
  connects: true,
  simulates: true,
  prints: true,
  examples: [
    ["rcsp ping", `${COUNT} round trips`],
    ["rcsp ping -c 1000 --interval 0 --json | tail -1", "the summary of many"],
  ],
  async run(context) {
    const times: number[] = [];
    let sent = 0;
    let missed: TimeoutError | undefined;
    const count = context.line.number("count") ?? COUNT;
    const interval = context.line.number("interval") ?? INTERVAL;
    const command = resolveDialect((await context.server()).dialect).commands.heartbeat;
    const rcsp = await context.connect();
    try {
      while (sent < count && !context.signal.aborted) {
        sent++;
        const began = context.clock.now();
        try {
          await rcsp.call(command).catch((error) => {
            if (!(error instanceof CommandError)) throw error;
          });
          times.push(context.clock.now() - began);
          await showOne(context, sent, times.at(-1)!);
        } catch (error) {
          if (!(error instanceof TimeoutError)) throw error;
          missed = error;
          await context.log(`${sent}: no answer within ${formatDuration(error.timeout)}`);
        }
        const left = interval - (context.clock.now() - began);
        if (sent < count && left > 0) await context.pause(left);
      }
    } finally {
      if (sent > 0) await showSummary(context, sent, times);
    }
    if (times.length === 0 && missed !== undefined) throw missed;
  },
};

async function showOne({ out }: Context, number: number, time: number): Promise<void> {
  if (out.json) await out.value({ n: number, ms: round(time) });
  else await out.line(`${number}: ${time.toFixed(2)} ms`);
}

async function showSummary({ out }: Context, sent: number, times: number[]): Promise<void> {
  const answered = times.length;
  if (answered === 0) {
    if (out.json) await out.value({ sent, answered });
    return;
  }
  const { min, median, p99, max } = summarize(times);
  if (out.json) {
    const rounded = { min: round(min), median: round(median), p99: round(p99), max: round(max) };
    return await out.value({ sent, answered, ...rounded });
  }
  await out.line(`${sent} sent, ${answered} answered`);
  const row = [min, median, p99, max].map((time) => `${time.toFixed(2)} ms`);
  await out.table(["min", "median", "p99", "max"].map((name) => ({ name, right: true })), [row]);
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1_000) / 1_000;
}
