/** The clients that are measured end to end, each on a connection of its own. */

import { connect, type Connector, type RcspClient, type Socket } from "../../mod.ts";
import { connector } from "../../adapters/runtime.ts";
import { EVENT_JSON, FLOOD_EVENTS } from "../support/wire.ts";
import { checkServers, rawCommands, rawEvents } from "./raw_clients.ts";

/** Sends so many commands, or takes so many events, so many commands at a time. */
export type Way = (count: number, outstanding: number) => Promise<void>;

/** Where the servers listen. */
export interface Ports {
  readonly ours: number;
  readonly plain: number;
}

// Floods under way at a time, so that the next has come when one ends.
const FLOODS = 4;

/** Opens all connections. `client > server`. */
export async function openWays({ ours, plain }: Ports): Promise<Map<string, Way>> {
  await checkServers([ours, plain]);
  return new Map<string, Way>([
    ["ours > ours", commands(await open(ours))],
    ["ours > plain", commands(await open(plain))],
    ["one write each > ours", commands(await open(ours, oneWriteEach))],
    ["one write each > plain", commands(await open(plain, oneWriteEach))],
    ["raw > plain", await rawCommands(plain, false)],
    ["raw > ours", await rawCommands(ours, false)],
    ["raw + JSON > plain", await rawCommands(plain, true)],
    ["raw + JSON > ours", await rawCommands(ours, true)],
    ["heard: ours > plain", heard(await open(plain))],
    ["heard: ours > ours", heard(await open(ours), true)],
    ["unheard: ours > plain", unheard(await open(plain))],
    ["raw events > plain", await rawEvents(plain, false)],
    ["raw + JSON events > plain", await rawEvents(plain, true)],
  ]);
}

async function open(port: number, through: Connector = connector): Promise<RcspClient> {
  return await connect({ host: "127.0.0.1", port, connector: through, reconnect: false });
}

/** So many callers, each of which waits for its answer before it calls again. */
function commands(client: RcspClient): Way {
  return async (count, outstanding) => {
    let left = count;
    async function caller(): Promise<void> {
      let answer: { Devices?: unknown } = {};
      while (left-- > 0) answer = await client.call("ListDevices");
      if (count >= outstanding && !Array.isArray(answer.Devices)) throw new Error("No devices");
    }
    await Promise.all(Array.from({ length: outstanding }, caller));
  };
}

/** Our client with its batches taken apart: each command goes out in a write of its own. */
const oneWriteEach: Connector = async (address, options) => {
  const socket = await connector(address, options);
  return new Proxy(socket, {
    get(target: Socket, key: keyof Socket): unknown {
      if (key === "write") return (bytes: Uint8Array) => writeEach(target, bytes);
      const value = target[key];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
};

async function writeEach(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const next = at + 8 + (bytes[at + 4]! | bytes[at + 5]! << 8 | bytes[at + 6]! << 16);
    await socket.write(bytes.subarray(at, next));
    at = next;
  }
}

/** Events read from an async iterator, as a user reads them; all must arrive. */
function heard(client: RcspClient, subscribe = false): Way {
  return async (count) => {
    const { Publisher, Topic, DeviceId } = JSON.parse(EVENT_JSON);
    // As many as can wait at a time, so that none is dropped.
    const options = { buffer: FLOODS * FLOOD_EVENTS };
    const events = subscribe
      ? client.subscribe({ publisher: Publisher, topic: Topic, deviceId: DeviceId }, options)
      : client.events(options);
    await events.ready;
    const floods = count / FLOOD_EVENTS;
    const answers: Promise<unknown>[] = [];
    const ask = (): void => void answers.push(client.call("Flood"));
    for (let i = 0; i < Math.min(FLOODS, floods); i++) ask();
    let left = count;
    for await (const { topic } of events) {
      if (topic !== Topic) throw new Error(`An event of '${topic}'`);
      if (--left === 0) break;
      // The reader sets the pace.
      if (left % FLOOD_EVENTS === 0 && answers.length < floods) ask();
    }
    await Promise.all(answers);
    if (events.dropped > 0) throw new Error(`${events.dropped} events were dropped`);
  };
}

function unheard(client: RcspClient): Way {
  return async (count) => {
    const before = client.stats().unmatched;
    await flood(client, count);
    const arrived = client.stats().unmatched - before;
    if (arrived !== count) throw new Error(`${arrived} events arrived instead of ${count}`);
  };
}

async function flood(client: RcspClient, count: number): Promise<void> {
  let left = count / FLOOD_EVENTS;
  async function caller(): Promise<void> {
    while (left-- > 0) await client.call("Flood");
  }
  await Promise.all(Array.from({ length: FLOODS }, caller));
}
