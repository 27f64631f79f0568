/**
 * One connection of a client.
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
import type { Client } from "./client.ts";
import { Watchdog } from "./watchdog.ts";

// Most bytes of one write.
const BATCH_BYTES = 256 * 1024;

// Microtasks within which a reader takes an event: a plain loop needs one, a generator more.
const READER_TURNS = 8;

/** A frame that was sent or received. */
export interface TracedFrame {
  /** `out` was sent, `in` was received. */
  readonly direction: "in" | "out";
  /** What the body is. */
  readonly type: PayloadType;
  /** The body; the view is valid during the call only. */
  readonly payload: Uint8Array;
}

/**
 * One socket of a client, from its opening to its end. Nothing that happens after its end can reach the
 * next one.
 */
export class Connection implements Receiver {
  readonly #socket: Socket;
  readonly #client: Client;
  readonly #counts: Client["counts"];
  readonly #watchdog: Watchdog;
  readonly #onClosed: (cause: RcspError) => void;
  readonly #decoder: FrameDecoder;
  readonly #batch = new FrameBatch();
  readonly #sink = (type: PayloadType, payload: Uint8Array): void => this.#onFrame(type, payload);
  #resume: (() => void) | undefined;
  #flushing = false;
  #open = false;
  #ended = false;

  /** `onClosed` is called once, when the connection has ended and its commands are settled. */
  constructor(socket: Socket, client: Client, onClosed: (cause: RcspError) => void) {
    this.#socket = socket;
    this.#client = client;
    this.#counts = client.counts;
    this.#onClosed = onClosed;
    this.#decoder = new FrameDecoder({ maxPayload: client.options.maxPayload });
    this.#watchdog = new Watchdog(this, client);
  }

  /** Starts to read. */
  start(): void {
    this.#resume = receive(this.#socket, this);
  }

  /** Resolves when the socket is closed. */
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

  /** Sends what is queued: all commands of this turn of the event loop in one write. */
  flush(): void {
    if (this.#flushing || this.#ended) return;
    this.#flushing = true;
    queueMicrotask(this.#write);
  }

  /** Ends the connection; commands without a response are rejected before this returns. */
  end(cause: RcspError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watchdog.stop();
    this.#client.calls.rejectInFlight(cause);
    this.#socket.close();
    this.#onClosed(cause);
  }

  /** For the socket: decodes a chunk; pauses while event consumers catch up. */
  onChunk(chunk: Uint8Array): boolean {
    if (this.#ended) return false;
    try {
      this.#counts.bytesReceived += chunk.length;
      this.#decoder.push(chunk, this.#sink);
      this.#watchdog.onChunk();
    } catch (error) {
      this.onError(error);
    }
    if (this.#ended) return false;
    if (this.#client.subscriptions.queues.waiting === 0) return true;
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

  /** Back-to-back reads can starve event consumers: yields while the backlog shrinks. */
  async #letReadersRead(): Promise<void> {
    const { queues } = this.#client.subscriptions;
    let before = Infinity;
    while (queues.waiting > 0 && queues.waiting < before && !this.#ended) {
      before = queues.waiting;
      for (let turn = 0; turn < READER_TURNS; turn++) await undefined;
    }
  }

  #onFrame(type: PayloadType, payload: Uint8Array): void {
    if (this.#ended) return;
    this.#counts.framesReceived++;
    this.#trace("in", type, payload);
    switch (type) {
      case PayloadType.Event:
        return this.#client.subscriptions.receive(payload);
      case PayloadType.ResponseOk:
      case PayloadType.ResponseError:
        return this.#client.calls.onResponse(
          type,
          parseBody(payload, this.#client.options.maxDepth),
          payload,
        );
      case PayloadType.Command:
        throw new ProtocolError("unexpected-type", "Cannot accept frame", {
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
        this.#counts.bytesSent += bytes.length;
        this.#write();
      }, (error) => this.onError(error));
    } catch (error) {
      this.onError(error);
    }
  };

  /** Moves queued commands into the batch; its previous bytes are written by now. */
  #fillBatch(): boolean {
    const { calls, options } = this.#client;
    this.#batch.clear();
    // An `onFrame` may end this connection: what is queued then is for the next one.
    while (!this.#ended && this.#batch.length < BATCH_BYTES) {
      const json = this.#open ? calls.dequeue() : calls.dequeueUrgent();
      if (json === undefined) break;
      const size = this.#batch.add(PayloadType.Command, json);
      if (options.onFrame) {
        this.#trace("out", PayloadType.Command, this.#batch.bytes.subarray(-size));
      }
    }
    return this.#batch.length > 0;
  }

  #trace(direction: "in" | "out", type: PayloadType, payload: Uint8Array): void {
    const { onFrame } = this.#client.options;
    if (onFrame !== undefined) callUserCallback(() => onFrame({ direction, type, payload }));
  }

  #closedError(how: string, cause?: unknown): ConnectionError {
    const { remote } = this.#socket;
    return new ConnectionError("connection-closed", `Connection to ${remote} ${how}`, { cause });
  }
}
