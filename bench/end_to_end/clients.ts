/** All clients of the end-to-end bench, each with its own connection. */

import { connect, type RcspClient, type RcspEvent } from "../../mod.ts";
import { BareClient } from "./bare_client.ts";
import { EVENT_JSON, FLOOD_EVENTS, FLOODS } from "./messages.ts";
import { checkServers, rawCommands, rawEvents } from "./raw_clients.ts";
import type { Client, Ports, Work } from "./tasks.ts";

const { Publisher, Topic, DeviceId } = JSON.parse(EVENT_JSON);
// Holds all pending events, so that none is dropped.
const BUFFER = { buffer: FLOODS * FLOOD_EVENTS };

/** Opens all connections. All clients use the plain server, except where the name says otherwise. */
export async function openClients(
  { plain, ours }: Ports,
): Promise<Record<Work, Map<string, Client>>> {
  await checkServers([plain, ours]);
  const bare = await BareClient.connect(plain);
  const onServer = await open(ours);
  const filter = { publisher: Publisher, topic: Topic, deviceId: DeviceId };
  const events = new Map<string, Client>([
    ["listener", listener(await open(plain))],
    ["async iterator", iterator(await open(plain), (client) => client.events(BUFFER))],
    ["RcspServer", iterator(onServer, (client) => client.subscribe(filter, BUFFER))],
    ["no listener", unmatched(await open(plain))],
    ["bare", bareEvents(bare)],
    ["raw", await rawEvents(plain, false)],
    ["raw + JSON", await rawEvents(plain, true)],
  ]);
  return {
    commands: new Map([
      ["ours", commands(await open(plain))],
      ["RcspServer", commands(onServer)],
      ["bare", commands(bare)],
      ["raw", await rawCommands(plain, false)],
      ["raw + JSON", await rawCommands(plain, true)],
    ]),
    events,
  };
}

/** Reads the events of `Flood` commands from an async iterator, which controls the rate. */
export async function readFloods(
  client: RcspClient,
  events: ReturnType<RcspClient["events"]>,
  floods: number,
  onFlood?: (last: RcspEvent) => void,
): Promise<void> {
  const responses: Promise<unknown>[] = [];
  const request = (): void => void responses.push(client.call("Flood"));
  for (let i = 0; i < Math.min(FLOODS, floods); i++) request();
  let received = 0;
  for await (const event of events) {
    if (event.topic !== Topic) throw new Error(`Unexpected event of topic '${event.topic}'`);
    if (++received % FLOOD_EVENTS !== 0) continue;
    onFlood?.(event);
    if (received === floods * FLOOD_EVENTS) break;
    if (responses.length < floods) request();
  }
  await Promise.all(responses);
  if (events.dropped > 0) throw new Error(`${events.dropped} events were dropped`);
}

async function open(port: number): Promise<RcspClient> {
  return await connect({ host: "127.0.0.1", port, reconnect: false });
}

interface Caller {
  call(name: string): Promise<{ readonly [name: string]: unknown }>;
}

/** `outstanding` loops, each of which waits for a response before its next command. */
function commands(client: Caller): Client {
  return async (count, outstanding) => {
    let left = count;
    async function loop(): Promise<void> {
      while (left-- > 0) {
        const { Devices } = await client.call("ListDevices");
        if (!Array.isArray(Devices)) throw new Error("The response has no devices");
      }
    }
    await Promise.all(Array.from({ length: outstanding }, loop));
  };
}

async function requestFloods(client: Caller, floods: number): Promise<void> {
  let left = floods;
  async function loop(): Promise<void> {
    while (left-- > 0) await client.call("Flood");
  }
  await Promise.all(Array.from({ length: FLOODS }, loop));
}

function iterator(
  client: RcspClient,
  open: (client: RcspClient) => ReturnType<RcspClient["events"]>,
): Client {
  return async (count) => {
    const events = open(client);
    await events.ready;
    await readFloods(client, events, count / FLOOD_EVENTS);
  };
}

function listener(client: RcspClient): Client {
  return async (count) => {
    let received = 0;
    const stop = client.on("event", ({ topic }) => {
      if (topic !== Topic) throw new Error(`Unexpected event of topic '${topic}'`);
      received++;
    });
    await requestFloods(client, count / FLOOD_EVENTS);
    stop();
    check(received, count);
  };
}

function bareEvents(client: BareClient): Client {
  return async (count) => {
    let received = 0;
    client.onEvent = (event): void => {
      if (event["Topic"] !== Topic) {
        throw new Error(`Unexpected event of topic '${event["Topic"]}'`);
      }
      received++;
    };
    await requestFloods(client, count / FLOOD_EVENTS);
    check(received, count);
  };
}

function unmatched(client: RcspClient): Client {
  return async (count) => {
    const before = client.stats().unmatched;
    await requestFloods(client, count / FLOOD_EVENTS);
    check(client.stats().unmatched - before, count);
  };
}

/** The server sends the events of a `Flood` before its response. */
function check(received: number, count: number): void {
  if (received !== count) throw new Error(`Received ${received} events instead of ${count}`);
}
