/**
 * The answers to one client, in the order of its commands, whenever each is ready. What has to wait
 * is counted, by number and by bytes, so that the client is not read any further while it is much.
 *
 * Free of any runtime.
 *
 * @module
 */

import { Fifo } from "../fifo.ts";
import type { PayloadType } from "../wire/header.ts";
import type { FrameWriter } from "./frame_writer.ts";

/** The place of an answer in the line. */
export interface Slot {
  /** The command's `TrackId`, if it could be read. */
  trackId?: string;
  /** The command's name, if it could be read. */
  command?: string;
  /** Its type, once it is ready. */
  type?: PayloadType;
  /** Its JSON, once it is ready. */
  json?: string;
  /** The bytes of the command, then the characters of the answer. */
  size: number;
}

/** See the module's own text. */
export class ResponseQueue {
  readonly #writer: FrameWriter;
  readonly #maxQueued: number;
  readonly #maxUnsent: number;
  readonly #slots = new Fifo<Slot>();
  #waiting = 0;
  #answered = 0;
  #held = false;
  #closed = false;
  #moved: PromiseWithResolvers<void> | undefined;

  /** Makes an empty line in front of an outbox. */
  constructor(outbox: FrameWriter, limits: { maxQueued: number; maxUnsent: number }) {
    this.#writer = outbox;
    this.#maxQueued = limits.maxQueued;
    this.#maxUnsent = limits.maxUnsent;
  }

  /** Whether no more commands should be taken for now. */
  get full(): boolean {
    return !this.#closed &&
      (this.#slots.length >= this.#maxQueued ||
        this.#waiting + this.#writer.unsent > this.#maxUnsent / 2);
  }

  /** A number that grows whenever something has gone out. */
  get progress(): number {
    return this.#answered + this.#writer.writes;
  }

  /** Takes a place for the answer to a command of so many bytes. */
  reserve(size: number): Slot {
    const place: Slot = { size };
    this.#slots.push(place);
    this.#waiting += size;
    return place;
  }

  /** The answer is ready: it goes out as soon as all before it have. */
  complete(place: Slot, type: PayloadType, json: string): void {
    this.#waiting += json.length - place.size;
    Object.assign(place, { type, json, size: json.length });
    if (this.#slots.peek() === place) this.#send();
  }

  /** Resolves when the line may have got shorter. */
  async drained(): Promise<void> {
    if (this.#slots.length === 0) await this.#writer.flushed();
    else await (this.#moved ??= Promise.withResolvers()).promise;
  }

  /** Resolves when every answer is handed to the system, or nothing can be any more. */
  async empty(): Promise<void> {
    while (this.#slots.length > 0 && !this.#closed) await this.drained();
    await this.#writer.flushed();
  }

  /** Nothing goes out any more, and nobody waits. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #send(): void {
    for (let place = this.#slots.peek(); place?.json !== undefined; place = this.#slots.peek()) {
      if (this.#closed) return;
      if (this.#writer.unsent > this.#maxUnsent) {
        this.#hold();
        return;
      }
      this.#slots.shift();
      this.#answered++;
      this.#waiting -= place.size;
      this.#writer.add(place.type!, place.json);
    }
    this.#wake();
  }

  /** Waits for the client to take what it was sent. */
  #hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#writer.flushed().then(() => {
      this.#held = false;
      this.#send();
    });
  }

  #wake(): void {
    this.#moved?.resolve();
    this.#moved = undefined;
  }
}
