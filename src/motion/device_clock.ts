/**
 * The time of a device on our clock, and how evenly its frames arrive.
 *
 * @module
 */

import { readMicroseconds } from "./data_frame.ts";

/**
 * Converts the time stamps of one device to our clock, in milliseconds since 1970.
 *
 * Stamps since 1970 (`unix_epoch`) are used as they are. Any other epoch is unknown, and the smallest
 * difference between receive time and stamp so far is the offset: the frame that was delayed least
 * (as Rokoko's own bridge does it).
 */
export class DeviceClock {
  readonly #isUnix: boolean;
  #offset = Infinity;

  /** Creates a clock for the `timestamp_epoch` of a definition. */
  constructor(timestampEpoch: string | undefined) {
    this.#isUnix = timestampEpoch === "unix_epoch";
  }

  /** Converts a stamp, received at `now`; both in milliseconds. */
  toLocal(stamp: number, now: number): number {
    if (this.#isUnix) return stamp;
    this.#offset = Math.min(this.#offset, now - stamp);
    return stamp + this.#offset;
  }

  /** Forgets the offset, as the device has started its time again. */
  restart(): void {
    this.#offset = Infinity;
  }
}

/** How evenly the frames of a group arrive; all times are in milliseconds. */
export interface Pace {
  /** Frames received, those that were dropped left out. */
  readonly frames: number;
  /** Smoothed time between two stamps of the device; 0 before the second frame. */
  readonly interval: number;
  /** Smoothed difference between the time from frame to frame here and on the device. */
  readonly jitter: number;
  /** How often the stamps left out at least one frame: a step of more than 1.5 intervals. */
  readonly gaps: number;
  /** Frames dropped because their stamp went backwards. */
  readonly backwards: number;
}

// EWMA weight of a new frame (as the jitter of RFC 3550).
const WEIGHT = 1 / 16;
const GAP = 1.5;

/** Measures the {@link Pace} of one group, and refuses stamps that go backwards. */
export class PaceMeter implements Pace {
  frames = 0;
  interval = 0;
  jitter = 0;
  gaps = 0;
  backwards = 0;
  /** The time on our clock of the last accepted frame. */
  time = -Infinity;
  #stamp = 0;
  #receivedAt = -Infinity;

  /**
   * Takes the stamp of a data frame's payload; returns false if the frame must be dropped as its stamp
   * is before the last one.
   *
   * - A device that has sent nothing acceptable for `restartAfter` milliseconds has restarted its
   *   clock: it is not locked out for good.
   * - A better offset can put a later stamp before an earlier one: then the time does not advance.
   */
  accept(payload: Uint8Array, now: number, clock: DeviceClock, restartAfter: number): boolean {
    const stamp = readMicroseconds(payload) / 1000;
    if (this.frames > 0) {
      if (stamp >= this.#stamp) this.#measure(stamp - this.#stamp, now - this.#receivedAt);
      else if (now - this.#receivedAt < restartAfter) {
        this.backwards++;
        return false;
      } else {
        clock.restart();
        this.time = -Infinity;
      }
    }
    this.frames++;
    this.#stamp = stamp;
    this.#receivedAt = now;
    this.time = Math.max(this.time, clock.toLocal(stamp, now));
    return true;
  }

  #measure(step: number, received: number): void {
    // A pause counts as a gap and hardly changes the interval; a new rate does so in time.
    const longest = this.interval * GAP;
    if (this.interval === 0) this.interval = step;
    else this.interval += (Math.min(step, longest) - this.interval) * WEIGHT;
    if (longest > 0 && step > longest) this.gaps++;
    this.jitter += (Math.abs(received - step) - this.jitter) * WEIGHT;
  }
}
