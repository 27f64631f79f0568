/**
 * Which devices are there, as retained messages.
 *
 * @module
 */

import type { Broker } from "./broker.ts";
import type { Topics } from "./topics.ts";

/** A device that was away for so many milliseconds is gone for good. */
export const FORGET_AFTER = 24 * 3_600_000;
/** Most devices of earlier runs that are looked after. */
const MOST_LEFTOVERS = 1_000;
/** Most devices that are away; of more, those that left first are gone for good. */
const MOST_AWAY = 1_000;

/** Where it is published. */
export interface PresenceOptions {
  readonly broker: Broker;
  readonly topics: Topics;
  readonly now: () => number;
  /** Called with the level of a device that is gone for good. */
  readonly onForget: (level: string) => void;
}

/** The availability of all devices of a site, by their level of the topic. */
export class Presence {
  readonly #options: PresenceOptions;
  /** When each device that is away was last there; `undefined` for those that are there. */
  readonly #awaySince = new Map<string, number | undefined>();

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** A device is there, or is not. */
  set(level: string, isOnline: boolean): void {
    const wasOnline = this.#isOnline(level);
    if (!isOnline && !wasOnline && this.#awaySince.has(level)) return;
    // At the end: those that left first come first.
    this.#awaySince.delete(level);
    const { broker, topics, now } = this.#options;
    this.#awaySince.set(level, isOnline ? undefined : now());
    broker.retain(topics.of(level, "availability"), isOnline ? "online" : "offline");
  }

  /** The broker has kept that a device is online: one of an earlier run, if it is not there now. */
  onRetained(level: string): void {
    if (this.#awaySince.has(level) || this.#awaySince.size >= MOST_LEFTOVERS) return;
    this.set(level, false);
  }

  /** Removes what the broker has kept of devices that are gone for good. */
  sweep(): void {
    const { broker, topics, now, onForget } = this.#options;
    let away = [...this.#awaySince.values()].filter((since) => since !== undefined).length;
    for (const [level, since] of this.#awaySince) {
      if (since === undefined) continue;
      if (away <= MOST_AWAY && now() - since < FORGET_AFTER) continue;
      away--;
      this.#awaySince.delete(level);
      for (const name of ["availability", "info"]) {
        broker.retain(topics.of(level, name), "");
      }
      onForget(level);
    }
  }

  /** No device is there any more. */
  close(): void {
    for (const level of this.#awaySince.keys()) this.set(level, false);
  }

  #isOnline(level: string): boolean {
    return this.#awaySince.has(level) && this.#awaySince.get(level) === undefined;
  }
}
