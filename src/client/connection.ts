/**
 * One socket of a client, from its opening to its end. What happens after the end of one cannot
 * touch the next.
 *
 * Free of any runtime.
 *
 * @module
 */

import { ConnectionError, ProtocolError, RcspError } from "../errors.ts";
import { parseBody } from "../message/json.ts";
import { callUserCallback } from "../user_callback.ts";
import { receive, type Receiver, type Socket } from "../socket/socket.ts";
import { FrameDecoder } from "../wire/decoder.ts";
import { FrameBatch } from "../wire/encoder.ts";
import { PayloadType } from "../wire/header.ts";
import type { CallQueue } from "./call_queue.ts";

// One write takes up to this many bytes; what waits beyond goes with the next.
const BATCH_BYTES = 256 * 1024;

// Microtasks in which a reader must have taken an event: a plain loop needs one, a generator more.
const READER_TURNS = 8;

/** A frame that passed, for those who watch. */
export interface TracedFrame {
  /** `out` was sent, `in` was received. */
  readonly direction: "in" | "out";
  /** What the body is. */
  readonly type: PayloadType;
  /** The body; the view is valid during the call only. */
  readonly payload: Uint8Array;
}

/** What a connection needs. */
export interface ConnectionOptions {
  readonly calls: CallQueue;
  readonly maxPayload: number;
  readonly maxDepth: number;
  /** Takes the body of each event; the view is valid during the call only. */
  readonly onEvent: (payload: Uint8Array) => void;
  /** Called after each chunk. */
  readonly onChunk: () => void;
  /** How many events wait to be read. */
  readonly backlog: () => number;
  /** Sees every frame. */
  readonly onFrame?: ((frame: TracedFrame) => void) | undefined;
  /** Called once, when the connection has ended and its commands are settled. */
  readonly onEnd: (cause: RcspError) => void;
}

/** What a connection has counted. */
export interface ConnectionCounts {
  bytesSent: number;
  bytesReceived: number;
  framesReceived: number;
}

/** See the module's own text. */
export class Connection implements Receiver {
  readonly counts: ConnectionCounts = { bytesSent: 0, bytesReceived: 0, framesReceived: 0 };
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #decoder: FrameDecoder;
  readonly #batch = new FrameBatch();
  readonly #sink = (type: PayloadType, payload: Uint8Array): void => this.#take(type, payload);
  #resume: (() => void) | undefined;
  #flushing = false;
  #open = false;
  #ended = false;

  /** Takes over a socket; `start()` begins to read. */
  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#decoder = new FrameDecoder({ maxPayload: options.maxPayload });
  }

  /** Begins to read. */
  start(): void {
    this.#resume = receive(this.#socket, this);
  }

  /** Resolves when the socket is gone. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** Whether a frame has begun to arrive and is not complete. */
  get partial(): boolean {
    return this.#decoder.partial;
  }

  /** Lets all calls through; until then only urgent ones are sent. */
  open(): void {
    this.#open = true;
    this.flush();
  }

  /** Sends what waits: all commands of this turn of the event loop in one write. */
  flush(): void {
    if (this.#flushing || this.#ended) return;
    this.#flushing = true;
    queueMicrotask(this.#write);
  }

  /** Ends the connection; commands without a response are rejected before this returns. */
  end(cause: RcspError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.calls.rejectInFlight(cause);
    this.#socket.close();
    this.#options.onEnd(cause);
  }

  /** For the socket: decodes a chunk; pauses while event consumers catch up. */
  onChunk(chunk: Uint8Array): boolean {
    if (this.#ended) return false;
    try {
      this.counts.bytesReceived += chunk.length;
      this.#decoder.push(chunk, this.#sink);
      this.#options.onChunk();
    } catch (error) {
      this.onError(error);
    }
    if (this.#ended) return false;
    if (this.#options.backlog() === 0) return true;
    this.#letReadersRead().then(() => this.#resume?.());
    return false;
  }

  /** For the socket: the server has ended its half. */
  onEnd(): void {
    try {
      this.#decoder.end();
      this.end(this.#closedError("was ended by the server"));
    } catch (error) {
      this.onError(error);
    }
  }

  /** For the socket: the connection broke. */
  onError(error: unknown): void {
    this.end(error instanceof RcspError ? error : this.#closedError("failed", error));
  }

  /**
   * A runtime may have the next chunk at once, and the next, so that readers which could keep up never
   * get their turn. They get it here, for as long as they make use of it.
   */
  async #letReadersRead(): Promise<void> {
    let waiting = this.#options.backlog();
    for (let before = Infinity; waiting > 0 && waiting < before && !this.#ended;) {
      before = waiting;
      for (let turn = 0; turn < READER_TURNS; turn++) await undefined;
      waiting = this.#options.backlog();
    }
  }

  #take(type: PayloadType, payload: Uint8Array): void {
    if (this.#ended) return;
    this.counts.framesReceived++;
    this.#trace("in", type, payload);
    switch (type) {
      case PayloadType.Event:
        return this.#options.onEvent(payload);
      case PayloadType.ResponseOk:
      case PayloadType.ResponseError:
        return this.#options.calls.onResponse(type, parseBody(payload, this.#options.maxDepth));
      case PayloadType.Command:
        throw new ProtocolError("unexpected-type", "Cannot take frame", {
          expected: "a response or an event from the server",
          received: "a command",
          bytes: payload,
        });
    }
  }

  readonly #write = (): void => {
    try {
      if (this.#ended || !this.#fillBatch()) {
        this.#flushing = false;
        return;
      }
      const { bytes } = this.#batch;
      this.#socket.write(bytes).then(() => {
        this.counts.bytesSent += bytes.length;
        this.#write();
      }, (error) => this.onError(error));
    } catch (error) {
      this.onError(error);
    }
  };

  /** Moves waiting commands into the batch, whose former bytes are written by now. */
  #fillBatch(): boolean {
    this.#batch.clear();
    while (this.#batch.length < BATCH_BYTES) {
      const { calls } = this.#options;
      const json = this.#open ? calls.dequeue() : calls.takeUrgent();
      if (json === undefined) break;
      const size = this.#batch.add(PayloadType.Command, json);
      if (this.#options.onFrame) {
        this.#trace("out", PayloadType.Command, this.#batch.bytes.subarray(-size));
      }
    }
    return this.#batch.length > 0;
  }

  #trace(direction: "in" | "out", type: PayloadType, payload: Uint8Array): void {
    const { onFrame } = this.#options;
    if (onFrame !== undefined) callUserCallback(() => onFrame({ direction, type, payload }));
  }

  #closedError(how: string, cause?: unknown): ConnectionError {
    const { remote } = this.#socket;
    return new ConnectionError("connection-closed", `Connection to ${remote} ${how}`, { cause });
  }
}
