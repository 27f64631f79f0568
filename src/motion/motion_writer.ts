/**
 * Writing of motion frames to one client.
 *
 * @module
 */

import { FrameWriter } from "../server/frame_writer.ts";
import type { Socket } from "../socket/socket.ts";
import { encodeDisconnect } from "./frame.ts";

/** What a server counts over all its clients. */
export interface WriteCounts {
  skipped: number;
  bytesSent: number;
}

/** What waits of one device, in the order in which it must be sent. */
interface Waiting {
  disconnect: boolean;
  definition: Uint8Array | undefined;
  /** The newest data frame of each group. */
  readonly data: Map<number, Uint8Array>;
}

/**
 * Sends everything while the client keeps up. While a write is pending, it keeps only the newest frame
 * of each device and group, and counts those that it replaces: the memory for a client that does not
 * read is bounded by the state and by `maxUnsent`.
 */
export class MotionWriter {
  readonly #writer: FrameWriter;
  readonly #maxUnsent: number;
  readonly #waiting = new Map<number, Waiting>();
  /** Bytes of the data frames that wait. */
  #waitingBytes = 0;
  /** Devices whose definition was sent. */
  readonly #known = new Set<number>();
  readonly #counts: WriteCounts;

  /** `onError` is called once, when a write fails. */
  constructor(
    socket: Socket,
    maxUnsent: number,
    counts: WriteCounts,
    onError: (error: unknown) => void,
  ) {
    this.#maxUnsent = maxUnsent;
    this.#counts = counts;
    this.#writer = new FrameWriter(socket, {
      onWritten: (bytes) => {
        counts.bytesSent += bytes;
        if (this.#waiting.size > 0) this.#addWaiting();
      },
      onError,
    });
  }

  /** Sends a definition. `frame` must not change any more. */
  define(deviceId: number, frame: Uint8Array): void {
    if (this.#fits(frame)) {
      this.#known.add(deviceId);
      return this.#writer.addBytes(frame);
    }
    const waiting = this.#waitingOf(deviceId);
    this.#skipData(waiting);
    waiting.definition = frame;
  }

  /** Sends a data frame, or keeps it as the newest. `frame` must not change any more. */
  send(deviceId: number, groupId: number, frame: Uint8Array): void {
    if (this.#fits(frame)) return this.#writer.addBytes(frame);
    const older = this.#waiting.get(deviceId)?.data.get(groupId);
    const bytes = this.#waitingBytes + frame.length - (older?.length ?? 0);
    if (older !== undefined || bytes > this.#maxUnsent) this.#counts.skipped++;
    if (bytes > this.#maxUnsent) return;
    this.#waitingBytes = bytes;
    this.#waitingOf(deviceId).data.set(groupId, frame);
  }

  /** Tells a client that knows the device that it has disconnected; what waits of it is dropped. */
  disconnect(deviceId: number): void {
    const waiting = this.#waiting.get(deviceId);
    if (waiting !== undefined) {
      this.#skipData(waiting);
      waiting.definition = undefined;
    }
    if (!this.#known.has(deviceId)) {
      this.#waiting.delete(deviceId);
      return;
    }
    const frame = encodeDisconnect(deviceId);
    if (this.#fits(frame)) {
      this.#known.delete(deviceId);
      this.#writer.addBytes(frame);
    } else this.#waitingOf(deviceId).disconnect = true;
  }

  /** Sends bytes that belong to no known device; drops them if a write is pending. */
  sendOnce(bytes: Uint8Array): void {
    if (this.#fits(bytes)) this.#writer.addBytes(bytes);
  }

  /** Resolves when the system has accepted everything, or a write has failed. */
  flushed(): Promise<void> {
    return this.#writer.flushed();
  }

  /** Whether a frame can follow what the next write sends. */
  #fits({ length }: Uint8Array): boolean {
    return this.#waiting.size === 0 && this.#writer.fits(length, this.#maxUnsent);
  }

  /** Moves what waits to the next write, device by device, until that is full. */
  #addWaiting(): void {
    for (const [deviceId, { disconnect, definition, data }] of this.#waiting) {
      if (this.#writer.unsent >= this.#maxUnsent) return;
      this.#waiting.delete(deviceId);
      if (disconnect) {
        this.#known.delete(deviceId);
        this.#writer.addBytes(encodeDisconnect(deviceId));
      }
      if (definition !== undefined) {
        this.#known.add(deviceId);
        this.#writer.addBytes(definition);
      }
      for (const frame of data.values()) {
        this.#waitingBytes -= frame.length;
        this.#writer.addBytes(frame);
      }
    }
  }

  #waitingOf(deviceId: number): Waiting {
    let waiting = this.#waiting.get(deviceId);
    if (waiting === undefined) {
      waiting = { disconnect: false, definition: undefined, data: new Map() };
      this.#waiting.set(deviceId, waiting);
    }
    return waiting;
  }

  /** Data of an older definition cannot be read with the new one. */
  #skipData({ data }: Waiting): void {
    for (const { length } of data.values()) this.#waitingBytes -= length;
    this.#counts.skipped += data.size;
    data.clear();
  }
}
