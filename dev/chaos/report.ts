/** The result of a chaos run. */

import type { ChaosClient } from "./client.ts";
import type { Driver } from "./driver.ts";
import type { MotionResult } from "./motion.ts";

/** The data that decides whether a run passed. */
export interface ChaosRun {
  readonly seconds: number;
  readonly seed: number;
  readonly clients: readonly ChaosClient[];
  readonly driver: Driver;
  readonly heapBefore: number;
  readonly heapAfter: number;
  readonly motion: MotionResult;
}

/** Prints the report and returns whether the run passed. */
export function report(run: ChaosRun): boolean {
  const { clients, driver, heapBefore, heapAfter } = run;
  const sum = (count: (client: ChaosClient) => number): number =>
    clients.reduce((total, client) => total + count(client), 0);
  const published = sum((client) => client.published);
  const delivered = sum(({ delivered }) => delivered);
  const dropped = sum(({ dropped }) => dropped);
  const missing = sum(({ missing }) => missing);
  const lost = missing - dropped;
  const calls = { made: sum(({ made }) => made), settled: sum(({ settled }) => settled) };
  const faults = {
    "wrong answers": sum(({ wrong }) => wrong),
    "hung calls": sum(({ hung }) => hung),
    "calls not settled once": Math.abs(calls.made - calls.settled),
    "events twice or out of order": sum(({ disordered }) => disordered),
    "events not accounted for": Math.abs(published - delivered - missing),
    "losses without a gap": sum((client) =>
      // The presses before the first connection and after the last one are two more jumps.
      client.slow ? 0 : Math.max(0, client.jumps - client.gaps - 2)
    ),
    "dropped beyond missing": Math.max(0, -lost),
    ...run.motion.faults,
  };
  const lines = [
    `chaos: ${run.seconds} s, ${clients.length} clients, seed ${run.seed}`,
    `calls made ${calls.made}, settled ${calls.settled}: ${outcomes(clients)}`,
    `wrong answers ${faults["wrong answers"]}, hung ${faults["hung calls"]}`,
    `events published ${published} (${driver.published} presses to each client) = ` +
    `delivered ${delivered} + dropped ${dropped} + lost in gaps ${lost}`,
    `reconnects ${sum(({ stats }) => stats.reconnects)}, driver restarts ${driver.restarts}, ` +
    `late answers ${sum(({ stats }) => stats.late)}, ` +
    `subscriptions that failed ${sum(({ resubscribed }) => resubscribed)}`,
    ...run.motion.lines,
    `heap ${megabytes(heapBefore)} at the start, ${megabytes(heapAfter)} at the end`,
    ...Object.entries(faults).filter(([, n]) => n > 0).map(([name, n]) => `FAULT: ${n} ${name}`),
  ];
  for (const line of lines) console.log(line);
  return Object.values(faults).every((n) => n === 0);
}

function outcomes(clients: readonly ChaosClient[]): string {
  const totals = new Map<string, number>();
  for (const { outcomes } of clients) {
    for (const [name, n] of outcomes) totals.set(name, (totals.get(name) ?? 0) + n);
  }
  return [...totals].sort(([, a], [, b]) => b - a).map(([name, n]) => `${name} ${n}`).join(", ");
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
