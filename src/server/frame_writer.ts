/**
 * Writing of frames to one client.
 *
 * @module
 */

import type { Socket } from "../socket/socket.ts";
import { FrameBatch } from "../wire/encoder.ts";
import type { PayloadType } from "../wire/header.ts";

/** Called by a {@link FrameWriter}. */
export interface FrameWriterListener {
  /** A write of so many bytes is complete; what is added now is in the next one. */
  onWritten(bytes: number): void;
  /** A write has failed; it was the last one. */
  onError(error: unknown): void;
}

/** Collects frames while a write is pending, and writes them together. */
export class FrameWriter {
  readonly #socket: Socket;
  readonly #listener: FrameWriterListener;
  #filling = new FrameBatch();
  #writing = new FrameBatch();
  #flushing: Promise<void> | undefined;
  #broken = false;

  constructor(socket: Socket, listener: FrameWriterListener) {
    this.#socket = socket;
    this.#listener = listener;
  }

  /** Bytes that the system has not accepted yet. */
  get unsent(): number {
    return this.#filling.length + this.#writing.length;
  }

  /** Whether so many more bytes are within `most` in the next write, and none is pending. */
  fits(length: number, most: number): boolean {
    const collected = this.#filling.length;
    return this.#writing.length === 0 && (collected === 0 || collected + length <= most);
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
      this.#listener.onError(error);
    });
  }

  async #write(): Promise<void> {
    while (this.#filling.length > 0) {
      const batch = this.#filling;
      this.#filling = this.#writing;
      this.#writing = batch;
      await this.#socket.write(batch.bytes);
      const { length } = batch;
      batch.clear();
      this.#listener.onWritten(length);
    }
    this.#flushing = undefined;
  }
}
