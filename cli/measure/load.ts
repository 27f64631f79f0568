/**
 * What a bench has the client do.
 *
 * @module
 */

import { CommandError, type RcspClient } from "@rcsp/rcsp";
import type { Simulator } from "@rcsp/rcsp/simulator";
import type { Clock } from "../process/io.ts";
import { summarize } from "./statistics.ts";

/** Most single times that are kept; of more, chance ones. */
const KEPT_TIMES = 200_000;
/** Events that are sent before all of them are read: fewer than a subscription's buffer. */
const EVENTS = 500;
/** Milliseconds between breaths. */
const BREATH = 50;

/** What came out of one part. */
export interface Result {
  readonly part: string;
  /** Commands that were answered, or events that were read. */
  readonly count: number;
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds of one command; none of events. */
  readonly median?: number | undefined;
  readonly p99?: number | undefined;
}

/** When a part ends, and whom it tells how far it is. */
export interface Span {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds. */
  readonly length: number;
  readonly onProgress: (share: number) => Promise<void>;
}

/** Sends a command over and over with so many of them unanswered at any time. */
export async function loadCommands(
  rcsp: RcspClient,
  part: string,
  options: { command: string; outstanding: number },
  span: Span,
): Promise<Result> {
  const { clock, signal, length } = span;
  const times = new Times();
  const began = clock.now();
  let failure: { readonly error: unknown } | undefined;
  const going = (): boolean =>
    failure === undefined && !signal.aborted && clock.now() - began < length;
  const send = async (): Promise<void> => {
    while (going()) {
      const sent = clock.now();
      try {
        await rcsp.call(options.command).catch((error) => {
          if (!(error instanceof CommandError)) throw error;
        });
      } catch (error) {
        failure ??= { error };
        return;
      }
      times.add(clock.now() - sent);
      await breath.take();
    }
  };
  const breath = new Breath(span);
  await Promise.all(Array.from({ length: options.outstanding }, send));
  const duration = clock.now() - began;
  if (failure !== undefined && !signal.aborted) throw (failure as { error: unknown }).error;
  return { part, count: times.count, duration, ...times.spread() };
}

/** Has a simulator press a button, and reads the presses. */
export async function loadEvents(
  rcsp: RcspClient,
  simulator: Simulator,
  span: Span,
): Promise<Result> {
  const { clock, signal, length } = span;
  const device = simulator.devices[0]!.DeviceId;
  const presses = rcsp.buttonPresses(device, { buffer: EVENTS });
  await presses.ready;
  const began = clock.now();
  let count = 0;
  const breath = new Breath(span);
  while (!signal.aborted && clock.now() - began < length) {
    for (let i = 0; i < EVENTS; i++) simulator.press(device, "SinglePress");
    for (let i = 0; i < EVENTS; i++) {
      const { done } = await presses.next();
      if (done) break;
      count++;
    }
    await breath.take();
  }
  const duration = clock.now() - began;
  await presses.unsubscribe();
  return { part: "events", count, duration };
}

/**
 * Lets timers and signals have their turn now and then, and tells how far it is: within one process
 * there is no network to wait for, so that nothing else would run.
 */
class Breath {
  readonly #span: Span;
  readonly #began: number;
  #last: number;
  #taking: Promise<void> | undefined;

  constructor(span: Span) {
    this.#span = span;
    this.#began = this.#last = span.clock.now();
  }

  take(): Promise<void> | undefined {
    if (this.#taking !== undefined) return this.#taking;
    if (this.#span.clock.now() - this.#last < BREATH) return undefined;
    return this.#taking = this.#take();
  }

  async #take(): Promise<void> {
    const { clock, length, onProgress } = this.#span;
    await onProgress((clock.now() - this.#began) / length);
    await new Promise<void>((resolve) => clock.set(resolve, 0));
    this.#last = clock.now();
    this.#taking = undefined;
  }
}

/** Single times; of very many, chance ones, each as likely as the other. */
class Times {
  count = 0;
  readonly #kept: number[] = [];

  add(time: number): void {
    this.count++;
    if (this.#kept.length < KEPT_TIMES) {
      this.#kept.push(time);
      return;
    }
    const place = Math.floor(Math.random() * this.count);
    if (place < KEPT_TIMES) this.#kept[place] = time;
  }

  spread(): { median?: number; p99?: number } {
    if (this.#kept.length === 0) return {};
    const { median, p99 } = summarize(this.#kept);
    return { median, p99 };
  }
}
