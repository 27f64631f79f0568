/** A client of raw bytes, independent of the frames of `src/`, and a server for it. */

import { concat as concatAll } from "@std/bytes";
import { memoryNetwork, socketPair } from "../../src/socket/memory.ts";
import { RcspServer, type ServerOptions } from "../../src/server/server.ts";
import type { Address, Socket } from "../../src/socket/socket.ts";

export { until } from "./wait.ts";

export const COMMAND = 1;
export const OK = 2;
export const ERROR = 3;
export const EVENT = 4;

/** Types of the fields that tests read from a body. */
export interface Body {
  TrackId?: string;
  Response?: Record<string, unknown>;
  Error?: { Code: unknown; Message: unknown };
  [key: string]: unknown;
}

export interface Received {
  type: number;
  body: Body;
}

const HEADER_SIZE = 8;

/** A frame: a string or bytes are used as the body, anything else becomes JSON. */
export function frame(type: number, body: unknown): Uint8Array {
  const bytes = body instanceof Uint8Array
    ? body
    : new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
  const header = Uint8Array.of(0xDC, 1, HEADER_SIZE, type, 0, 0, 0, 0);
  new DataView(header.buffer).setUint32(4, bytes.length, true);
  return concat(header, bytes);
}

/** A whole command as bytes. */
export function command(trackId: string | number, name: string, args?: unknown): Uint8Array {
  const rest = args === undefined ? {} : { Arguments: args };
  return frame(COMMAND, { Command: name, TrackId: String(trackId), Version: 1, ...rest });
}

/** Concatenates the parts. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  return concatAll(parts);
}

export class RawClient {
  readonly socket: Socket;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #trackId = 0;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.socket.write(bytes);
  }

  /** Sends a command with the next number as its `TrackId`, and returns that. */
  async send(name: string, args?: unknown): Promise<string> {
    const trackId = String(++this.#trackId);
    await this.write(command(trackId, name, args));
    return trackId;
  }

  /** Sends a command and returns the next frame of any type. */
  async ask(name: string, args?: unknown): Promise<Received> {
    await this.send(name, args);
    return await this.receive();
  }

  /** Reads the next frame, or `null` if the stream ends between frames. */
  async next(): Promise<Received | null> {
    if (!await this.#fill(HEADER_SIZE)) {
      if (this.#bytes.length > this.#at) throw new Error("The stream ended within a header");
      return null;
    }
    const header = this.#bytes.subarray(this.#at, this.#at + HEADER_SIZE);
    const [marker, version, headerSize, type] = header;
    if (marker !== 0xDC || version !== 1 || headerSize !== HEADER_SIZE) {
      throw new Error(`The server sent a wrong header: ${header}`);
    }
    const size = new DataView(header.buffer, header.byteOffset).getUint32(4, true);
    if (!await this.#fill(HEADER_SIZE + size)) throw new Error("The stream ended within a body");
    const start = this.#at + HEADER_SIZE;
    const body = new TextDecoder().decode(this.#bytes.subarray(start, start + size));
    this.#at = start + size;
    return { type: type ?? 0, body: JSON.parse(body) };
  }

  /** Reads the next frame. Rejects if there is none. */
  async receive(): Promise<Received> {
    const received = await this.next();
    if (received === null) throw new Error("The connection ended, a frame was expected");
    return received;
  }

  async receiveMany(count: number): Promise<Received[]> {
    const received: Received[] = [];
    while (received.length < count) received.push(await this.receive());
    return received;
  }

  /** Reads all frames up to the end; a reset counts as an end. */
  async receiveAll(): Promise<Received[]> {
    const received: Received[] = [];
    for (;;) {
      const next = await this.next().catch(() => null);
      if (next === null) return received;
      received.push(next);
    }
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.socket.closed;
  }

  /** Reads until this many bytes are buffered; returns whether that many came. */
  async #fill(size: number): Promise<boolean> {
    while (this.#bytes.length - this.#at < size) {
      const chunk = await this.socket.read();
      if (chunk === null) return false;
      this.#bytes = concat(this.#bytes.subarray(this.#at), chunk);
      this.#at = 0;
    }
    return true;
  }
}

export interface Served {
  server: RcspServer;
  address: Address;
  /** The errors passed to `onError`, in order. */
  errors: unknown[];
  /** Connects another client; all are closed at the end. */
  join(): Promise<RawClient>;
  /** Connects a client, and lets the test wrap the server's socket. */
  joinThrough(wrap: (socket: Socket) => Socket): RawClient;
}

/** Runs `use` with an in-memory server, and always closes everything. */
export async function withServer(
  options: ServerOptions,
  use: (served: Served) => Promise<void>,
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const errors: unknown[] = [];
  const clients: RawClient[] = [];
  const server = new RcspServer({ onError: (error) => errors.push(error), ...options });
  const address = await server.serve(listen);
  const keep = (socket: Socket): RawClient => {
    const client = new RawClient(socket);
    clients.push(client);
    return client;
  };
  try {
    await use({
      server,
      address,
      errors,
      join: async () => keep(await connector(address)),
      joinThrough(wrap) {
        const [near, far] = socketPair();
        server.accept(wrap(far));
        return keep(near);
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await server.close();
  }
}
