/**
 * What a server has to say to one client: frames gathered while the write before them is under way.
 *
 * Free of any runtime.
 *
 * @module
 */

import type { Socket } from "../socket/socket.ts";
import { FrameBatch } from "../wire/encoder.ts";
import type { PayloadType } from "../wire/header.ts";

/** See the module's own text. */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #onError: (error: unknown) => void;
  #filling = new FrameBatch();
  #writing = new FrameBatch();
  #flushing: Promise<void> | undefined;
  #broken = false;
  #writes = 0;

  /** Makes an empty outbox; `onError` is told once when a write fails. */
  constructor(socket: Socket, onError: (error: unknown) => void) {
    this.#socket = socket;
    this.#onError = onError;
  }

  /** Bytes that are not handed to the system yet. */
  get unsent(): number {
    return this.#filling.length + this.#writing.length;
  }

  /** How many writes are through. */
  get writes(): number {
    return this.#writes;
  }

  /** Adds a frame; all frames of one turn of the event loop go out in one write. */
  add(type: PayloadType, json: string): void {
    this.#filling.add(type, json);
    this.#flush();
  }

  /** Adds bytes that are frames already. */
  addBytes(bytes: Uint8Array): void {
    this.#filling.addBytes(bytes);
    this.#flush();
  }

  /** Resolves when all is handed to the system, or nothing can be any more. */
  async flushed(): Promise<void> {
    while (this.#flushing !== undefined && !this.#broken) await this.#flushing;
  }

  #flush(): void {
    this.#flushing ??= Promise.resolve().then(() => this.#write()).catch((error) => {
      this.#broken = true;
      this.#onError(error);
    });
  }

  async #write(): Promise<void> {
    while (this.#filling.length > 0) {
      [this.#filling, this.#writing] = [this.#writing, this.#filling];
      await this.#socket.write(this.#writing.bytes);
      this.#writing.clear();
      this.#writes++;
    }
    this.#flushing = undefined;
  }
}
