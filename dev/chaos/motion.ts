/**
 * The motion stream in the chaos run: a server that restarts and whose devices come and go, a proxy that
 * does wrong, clients that read at once or slowly, and two that misbehave.
 */

import { connector, listen } from "../../adapters/runtime.ts";
import { connectMotion, type MotionClient, type Sample } from "../../motion.ts";
import { DataFrame } from "../../src/motion/data_frame.ts";
import { readDefinition } from "../../src/motion/definition.ts";
import { MotionServer } from "../../src/motion/motion_server.ts";
import { randomInteger } from "../../src/simulator/random.ts";
import type { Address, Socket } from "../../src/socket/socket.ts";
import { type ConnectionFaults, FaultProxy } from "../../tests/support/fault_proxy.ts";
import { pause } from "./driver.ts";

const DEVICES = [1, 2, 3];
const SEND_EVERY = 5;
const VALUES = 16;
/** Far beyond the longest wait of a client. */
const CALM_WITHIN = 20_000;

/** The result of the motion stream. */
export interface MotionResult {
  readonly lines: string[];
  /** What must be 0, by its name. */
  readonly faults: { readonly [name: string]: number };
}

/** Sends numbered frames: all values of a frame are its number, which only grows. */
class Source {
  readonly address: Address;
  number = 0;
  restarts = 0;
  skipped = 0;
  readonly #definitions = DEVICES.map((device_id) => ({
    device_id,
    groups: [{ name: "numbers", streams: [{ data_type: `UINT32[${VALUES}]` }] }],
  }));
  readonly #frames = this.#definitions.map((definition) =>
    new DataFrame(definition.device_id, readDefinition(definition).groups[0]!)
  );
  readonly connected = new Set<number>(DEVICES);
  #server: MotionServer | undefined;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(address: Address, server: MotionServer) {
    this.address = address;
    this.#adopt(server);
    this.#timer = setInterval(() => this.#send(), SEND_EVERY);
  }

  static async start(): Promise<Source> {
    const server = new MotionServer({ closeTimeout: 200 });
    return new Source(await server.serve(listen), server);
  }

  async restart(wait: number): Promise<void> {
    await this.#stop();
    await pause(wait);
    const server = new MotionServer({ closeTimeout: 200 });
    await server.serve(listen, this.address);
    this.#adopt(server);
    this.restarts++;
  }

  /** Connects or disconnects a device. */
  toggle(device: number): void {
    if (this.connected.delete(device)) this.#server?.disconnect(device);
    else {
      this.connected.add(device);
      this.#server?.define(this.#definitions[device - 1]!);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#stop();
  }

  #adopt(server: MotionServer): void {
    this.#server = server;
    for (const device of this.connected) server.define(this.#definitions[device - 1]!);
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await server.close();
    this.skipped += server.stats().skipped;
  }

  #send(): void {
    this.number++;
    for (const device of this.connected) {
      const frame = this.#frames[device - 1]!;
      frame.set(frame.group.streams[0]!, Array(VALUES).fill(this.number));
      frame.deviceTime = BigInt(this.number * SEND_EVERY * 1_000);
      this.#server?.send(frame.frame);
    }
  }
}

/** Checks every sample that one client receives. */
class Watcher {
  readonly motion: MotionClient;
  wrong = 0;
  disordered = 0;
  unaccounted = 0;
  received = 0;
  readonly #newest = new Map<number, number>();
  #receivedOfFirst = 0;
  readonly #samples;
  readonly #reading: Promise<void>;
  #delivered = 0;
  #isSlow = true;

