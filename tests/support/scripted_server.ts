/** A scripted server, which may misbehave, and a client connected to it in memory. */

import { memoryNetwork } from "../../src/socket/memory.ts";
import type { RcspClient } from "../../src/client/rcsp_client.ts";
import { createClient } from "../../src/client/create_client.ts";
import type { ConnectOptions } from "../../src/client/options.ts";
import type { JsonObject } from "../../src/message/json.ts";
import type { Connector, Listen, Listener, Socket } from "../../src/socket/socket.ts";
import { FrameDecoder } from "../../src/wire/decoder.ts";
import { encodeFrame } from "../../src/wire/encoder.ts";
import { PayloadType } from "../../src/wire/header.ts";

export { turn } from "./wait.ts";

/** A received command. */
export interface Received {
  readonly name: string;
  readonly trackId: string;
  /** The body as received. */
  readonly text: string;
  readonly args: JsonObject | undefined;
}

/** What a script does for a command: sends bytes, sends nothing, or closes. */
export type Reply = Uint8Array | Uint8Array[] | "close" | undefined;
export type Script = (command: Received, server: ScriptedServer) => Reply;

/** A frame of any type with any body. */
export function frame(type: PayloadType, body: string | object): Uint8Array {
  return encodeFrame(type, typeof body === "string" ? body : JSON.stringify(body));
}

export function ok({ trackId }: Pick<Received, "trackId">, response?: object): Uint8Array {
  return frame(PayloadType.ResponseOk, { TrackId: trackId, Response: response });
}

export function refusal({ trackId }: Pick<Received, "trackId">, error?: unknown): Uint8Array {
  return frame(PayloadType.ResponseError, { TrackId: trackId, Error: error });
}

export function event(body: string | object): Uint8Array {
  return frame(PayloadType.Event, body);
}

/** Responds to every command with its own name and arguments. */
export const echo: Script = (command) => ok(command, { name: command.name, id: command.trackId });

/** Never responds. */
export const mute: Script = () => undefined;

/** The client's socket, controlled by the test. */
export class TappedSocket implements Socket {
  /** The bytes of each write. */
  readonly writes: Uint8Array[] = [];
  readonly #inner: Socket;
  readonly #broken = Promise.withResolvers<never>();
  #gate: PromiseWithResolvers<void> | undefined;

  constructor(inner: Socket) {
    this.#inner = inner;
    this.#broken.promise.catch(() => {});
    inner.closed.then(() => this.releaseWrites());
  }

  get remote(): string {
    return this.#inner.remote;
  }

  get closed(): Promise<void> {
    return this.#inner.closed;
  }

  read(): Promise<Uint8Array | null> {
    return Promise.race([this.#inner.read(), this.#broken.promise]);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.writes.push(bytes.slice());
    await this.#gate?.promise;
    await this.#inner.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#inner.closeWrite();
  }

  close(): void {
    this.#inner.close();
  }

  /** From now on writes stay pending until `releaseWrites()` or the end. */
  holdWrites(): void {
    this.#gate ??= Promise.withResolvers<void>();
  }

  releaseWrites(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Rejects the pending read, or the next one, with this error. */
  breakReading(error: unknown): void {
    this.#broken.reject(error);
  }
}

export class ScriptedServer {
  /** All commands received so far, of all clients. */
  readonly received: Received[] = [];
  readonly connector: Connector;
  #listener: Listener | undefined;
  readonly #script: Script;
  readonly #sockets: Socket[] = [];
  readonly #taps: TappedSocket[] = [];
  readonly #work: Promise<void>[] = [];
  readonly #waiting: { count: number; resolve: () => void }[] = [];
  #sending: Promise<void> = Promise.resolve();
  #failure: { error: unknown } | undefined;

  constructor(connector: Connector, script: Script) {
    this.#script = script;
    this.connector = async (_address, options) => {
      const tap = new TappedSocket(await connector(this.#listener!.address, options));
      this.#taps.push(tap);
      return tap;
    };
  }

  async listen(listen: Listen): Promise<void> {
    this.#listener = await listen({}, (socket) => {
      this.#sockets.push(socket);
      this.#work.push(this.#serve(socket));
    });
  }

  /** The client's socket of the newest connection. */
  get tap(): TappedSocket {
    return this.#taps.at(-1)!;
  }

  get names(): string[] {
    return this.received.map(({ name }) => name);
  }

  /** Resolves when this many commands have arrived. */
  until(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count, resolve });
      this.#tellWaiting();
    });
  }

  /** Sends each piece as a separate chunk to the newest client. */
  send(...pieces: Uint8Array[]): void {
    const socket = this.#sockets.at(-1)!;
    this.#sending = pieces.reduce(
      (before, piece) => before.then(() => socket.write(piece)).catch(() => {}),
      this.#sending,
    );
  }

  /** Closes the newest client's connection after everything sent before. */
  hangUp(): void {
    const socket = this.#sockets.at(-1)!;
    this.#sending = this.#sending.then(() => socket.close());
  }

  /** Closes everything; rejects if the script threw. */
  async close(): Promise<void> {
    await this.#listener?.close();
    for (const socket of this.#sockets) socket.close();
    await Promise.all(this.#work);
    await this.#sending;
    if (this.#failure) throw this.#failure.error;
  }

  async #serve(socket: Socket): Promise<void> {
    const decoder = new FrameDecoder();
    try {
      for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
        decoder.push(chunk, (_type, payload) => this.#take(payload));
      }
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      socket.close();
    }
  }

  #take(payload: Uint8Array): void {
    const text = new TextDecoder().decode(payload);
    const { Command, TrackId, Arguments } = JSON.parse(text);
    const command = { name: Command, trackId: TrackId, text, args: Arguments };
    this.received.push(command);
    const reply = this.#script(command, this);
    if (reply === "close") this.hangUp();
    else if (reply !== undefined) this.send(...(Array.isArray(reply) ? reply : [reply]));
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    for (const { count, resolve } of this.#waiting) {
      if (this.received.length >= count) resolve();
    }
  }
}

/** Starts a server in its own in-memory network. */
export async function startScripted(script: Script): Promise<ScriptedServer> {
  const { listen, connector } = memoryNetwork();
  const server = new ScriptedServer(connector, script);
  await server.listen(listen);
  return server;
}

/** Connects a client to a scripted server, runs `use`, and always closes everything. */
export async function withScripted(
  script: Script,
  use: (rcsp: RcspClient, server: ScriptedServer) => Promise<void>,
  options: ConnectOptions = {},
): Promise<void> {
  const server = await startScripted(script);
  try {
    const rcsp = await createClient(server.connector, { reconnect: false, ...options });
    try {
      await use(rcsp, server);
    } finally {
      await rcsp.close();
    }
  } finally {
    await server.close();
  }
}
