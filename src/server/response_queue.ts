/**
 * Responses to one client.
 *
 * @module
 */

import { Fifo } from "../fifo.ts";
import type { PayloadType } from "../wire/header.ts";
import type { FrameWriter } from "./frame_writer.ts";

/** The place of a response in the queue. */
export interface Slot {
  /** The command's `TrackId`, if it could be read. */
  trackId?: string;
  /** The command's name, if it could be read. */
  command?: string;
  /** The response's type, once complete. */
  type?: PayloadType;
  /** The response's JSON, once complete. */
  json?: string;
  /** Bytes of the command; once complete, characters of the response. */
  size: number;
}

/**
 * Sends responses in the order of the commands, in whichever order they complete. Counts what waits, so
 * that the session can stop reading a client that does not read its responses.
 */
export class ResponseQueue {
  readonly #writer: FrameWriter;
  readonly #maxQueued: number;
  readonly #maxUnsent: number;
  readonly #slots = new Fifo<Slot>();
  #waitingSize = 0;
  #sent = 0;
  #closed = false;
  #draining: PromiseWithResolvers<void> | undefined;

  constructor(writer: FrameWriter, limits: { maxQueued: number; maxUnsent: number }) {
    this.#writer = writer;
    this.#maxQueued = limits.maxQueued;
    this.#maxUnsent = limits.maxUnsent;
  }

  /** Whether to stop reading commands for now. */
  get full(): boolean {
    return !this.#closed &&
      (this.#slots.length >= this.#maxQueued ||
        this.#waitingSize + this.#writer.unsent > this.#maxUnsent / 2);
  }

  /** Number of responses that were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Reserves the next place, for the response to a command of `size` bytes. */
  reserve(size: number): Slot {
    const slot: Slot = { size };
    this.#slots.push(slot);
    this.#waitingSize += size;
    return slot;
  }

  /** Sets a response; it is sent after all responses before it. */
  complete(slot: Slot, type: PayloadType, json: string): void {
    this.#waitingSize += json.length - slot.size;
    Object.assign(slot, { type, json, size: json.length });
    if (this.#slots.peek() === slot) this.#send();
  }

  /** The writer has completed a write. */
  onWritten(): void {
    if (this.#slots.length > 0 || this.#draining !== undefined) this.#send();
  }

  /** Resolves when something was sent or written: the queue may not be full any more. */
  async drained(): Promise<void> {
    await (this.#draining ??= Promise.withResolvers()).promise;
  }

  /** Resolves when every response is written, or the queue is closed. */
  async empty(): Promise<void> {
    while (this.#slots.length > 0 && !this.#closed) await this.drained();
    await this.#writer.flushed();
  }

  /** Stops sending; what waits for the queue resolves. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #send(): void {
    for (let slot = this.#slots.peek(); slot?.json !== undefined; slot = this.#slots.peek()) {
      // Too much is unsent: the next completed write continues.
      if (this.#closed || this.#writer.unsent > this.#maxUnsent) return;
      this.#slots.shift();
      this.#sent++;
      this.#waitingSize -= slot.size;
      this.#writer.add(slot.type!, slot.json);
    }
    this.#wake();
  }

  #wake(): void {
    this.#draining?.resolve();
    this.#draining = undefined;
  }
}
