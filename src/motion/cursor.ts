/**
 * A reader of one group that takes what is newest.
 *
 * @module
 */

import type { Sample } from "./data_frame.ts";
import type { MotionRegistry } from "./registry.ts";

/**
 * Reads the newest sample of one group, again and again, and counts the frames that it missed in
 * between. It keeps to the group's name when the device is defined anew or comes back.
 */
export class SampleCursor {
  readonly #registry: MotionRegistry;
  readonly #deviceId: number;
  readonly #group: string | number;
  #last: Sample | undefined;
  #sequence = 0;
  #skipped = 0;

  /** Creates a cursor at a group, given by its name or id. The newest sample can be taken at once. */
  constructor(registry: MotionRegistry, deviceId: number, group: string | number) {
    this.#registry = registry;
    this.#deviceId = deviceId;
    this.#group = group;
    this.#last = registry.device(deviceId)?.sample(group);
    this.#sequence = (this.#last?.sequence ?? 1) - 1;
  }

  /** Frames that a newer one replaced before they were taken. */
  get skipped(): number {
    return this.#skipped;
  }

  /** The newest sample, or `undefined` if it was taken already or there is none. */
  take(): Sample | undefined {
    const sample = this.#registry.device(this.#deviceId)?.sample(this.#group);
    if (sample === undefined) return undefined;
    // A new definition starts with a new sample and counts from 1 again.
    if (sample !== this.#last) {
      this.#last = sample;
      this.#sequence = 0;
    }
    if (sample.sequence === this.#sequence) return undefined;
    this.#skipped += sample.sequence - this.#sequence - 1;
    this.#sequence = sample.sequence;
    return sample;
  }
}
