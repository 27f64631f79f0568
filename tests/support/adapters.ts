/** The adapters of this runtime, every pair of them, and helpers for their tests. */

import { createServer } from "node:net";
import { concat } from "@std/bytes";
import type {
  Connector,
  Listen,
  Listener,
  ListenOptions,
  Socket,
} from "../../src/socket/socket.ts";
import * as node from "../../adapters/node.ts";
import { memoryNetwork } from "../../src/socket/memory.ts";
import { runtime } from "./runtime.ts";

export { sleep, untilStill } from "./wait.ts";

export interface Adapter {
  name: string;
  connector: Connector;
  listen: Listen;
  /** `listen` for a test that accepts one client at a time. */
  listenQueued: (address?: ListenOptions) => Promise<QueuedListener>;
}

/** Builds an adapter from a connector and a `listen`. */
export function toAdapter(name: string, adapter: Pick<Adapter, "connector" | "listen">): Adapter {
  const { connector, listen } = adapter;
  return { name, connector, listen, listenQueued: (address) => listenQueued(listen, address) };
}

/** A client on one adapter and a server on one, often the same. */
export type Pair = Adapter;

/** The adapters that use the network: this runtime's own, then `node:net`, which all three have. */
export const networkAdapters: Adapter[] = [
  ...(runtime === "deno" ? [toAdapter("deno", await import("../../adapters/deno.ts"))] : []),
  ...(runtime === "bun" ? [toAdapter("bun", await import("../../adapters/bun.ts"))] : []),
  toAdapter("node", node),
];

/** All adapters of this runtime. */
export const adapters: Adapter[] = [...networkAdapters, toAdapter("memory", memoryNetwork())];

/** Every client adapter with every server adapter that it can reach. */
export const pairs: Pair[] = [
  ...networkAdapters.flatMap((client) =>
    networkAdapters.map(({ name, listen }) =>
      toAdapter(`${client.name} to ${name}`, { connector: client.connector, listen })
    )
  ),
  toAdapter("memory to memory", memoryNetwork()),
];

/** A listener with a queue, from which a test accepts one client at a time. */
export interface QueuedListener extends Listener {
  /** Resolves with the next client. */
  accept(): Promise<Socket>;
}

/** Listens, and queues the clients until the test accepts them. */
export async function listenQueued(
  listen: Listen,
  address: ListenOptions = {},
): Promise<QueuedListener> {
  const sockets: Socket[] = [];
  const waiting: ((socket: Socket) => void)[] = [];
  const listener = await listen(address, (socket) => {
    const next = waiting.shift();
    if (next === undefined) sockets.push(socket);
    else next(socket);
  });
  return {
    ...listener,
    accept: () => {
      const socket = sockets.shift();
      return socket === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(socket);
    },
  };
}

/** Two connected sockets and their listener. */
export interface Joined {
  client: Socket;
  server: Socket;
  listener: Listener;
}

/** Connects two sockets, runs `use`, and always closes everything. */
export async function withJoined(
  pair: Pair,
  use: (joined: Joined) => Promise<void>,
): Promise<void> {
  const listener = await pair.listenQueued();
  const [client, server] = await Promise.all([pair.connector(listener.address), listener.accept()]);
  try {
    await use({ client, server, listener });
  } finally {
    await listener.close();
    await closeAll(client, server);
  }
}

/** Closes sockets and waits until they are closed. */
export async function closeAll(...sockets: Socket[]): Promise<void> {
  for (const socket of sockets) socket.close();
  await Promise.all(sockets.map((socket) => socket.closed));
}

/** Reads all bytes up to the end. */
export async function readAll(socket: Socket): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
    chunks.push(chunk.slice());
  }
  return concat(chunks);
}

/** Bytes that encode their own offset, so that a lost, duplicated or moved piece shows. */
export function pattern(size: number, start = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i++) bytes[i] = patternByte(start + i);
  return bytes;
}

/** The offset of the first byte that is not as in `pattern()`, or -1. */
export function firstWrong(bytes: Uint8Array, start = 0): number {
  return bytes.findIndex((byte, i) => byte !== patternByte(start + i));
}

function patternByte(offset: number): number {
  return (offset * 31 + (offset >> 8) * 7 + (offset >> 16)) & 0xFF;
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function decode(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

/** Whether this machine has the IPv6 loopback address. */
export const hasIpv6: boolean = await new Promise((resolve) => {
  const server = createServer();
  server.once("error", () => resolve(false));
  server.listen({ host: "::1", port: 0 }, () => server.close(() => resolve(true)));
});
