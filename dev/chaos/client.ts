/**
 * One client of the chaos run: calls, aborts, counts presses, and checks everything it receives.
 */

import { connect, type RcspClient } from "../../mod.ts";
import type { Address } from "../../src/socket/socket.ts";
import type { ButtonPress } from "../../src/client/device.ts";
import type { ClientStats } from "../../src/client/rcsp_client.ts";
import type { Subscription } from "../../src/client/subscription.ts";
import { CommandError, ConnectionError, TimeoutError } from "../../src/errors.ts";
import { randomInteger } from "../../src/simulator/random.ts";
import { type Driver, pause } from "./driver.ts";

const TIMEOUT = 500;
// Far beyond the timeout of every call.
const HUNG_AFTER = 10_000;

export class ChaosClient {
  /** Number of calls by outcome. */
  readonly outcomes = new Map<string, number>();
  made = 0;
  settled = 0;
  wrong = 0;
  hung = 0;
  /** Presses published while this client was subscribed. */
  published = 0;
  delivered = 0;
  /** Missing presses, by the gaps in the received numbers. */
  missing = 0;
  /** Number of gaps. */
  jumps = 0;
  /** Duplicated or reordered presses. */
  disordered = 0;
  gaps = 0;
  /** Number of failed subscriptions that were replaced. */
  resubscribed = 0;
  dropped = 0;
  stats!: ClientStats;
  readonly #id: number;
  readonly #rcsp: RcspClient;
  readonly #driver: Driver;
  readonly #random: () => number;
  #presses: Subscription<ButtonPress>;
  readonly #slow: boolean;
  readonly #reading: Promise<void>;
  readonly #firstSeq: number;
  #nextSeq: number;
  #reads = true;
  readonly #open = new Set<Promise<void>>();

  constructor(id: number, rcsp: RcspClient, driver: Driver, random: () => number) {
    this.#id = id;
    this.#rcsp = rcsp;
    this.#driver = driver;
    this.#random = random;
    // Every fifth client reads too slowly for its small buffer.
    this.#slow = id % 5 === 4;
    this.#presses = this.#subscribe();
    this.#firstSeq = this.#nextSeq = driver.published;
    this.#reading = this.#read();
  }

  static async connect(
    id: number,
    address: Address,
    driver: Driver,
    random: () => number,
  ): Promise<ChaosClient> {
    const rcsp = await connect({
      ...address,
      commandTimeout: TIMEOUT,
      heartbeat: 300,
      partialFrameTimeout: 500,
      reconnect: { initialDelay: 10, maxDelay: 500, firstConnect: true },
    });
    return new ChaosClient(id, rcsp, driver, random);
  }

  /** Makes calls until the deadline, a few at a time. */
  async run(deadline: number): Promise<void> {
    while (performance.now() < deadline) {
      for (let i = randomInteger(this.#random, 1, 8); i > 0; i--) this.#call();
      await pause(randomInteger(this.#random, 0, 100));
    }
  }

  /** Waits for pending calls, reads buffered events, and closes. */
  async finish(): Promise<void> {
    await Promise.all(this.#open);
    const end = this.#driver.published;
    this.#reads = false;
    await this.#rcsp.drain({ timeout: 2000 });
    await this.#reading;
    this.published = end - this.#firstSeq;
    // Presses may have come after `end` was read, and before the last connection was closed.
    if (this.#nextSeq > end) this.published += this.#nextSeq - end;
    else this.#pass(end);
    this.#count();
    this.stats = this.#rcsp.stats();
  }

  get slow(): boolean {
    return this.#slow;
  }

  #call(): void {
    const token = `${this.#id}.${this.made++}`;
    const fail = this.#random() < 0.05;
    const timeout = randomInteger(this.#random, 50, TIMEOUT);
    const controller = new AbortController();
    const abort = this.#random() < 0.1
      ? setTimeout(() => controller.abort("intended"), randomInteger(this.#random, 0, 60))
      : undefined;
    const { signal } = controller;
    let settled = false;
    const answer = this.#rcsp.call("Echo", { token, fail }, { timeout, signal }).then(
      (response) => this.#settle(response["token"] === token && !fail, "answered"),
      (error) => this.#settle(isOwn(error, token, fail), nameOf(error)),
    ).finally(() => {
      settled = true;
      clearTimeout(abort);
      clearTimeout(watch);
    });
    let watch: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      watch = setTimeout(() => {
        if (!settled) this.hung++;
        resolve();
      }, HUNG_AFTER);
    });
    const open: Promise<void> = Promise.race([answer, late]).then(() => {
      this.#open.delete(open);
    });
    this.#open.add(open);
  }

  #settle(right: boolean, outcome: string): void {
    this.settled++;
    if (!right) this.wrong++;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  #subscribe(): Subscription<ButtonPress> {
    return this.#rcsp.buttonPresses(1, { buffer: this.#slow ? 8 : 100_000 });
  }

  #count(): void {
    this.gaps += this.#presses.gaps;
    this.dropped += this.#presses.dropped;
  }

  async #read(): Promise<void> {
    for (;;) {
      try {
        return await this.#readPresses();
      } catch (error) {
        if (!(error instanceof ConnectionError || error instanceof TimeoutError)) throw error;
        if (!this.#reads) return;
      }
      // It timed out, or three connections ended before it was accepted.
      this.#count();
      this.gaps++;
      this.resubscribed++;
      this.#presses = this.#subscribe();
    }
  }

  async #readPresses(): Promise<void> {
    for await (const { event } of this.#presses) {
      const { Seq } = event.data as { Seq: number };
      this.delivered++;
      if (Seq < this.#nextSeq) this.disordered++;
      else this.#pass(Seq);
      this.#nextSeq = Seq + 1;
      if (this.#slow && this.#reads) await pause(20);
    }
  }

  #pass(seq: number): void {
    if (seq > this.#nextSeq) this.jumps++;
    this.missing += seq - this.#nextSeq;
  }
}

/** True if this call may reject with the error: the refusal of another call is not allowed. */
function isOwn(error: unknown, token: string, fail: boolean): boolean {
  if (!(error instanceof CommandError)) return true;
  return fail && error.errorMessage === token;
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "aborted";
  const sent = "sent" in error ? (error.sent ? " (sent)" : " (not sent)") : "";
  return `${error.name}${sent}`;
}
