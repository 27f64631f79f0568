/**
 * `rcsp ping`
 *
 * @module
 */

import { createHistogram, type RecordableHistogram } from "node:perf_hooks";
import { CommandError, TimeoutError } from "@rcsp/rcsp";
import { resolveDialect } from "@rcsp/rcsp/server";
import type { Command, Context } from "../command_line/command.ts";
import { durationFlag, integerFlag } from "../command_line/flags.ts";
import { formatDuration } from "../command_line/duration.ts";
import { LONGEST_TIMER } from "../command_line/parse.ts";

const COUNT = 5;
const INTERVAL = 1_000;
const LOAD_LENGTH = 2_000;
/** Milliseconds of load after which timers and signals get their turn: a simulator never waits. */
const BREATH = 50;

/** Measures round trips. */
export const ping: Command = {
  name: "ping",
  summary: "Measure how long the driver takes to answer",
  details: `Sends a harmless command (ListDevices; a dialect may name another), one after the
other, and shows the least, the median, the 99th percentile and the most, in
milliseconds. An answer that is an error is an answer. Ctrl-C ends early and shows
what there is.

With --load it keeps that many commands unanswered at any time, and shows how
many a second were answered. Times include the wait behind the others.`,
  flags: [
    integerFlag("-c, --count N", "how many commands", {
      default: `${COUNT}`,
      range: [1, 1_000_000],
    }),
    durationFlag("-i, --interval TIME", "from one command to the next: 0, 200ms, 2s", {
      default: "1s",
      range: [0, LONGEST_TIMER],
    }),
    integerFlag("--load N", "keep N commands unanswered, as fast as the driver answers", {
      range: [1, 1_000],
      excludes: ["count", "interval"],
    }),
    durationFlag("--for TIME", "with --load: how long", {
      default: "2s",
      range: [1, 60_000],
      needs: "load",
    }),
  ],
  connects: true,
  simulates: true,
  prints: true,
  endsWithCtrlC: true,
  examples: [
    ["rcsp ping", `${COUNT} round trips`],
    ["rcsp ping -c 1000 --interval 0 --json | tail -1", "the summary of many"],
    ["rcsp ping --load 64", "how many commands a second go through"],
  ],
  async run(context) {
    const { line, clock, signal } = context;
    const load = line.number("load");
    const command = resolveDialect((await context.server()).dialect).commands.heartbeat;
    const rcsp = await context.connect();
    const times = createHistogram({ figures: 5, highest: LONGEST_TIMER * 1_000 });
    const began = clock.now();
    let sent = 0;
    let missed: TimeoutError | undefined;
    const send = async (): Promise<number | undefined> => {
      sent++;
      const start = clock.now();
      try {
        await rcsp.call(command).catch((error) => {
          if (!(error instanceof CommandError)) throw error;
        });
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
        missed = error;
        return undefined;
      }
      const time = clock.now() - start;
      times.record(Math.max(1, Math.round(time * 1_000)));
      return time;
    };
    try {
      if (load !== undefined) await keepSending(context, load, send);
      else {
        const count = line.number("count") ?? COUNT;
        const interval = line.number("interval") ?? INTERVAL;
        while (sent < count && !signal.aborted) {
          const start = clock.now();
          const time = await send();
          if (time !== undefined) await showOne(context, sent, time);
          else await context.log(`${sent}: no answer within ${formatDuration(missed!.timeout)}`);
          const left = interval - (clock.now() - start);
          if (sent < count && left > 0) await context.pause(left);
        }
      }
    } catch (error) {
      // Ctrl-C ends the client: what there is then is the result.
      if (!signal.aborted || times.count === 0) throw error;
    } finally {
      const seconds = load === undefined ? undefined : (clock.now() - began) / 1_000;
      if (sent > 0) await showSummary(context, sent, times, seconds);
    }
    if (times.count === 0 && missed !== undefined) throw missed;
  },
};

async function keepSending(
  { line, clock, signal, pause }: Context,
  load: number,
  send: () => Promise<unknown>,
): Promise<void> {
  const end = clock.now() + (line.number("for") ?? LOAD_LENGTH);
  let failed = false;
  let breath: Promise<void> | undefined;
  let breathed = clock.now();
  const sendAll = async (): Promise<void> => {
    while (!failed && !signal.aborted && clock.now() < end) {
      await send().catch((error) => {
        failed = true;
        throw error;
      });
      if (clock.now() - breathed >= BREATH) {
        breathed = clock.now();
        breath = pause(0);
      }
      await breath;
    }
  };
  await Promise.all(Array.from({ length: load }, sendAll));
}

async function showOne({ out }: Context, number: number, time: number): Promise<void> {
  if (out.json) await out.value({ n: number, ms: round(time) });
  else await out.line(`${number}: ${time.toFixed(2)} ms`);
}

/** `seconds` is how long a load lasted. */
async function showSummary(
  { out }: Context,
  sent: number,
  times: RecordableHistogram,
  seconds: number | undefined,
): Promise<void> {
  const answered = times.count;
  const perSecond = seconds ? Math.round(answered / seconds) : undefined;
  const rate = perSecond === undefined ? {} : { seconds: round(seconds!), perSecond };
  const spread = Object.entries({
    min: times.min,
    median: times.percentile(50),
    p99: times.percentile(99),
    max: times.max,
  });
  if (out.json) {
    const rounded = answered === 0 ? [] : spread.map(([name, time]) => [name, time / 1_000]);
    return await out.value({ sent, answered, ...rate, ...Object.fromEntries(rounded) });
  }
  if (answered === 0) return;
  const each = perSecond === undefined ? "" : `, ${perSecond} a second`;
  await out.line(`${sent} sent, ${answered} answered${each}`);
  await out.table(spread.map(([name]) => ({ name, right: true })), [
    spread.map(([, time]) => `${(time / 1_000).toFixed(2)} ms`),
  ]);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
