/**
 * One client of a motion server.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { ClientHandle } from "../server/command_context.ts";
import { receive, type Receiver, type Socket } from "../socket/socket.ts";
import { MARKER } from "../wire/header.ts";
import { MotionWriter, type WriteCounts } from "./motion_writer.ts";

/** What a session needs of its server. */
export interface MotionSessionOptions {
  readonly maxUnsent: number;
  readonly counts: WriteCounts;
  /** Called once, if the client is disconnected because of an error. */
  readonly onDisconnect: (error: unknown, client: ClientHandle) => void;
}

/** Connection of one client. It reads only to notice the end. */
export class MotionSession implements ClientHandle, Receiver {
  /** Sends frames to the client. */
  readonly writer: MotionWriter;
  readonly #socket: Socket;
  readonly #options: MotionSessionOptions;
  #ended = false;

  /** Takes ownership of a socket. */
  constructor(socket: Socket, options: MotionSessionOptions) {
    this.#socket = socket;
    this.#options = options;
    const { maxUnsent, counts } = options;
    this.writer = new MotionWriter(socket, maxUnsent, counts, (error) => this.onError(error));
    receive(socket, this);
  }

  /** Its address: `127.0.0.1:50000`. */
  get remote(): string {
    return this.#socket.remote;
  }

  /** Resolves when it is disconnected. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Whether `close()` was called; the socket may close later. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Closes its connection immediately. */
  close(): void {
    this.#ended = true;
    this.#socket.close();
  }

  /** Sends what is pending, ends the stream, and waits until the client has closed. */
  async drain(): Promise<void> {
    await this.writer.flushed();
    await this.#socket.closeWrite();
    await this.closed;
  }

  /** For the socket: a client must not send anything. */
  onChunk(chunk: Uint8Array): boolean {
    const hint = chunk[0] === MARKER ? ", which may be RCSP: its port is another, often 45451" : "";
    this.onError(
      new ProtocolError("unexpected-type", `Cannot serve motion to ${this.remote}`, {
        expected: "a client that sends nothing",
        received: `${chunk.length} bytes${hint}`,
        bytes: chunk,
      }),
    );
    return false;
  }

  /** For the socket: the client has ended its half, or its connection, which looks the same. */
  onEnd(): void {
    this.close();
  }

  /** For the socket: the connection broke. */
  onError(error: unknown): void {
    if (this.#ended) return;
    this.close();
    this.#options.onDisconnect(error, this);
  }
}
