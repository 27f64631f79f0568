/**
 * One direction of a connection, listened to: the bytes go elsewhere unchanged, the frames in them
 * are recorded.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { ConnectOptions } from "@rcsp/rcsp";
import { FrameDecoder, HEADER_SIZE } from "@rcsp/rcsp/wire";
import { bytesEntry, cutEntry, type Direction } from "./format.ts";
import type { Recorder } from "./recorder.ts";

/** Which direction, and who wants to know. */
export interface TapOptions {
  readonly recorder: Recorder;
  readonly direction: Direction;
  readonly connection: number;
  /** Called with each frame. */
  readonly onFrame: ConnectOptions["onFrame"];
  /** Called once if something other than RCSP arrives. */
  readonly onForeign: (error: unknown) => void;
}

export class Tap {
  readonly #options: TapOptions;
  readonly #decoder = new FrameDecoder();
  /** The start of a header that is not complete: it may turn out to be none. */
  #header: Uint8Array = new Uint8Array(0);
  #received = 0;
  /** Where in the stream the frame begins that is not complete. */
  #frame = 0;
  #isForeign = false;

  constructor(options: TapOptions) {
    this.#options = options;
  }

  /** Listens to a chunk, which it does not keep. */
  push(chunk: Uint8Array): void {
    const { recorder, direction, connection, onFrame, onForeign } = this.#options;
    if (this.#isForeign) return recorder.entry(direction, bytesEntry(direction, connection, chunk));
    const start = this.#received;
    this.#received += chunk.length;
    try {
      this.#decoder.push(chunk, (type, payload) => {
        this.#frame += HEADER_SIZE + payload.length;
        recorder.frame(direction, connection, type, payload);
        onFrame?.({ direction, type, payload });
      });
      const begun = this.#received - this.#frame;
      if (begun < HEADER_SIZE) this.#header = join(this.#header, chunk, begun);
    } catch (error) {
      this.#isForeign = true;
      const bytes = this.#frame < start
        ? join(this.#header, chunk, this.#received - this.#frame)
        : chunk.subarray(this.#frame - start);
      recorder.entry(direction, bytesEntry(direction, connection, bytes));
      onForeign(error);
    }
  }

  /** The stream has ended. */
  end(): void {
    const { recorder, direction, connection } = this.#options;
    const begun = this.#received - this.#frame;
    if (this.#isForeign || begun === 0) return;
    recorder.entry(direction, cutEntry(direction, connection, begun));
  }
}

/** The last bytes of two pieces together. */
function join(before: Uint8Array, chunk: Uint8Array, length: number): Uint8Array {
  const pieces: Uint8Array = length > chunk.length ? Buffer.concat([before, chunk]) : chunk;
  return pieces.slice(pieces.length - length);
}
