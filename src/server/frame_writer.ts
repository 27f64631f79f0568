/**
 * Writing of frames to one client.
 *
 * @module
 */

import type { Socket } from "../socket/socket.ts";
import { FrameBatch } from "../wire/encoder.ts";
import type { PayloadType } from "../wire/header.ts";

/** Collects frames while a write is pending, and writes them together. */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #onError: (error: unknown) => void;
  #filling = new FrameBatch();
  #writing = new FrameBatch();
  #flushing: Promise<void> | undefined;
  #broken = false;
  #writes = 0;

  /** `onError` is called once, when a write fails. */
  constructor(socket: Socket, onError: (error: unknown) => void) {
    this.#socket = socket;
    this.#onError = onError;
  }

  /** Bytes that the system has not accepted yet. */
  get unsent(): number {
    return this.#filling.length + this.#writing.length;
  }

  /** Completed writes. */
  get writes(): number {
    return this.#writes;
  }

  /** Adds a frame; all frames of one event loop turn are sent in one write. */
  add(type: PayloadType, json: string): void {
    this.#filling.add(type, json);
    this.#flush();
  }

  /** Adds encoded frames. */
  addBytes(bytes: Uint8Array): void {
    this.#filling.addBytes(bytes);
    this.#flush();
  }

  /** Resolves when the system has accepted everything, or a write has failed. */
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
