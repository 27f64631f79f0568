/** What may need memory: a million events, a hundred thousand commands at once, one giant message. */

import { connect } from "../../mod.ts";
import { FrameDecoder, PayloadType, writeHeader } from "../../src/wire/mod.ts";
import { runtimeCommand, start } from "../../tests/support/runtime.ts";
import { type HeapGauge, settledHeap } from "./memory_gauge.ts";
import { EVENT_JSON, FLOOD_EVENTS } from "./wire.ts";

/** A scenario that is ready to run. */
export interface Ready {
  /** Runs it; `heapEarly` is the settled heap after the first tenth. */
  run(heap: HeapGauge): Promise<{ heapEarly?: number }>;
  end(): Promise<void>;
}

/** All scenarios; each is given its size. */
export const MEMORY_SCENARIOS: Readonly<Record<string, (size: number) => Promise<Ready>>> = {
  events,
  commands,
  message1: (size) => Promise.resolve(message(size, 1)),
  message17: (size) => Promise.resolve(message(size, 17)),
  message1460: (size) => Promise.resolve(message(size, 1460)),
};

const LIFE = 120_000;
// Floods under way at a time.
const FLOODS = 4;

async function events(count: number): Promise<Ready> {
  const { ports, stop } = await startServers();
  const client = await connect({ host: "127.0.0.1", port: ports.plain, reconnect: false });
  async function hear(count: number, heap: HeapGauge): Promise<void> {
    const floods = Math.ceil(count / FLOOD_EVENTS);
    // As many as can wait at a time, so that none is dropped.
    const events = client.events({ buffer: FLOODS * FLOOD_EVENTS });
    const answers: Promise<unknown>[] = [];
    const ask = (): void => void answers.push(client.call("Flood"));
    for (let i = 0; i < Math.min(FLOODS, floods); i++) ask();
    let heard = 0;
    for await (const event of events) {
      if (heard++ === 0 && JSON.stringify(event.raw) !== EVENT_JSON) throw new Error("It differs");
      if (heard % FLOOD_EVENTS !== 0) continue;
      heap.look();
      if (heard === floods * FLOOD_EVENTS) break;
      // The reader sets the pace.
      if (answers.length < floods) ask();
    }
    await Promise.all(answers);
    if (events.dropped > 0) throw new Error(`${events.dropped} events were dropped`);
  }
  return {
    async run(heap): Promise<{ heapEarly: number }> {
      await hear(count / 10, heap);
      const heapEarly = await settledHeap();
      await hear(count * 9 / 10, heap);
      return { heapEarly };
    },
    async end(): Promise<void> {
      await client.close();
      await stop();
    },
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
            if (!Array.isArray(Devices)) throw new Error("No devices");
            if (++answered % 512 === 0) heap.look();
          }),
        );
      }
      heap.look();
      await Promise.all(calls);
      return {};
    },
    async end(): Promise<void> {
      await client.close();
      await stop();
    },
  };
}

/** The stream repeats itself, so that the message is in memory once: where it is gathered. */
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
        heap.look();
      };
      decoder.push(header, sink);
      for (let at = 0, chunks = 0; at < size; chunks++) {
        const from = at % PERIOD;
        const length = Math.min(chunkSize, size - at);
        decoder.push(ring.subarray(from, from + length), sink);
        at += length;
        if (chunks % 8192 === 0) heap.look();
      }
      if (received !== size) throw new Error(`${received} bytes came out`);
      // It is here to the end, as a connection's decoder is.
      held = decoder;
      return Promise.resolve({});
    },
    end: () => Promise.resolve(),
  };
}

/** What must not be collected before the last look. */
export let held: unknown;

async function startServers() {
  const script = new URL("./serve.ts", import.meta.url).pathname;
  const server = start(runtimeCommand(script), { timeout: LIFE });
  const ports: { ours: number; plain: number } = JSON.parse(await server.nextLine());
  return { ports, stop: async () => void await server.end() };
}