  constructor(motion: MotionClient, every: boolean) {
    this.motion = motion;
    motion.on("sample", (sample, { id }) => this.#check(sample, id));
    this.#samples = motion.samples(1, "numbers", every ? { every, buffer: 8 } : {});
    this.#reading = this.#readSlowly();
  }

  isCurrent(connected: ReadonlySet<number>, number: number): boolean {
    const there = this.motion.devices().map(({ id }) => id);
    return there.length === connected.size &&
      there.every((id) => connected.has(id) && (this.#newest.get(id) ?? 0) >= number);
  }

  async finish(): Promise<void> {
    this.#isSlow = false;
    await this.motion.close();
    await this.#reading;
    const { dropped } = this.#samples;
    this.unaccounted = Math.abs(this.#receivedOfFirst - this.#delivered - dropped);
  }

  #check(sample: Sample, device: number): void {
    const values = sample.values(sample.group.streams[0]!);
    const number = Number(values[0]);
    if (!values.every((value) => value === number)) this.wrong++;
    if (number <= (this.#newest.get(device) ?? 0)) this.disordered++;
    this.#newest.set(device, number);
    this.received++;
    if (device === 1) this.#receivedOfFirst++;
  }

  async #readSlowly(): Promise<void> {
    let last = 0;
    for await (const sample of this.#samples) {
      this.#delivered++;
      const number = Number(sample.values(sample.group.streams[0]!)[0]);
      if (number <= last) this.disordered++;
      last = number;
      if (this.#isSlow) await pause(30);
    }
  }
}

/** Runs until the deadline, then waits for calm, and checks everything. */
export async function motionChaos(
  deadline: number,
  count: number,
  random: () => number,
): Promise<MotionResult> {
  const source = await Source.start();
  let isCalm = false;
  const faults = plan(random);
  const proxy = await FaultProxy.start(source.address, () => isCalm ? {} : faults());
  const watchers: Watcher[] = [];
  for (let i = 0; i < count; i++) {
    const motion = await connectMotion({
      ...proxy.address,
      reconnect: { initialDelay: 10, maxDelay: 500, firstConnect: true },
    });
    watchers.push(new Watcher(motion, i % 2 === 1));
  }
  const bad = await Promise.all([connector(source.address), connector(source.address)]);
  bad[1]!.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")).catch(() => {});
  await upheave(source, proxy, deadline, random);
  // From here on every connection is good.
  isCalm = true;
  proxy.cutAll("reset");
  const last = source.number;
  const current = (): Watcher[] =>
    watchers.filter((watcher) => watcher.isCurrent(source.connected, last));
  const calmBy = performance.now() + CALM_WITHIN;
  while (current().length < count && performance.now() < calmBy) await pause(20);
  const late = count - current().length;
  await Promise.all(watchers.map((watcher) => watcher.finish()));
  closeAll(bad);
  await proxy.close();
  await source.close();
  return report(source, watchers, late);
}

function plan(random: () => number): () => ConnectionFaults {
  const bytes = (): number => randomInteger(random, 1, 300_000);
  const faults: (() => ConnectionFaults)[] = [
    () => ({}),
    () => ({ down: { slice: randomInteger(random, 1, 40) } }),
    () => ({ down: { delay: randomInteger(random, 1, 30) } }),
    () => ({ down: { cutAfterBytes: bytes() } }),
    () => ({ down: { resetAfterBytes: bytes() } }),
    () => ({ down: { stallAfterBytes: bytes() } }),
    // The prefix or the length of the first frame: later bytes might be values.
    () => ({ down: { corruptByte: random() < 0.5 ? 0 : 4 } }),
  ];
  return () => faults[randomInteger(random, 0, faults.length - 1)]!();
}

async function upheave(
  source: Source,
  proxy: FaultProxy,
  deadline: number,
  random: () => number,
): Promise<void> {
  while (performance.now() < deadline) {
    await pause(randomInteger(random, 200, 1_000));
    const kind = random();
    if (kind < 0.6) source.toggle(DEVICES[randomInteger(random, 0, DEVICES.length - 1)]!);
    else if (kind < 0.8) proxy.cutAll(random() < 0.5 ? "reset" : "close");
    else await source.restart(randomInteger(random, 20, 500));
  }
}

function closeAll(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.close();
}

function report(source: Source, watchers: readonly Watcher[], late: number): MotionResult {
  const sum = (count: (watcher: Watcher) => number): number =>
    watchers.reduce((total, watcher) => total + count(watcher), 0);
  const received = sum(({ received }) => received);
  const reconnects = sum(({ motion }) => motion.stats().reconnects);
  return {
    lines: [
      `motion: ${watchers.length} clients, ${source.number} steps of up to ${DEVICES.length} ` +
      `devices, ${received} samples received, ${source.skipped} skipped by the server, ` +
      `reconnects ${reconnects}, server restarts ${source.restarts}`,
    ],
    faults: {
      "motion samples with wrong values": sum(({ wrong }) => wrong),
      "motion samples out of order": sum(({ disordered }) => disordered),
      "motion samples not accounted for": sum(({ unaccounted }) => unaccounted),
      "motion clients that were not current at the end": late,
      "motion without a sample": received === 0 ? 1 : 0,
    },
  };
}
