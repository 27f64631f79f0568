/** Recordings as text, and the two commands that make and play them, each run in a network of its own. */

import { assert, assertEquals } from "@std/assert";
import { memoryNetwork } from "../../src/socket/memory.ts";
import { main } from "../../cli/main.ts";
import { connect } from "../../mod.ts";
import type { RcspClient } from "../../src/client/rcsp_client.ts";
import type { ConnectOptions } from "../../src/client/options.ts";
import type { Connector, Listen, Socket } from "../../src/socket/socket.ts";
import { type TestIo, testIo, type TestIoOptions } from "./cli_io.ts";
import { concat, RawClient } from "./raw_client.ts";

// deno-lint-ignore no-explicit-any -- lines are looked at key by key
export type Entry = any;

export function entries(io: TestIo, file = "out"): Entry[] {
  const text = file === "-" ? io.out : String(io.files.get(file));
  assert(text.endsWith("\n"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

export interface Proxied {
  readonly io: TestIo;
  readonly connector: Connector;
  readonly listen: Listen;
  /** Connects to the proxy. */
  join(): Promise<Socket>;
  /** Ends the proxy; gives its code. */
  end(): Promise<number>;
}

/** Runs `rcsp record out --listen 50000` in front of port 45451. */
export async function withProxy(
  use: (proxied: Proxied) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ connector, listen });
  const ending = main(["record", "out", "--listen", "50000", ...args], io);
  await io.until(({ err }) => err.includes("Recording what passes 127.0.0.1:50000"));
  const sockets: Socket[] = [];
  const end = (): Promise<number> => {
    io.interrupt();
    return ending;
  };
  try {
    await use({
      io,
      connector,
      listen,
      end,
      async join() {
        sockets.push(await connector({ host: "x", port: 50_000 }));
        return sockets.at(-1)!;
      },
    });
  } finally {
    for (const socket of sockets) socket.close();
    await end();
  }
}

/** Two sockets with the proxy between. */
export async function pair(proxied: Proxied): Promise<[client: Socket, driver: Socket]> {
  const driver = Promise.withResolvers<Socket>();
  const listener = await proxied.listen({ port: 45451 }, driver.resolve);
  const client = await proxied.join();
  const ends: [Socket, Socket] = [client, await driver.promise];
  await listener.close();
  return ends;
}

export async function read(socket: Socket, size: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  while (bytes.length < size) bytes = concat(bytes, (await socket.read())!) as typeof bytes;
  return bytes;
}

export const HEAD = '{"rcsp-recording":1,"started":"2026-01-02T03:04:05.678Z"}';

/** One line of a recording. */
export function entry(time: number, type: string, body: unknown, connection = 1): string {
  const direction = type === "command" ? "out" : "in";
  return JSON.stringify({ time, direction, connection, type, body });
}

/** A command and its answer. */
export function exchange(
  time: number,
  TrackId: string,
  Command: string,
  Arguments: unknown,
  answer: object,
  connection = 1,
): string[] {
  const sent = { Command, TrackId, Version: 1, ...(Arguments === undefined ? {} : { Arguments }) };
  const type = "Error" in answer ? "error" : "ok";
  return [
    entry(time, "command", sent, connection),
    entry(time, type, { TrackId, ...answer }, connection),
  ];
}

export function recording(...lines: string[]): string {
  return [HEAD, ...lines, ""].join("\n");
}

export interface Replayed {
  readonly io: TestIo;
  connect(options?: ConnectOptions): Promise<RcspClient>;
  join(): Promise<RawClient>;
}

/** Replays a text while `use` runs. */
export async function withReplay(
  text: string | Uint8Array,
  use: (replayed: Replayed) => Promise<void>,
  args: readonly string[] = [],
  options: TestIoOptions = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ listen, files: { in: text }, ...options });
  const ending = main(["replay", "in", ...args], io);
  await Promise.race([io.until(({ err }) => err.includes("Ctrl-C ends")), ending]);
  assertEquals(io.out, "RCSP replay listening on 127.0.0.1:45451\n", io.err);
  const clients: RcspClient[] = [];
  const joined: RawClient[] = [];
  try {
    await use({
      io,
      async connect(options = {}) {
        const client = await connect({ connector, reconnect: false, ...options });
        clients.push(client);
        return client;
      },
      async join() {
        joined.push(new RawClient(await connector({ host: "x", port: 45_451 })));
        return joined.at(-1)!;
      },
    });
  } finally {
    await Promise.all([...clients, ...joined].map((client) => client.close()));
    io.interrupt();
  }
  assertEquals(await ending, 0);
}

export const SUBSCRIBE = { DeviceId: 1, Publisher: "DeviceEvents", Topic: "ButtonPushed" };

/** A recording of a subscription at 1000 ms and of events at the times given, on a connection. */
export function subscribed(times: readonly number[], connection = 1): string[] {
  return [
    ...exchange(1_000, "1", "DeviceSubscribe", SUBSCRIBE, {}, connection),
    ...times.map((time, i) =>
      entry(time, "event", {
        ...SUBSCRIBE,
        Data: { PressType: "SinglePress", connection, number: i },
      }, connection)
    ),
  ];
}

export async function numbers(rcsp: RcspClient, count: number): Promise<unknown[]> {
  const presses = rcsp.buttonPresses(1);
  await presses.ready;
  const found: unknown[] = [];
  for await (const { event } of presses) {
    found.push((event.data as { number: number }).number);
    if (found.length === count) break;
  }
  return found;
}
