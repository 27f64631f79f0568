/**
 * Ends the process if a case takes too long. An endless loop blocks every timer of its thread, so a
 * separate thread watches.
 */

import { writeSync } from "node:fs";
import process from "node:process";
import { isMainThread, Worker, workerData } from "node:worker_threads";

/** Message to the thread. */
interface WatchdogData {
  readonly kind: "watchdog";
  /** The number of the target, and of its current case. */
  readonly progress: Int32Array;
  readonly names: readonly string[];
  readonly seed: number;
  readonly pid: number;
  readonly timeout: number;
}

/** The watching thread. */
export interface Watchdog {
  /** Reports that a case begins. */
  begin(target: number, iteration: number): void;
  stop(): Promise<unknown>;
}

/** Starts to watch; `timeout` is per case, in milliseconds. */
export function startWatchdog(names: readonly string[], seed: number, timeout: number): Watchdog {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const data: WatchdogData = { kind: "watchdog", progress, names, seed, pid: process.pid, timeout };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  worker.unref();
  return {
    begin(target, iteration): void {
      Atomics.store(progress, 0, target);
      Atomics.store(progress, 1, iteration);
    },
    stop: () => worker.terminate(),
  };
}

function look({ progress, names, seed, pid, timeout }: WatchdogData): void {
  let last = "";
  setInterval(() => {
    const [target, iteration] = [Atomics.load(progress, 0), Atomics.load(progress, 1)];
    const now = `--target ${names[target]} --seed ${seed} --iteration ${iteration}`;
    if (now === last) {
      writeSync(2, `fuzz: hangs: ${now} does not end within ${timeout} ms\n`);
      process.kill(pid, "SIGKILL");
    }
    last = now;
  }, timeout);
}

if (!isMainThread && (workerData as WatchdogData | null)?.kind === "watchdog") {
  look(workerData as WatchdogData);
}
