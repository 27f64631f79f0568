/** Scenarios that need memory: a million events, 100,000 pending commands, one huge message. */

import { connect } from "../../mod.ts";
import { FrameDecoder, PayloadType, writeHeader } from "../../src/wire/mod.ts";
import { runtimeCommand, start } from "../../tests/support/runtime.ts";
import type { Ports } from "../end_to_end/tasks.ts";
import { namedHands } from "../motion/readers.ts";
import { handStream } from "../motion/stream.ts";
import { type HeapGauge, settledHeap } from "./gauge.ts";
import { readFloods } from "../end_to_end/clients.ts";
import { EVENT_JSON, FLOOD_EVENTS, FLOODS } from "../end_to_end/messages.ts";

/** A scenario, ready to run. */
export interface Ready {
  /** Runs it; `heapEarly` is the heap after garbage collection when a tenth is done. */
  run(heap: HeapGauge): Promise<{ heapEarly?: number }>;
  end(): Promise<void>;
}

/** All scenarios; each takes its size. */
export const MEMORY_SCENARIOS: Readonly<Record<string, (size: number) => Promise<Ready>>> = {
  events,
  commands,
  motion,
  message1: (size) => Promise.resolve(message(size, 1)),
  message17: (size) => Promise.resolve(message(size, 17)),
  message1460: (size) => Promise.resolve(message(size, 1460)),
};

const LIFE = 120_000;

async function events(count: number): Promise<Ready> {
  const { ports, stop } = await startServers();
  const client = await connect({ host: "127.0.0.1", port: ports.plain, reconnect: false });
  async function receive(count: number, heap: HeapGauge): Promise<void> {
    const events = client.events({ buffer: FLOODS * FLOOD_EVENTS });
    await readFloods(client, events, Math.ceil(count / FLOOD_EVENTS), (event) => {
      if (JSON.stringify(event.raw) !== EVENT_JSON) throw new Error("An event differs");
      heap.sample();
    });
  }
  return {
    async run(heap): Promise<{ heapEarly: number }> {
      await receive(count / 10, heap);
      const heapEarly = await settledHeap();
      await receive(count * 9 / 10, heap);
      return { heapEarly };
    },
    async end(): Promise<void> {
      await client.close();
      await stop();
    },
  };
}

/** All groups of two hands, which are measured each time. */
async function motion(count: number): Promise<Ready> {
  const stream = handStream(250, 1460, "all");
  let frames = 0;
  let sample = (): void => {};
  const pass = await namedHands(stream, (hand) => {
    if (!(hand.measure()!.pinch > 0)) throw new Error("A hand has no measures");
    if (++frames % 512 === 0) sample();
  });
  const read = (total: number): void => {
    while (frames < total) pass();
  };
  return {
    async run(heap): Promise<{ heapEarly: number }> {
      sample = heap.sample;
      read(count / 10);
      const heapEarly = await settledHeap();
      read(count);
      // Kept alive, as by a connection.
      held = pass;
      return { heapEarly };
    },
    end: () => Promise.resolve(),
  };
}

async function commands(count: number): Promise<Ready> {
  const { ports, stop } = await startServers();
  const options = { maxPending: count, commandTimeout: LIFE, reconnect: false as const };
  const client = await connect({ host: "127.0.0.1", port: ports.ours, ...options });
  return {
    async run(heap): Promise<{ heapEarly?: number }> {
      let answered = 0;
      const calls: Promise<void>[] = [];
      for (let i = 0; i < count; i++) {
        calls.push(
          client.call("ListDevices").then(({ Devices }) => {
            if (!Array.isArray(Devices)) throw new Error("The response has no devices");
            if (++answered % 512 === 0) heap.sample();
          }),
        );
      }
      heap.sample();
      await Promise.all(calls);
      return {};
    },
    async end(): Promise<void> {
      await client.close();
      await stop();
    },
  };
}

// The input repeats itself, so the decoder holds the only full copy of the message.
const PERIOD = 64 * 1024;

function message(size: number, chunkSize: number): Ready {
  const ring = Uint8Array.from({ length: PERIOD + chunkSize }, (_, i) => (i % PERIOD) * 31);
  const header = new Uint8Array(8);
  writeHeader(header, 0, { type: PayloadType.Event, payloadSize: size });
  return {
    run(heap): Promise<{ heapEarly?: number }> {
      const decoder = new FrameDecoder({ maxPayload: size });
      let received = 0;
      const sink = (_type: PayloadType, payload: Uint8Array): void => {
        received = payload.length;
        for (let i = 0; i < payload.length; i++) {
          if (payload[i] !== ring[i % PERIOD]) throw new Error(`Byte ${i} differs`);
        }
        heap.sample();
      };
      decoder.push(header, sink);
      for (let at = 0, chunks = 0; at < size; chunks++) {
        const from = at % PERIOD;
        const length = Math.min(chunkSize, size - at);
        decoder.push(ring.subarray(from, from + length), sink);
        at += length;
        if (chunks % 8192 === 0) heap.sample();
      }
      if (received !== size) throw new Error(`Received ${received} bytes`);
      // Kept alive, as by a connection.
      held = decoder;
      return Promise.resolve({});
    },
    end: () => Promise.resolve(),
  };
}

/** Keeps a decoder alive until the last sample. */
export let held: unknown;

async function startServers() {
  const script = new URL("../end_to_end/server_process.ts", import.meta.url).pathname;
  const server = start(runtimeCommand(script), { timeout: LIFE });
  const ports: Ports = JSON.parse(await server.nextLine());
  return { ports, stop: async () => void await server.end() };
}
