/**
 * The buttons of all devices.
 *
 * @module
 */

import { ConnectionError, type RcspError } from "../errors.ts";
import type { DeviceId } from "../message/command.ts";
import type { RcspEvent } from "../message/event.ts";
import type { Client } from "./client.ts";
import { type ButtonPress, type Device, deviceIdOf } from "./device.ts";
import type { Membership, Sink } from "./subscription.ts";

/** Keeps a subscription to the button of each listed device. */
export class AllPresses implements Membership {
  readonly #client: Client;
  readonly #sink: Sink<ButtonPress>;
  readonly #pollInterval: number;
  /** By device id as JSON. */
  readonly #members = new Map<string, Membership>();
  /** The devices that are left out, and why. */
  readonly #out = new Map<string, unknown>();
  /** The devices without an answer; `undefined` until they are listed. */
  readonly #pending = new Set<string | undefined>([undefined]);
  readonly #stop = new AbortController();
  #timer: unknown;
  #polling = false;
  #ready = false;
  /** An event that does not name its device belongs to several subscriptions. */
  #last: RcspEvent | undefined;

  constructor(client: Client, sink: Sink<ButtonPress>, pollInterval: number) {
    this.#client = client;
    this.#sink = sink;
    this.#pollInterval = pollInterval;
    client.allPresses.add(this);
    void this.#poll();
  }

  /** Lists the devices, now and at each interval. */
  async #poll(timeout: number = this.#client.options.commandTimeout): Promise<void> {
    const { signal } = this.#stop;
    const { clock } = this.#client;
    if (this.#polling || signal.aborted) return;
    this.#polling = true;
    clock.clear(this.#timer);
    const deadline = clock.now() + timeout;
    let left = 0;
    try {
      const devices = await this.#client.listDevices({ signal, timeout });
      if (!signal.aborted) this.#update(devices);
    } catch (error) {
      // The next connection may have the answer.
      const lost = error instanceof ConnectionError && error.sent;
      if (lost) left = Math.ceil(deadline - clock.now());
      if (left <= 0 && !signal.aborted && this.#pending.has(undefined)) this.end(error);
    }
    this.#polling = false;
    if (signal.aborted) return;
    if (left > 0) return await this.#poll(left);
    this.#timer = clock.set(() => void this.#poll(), this.#pollInterval, true);
  }

  /** Lists no more devices. */
  stopListing(): void {
    this.#stop.abort();
    this.#client.clock.clear(this.#timer);
  }

  /** Ends without unsubscribing. */
  end(error: unknown): void {
    if (!this.#client.allPresses.delete(this)) return;
    this.stopListing();
    this.#sink.onEnd?.(error);
  }

  /** Ends and unsubscribes. */
  async leave(): Promise<void> {
    this.end(undefined);
    await Promise.all(Array.from(this.#members.values(), (membership) => membership.leave()));
  }

  #update(devices: readonly Device[]): void {
    const listed = new Map(devices.map((device) => [JSON.stringify(device.DeviceId), device]));
    for (const [key, membership] of this.#members) {
      if (listed.has(key)) continue;
      this.#members.delete(key);
      this.#pending.delete(key);
      membership.leave();
    }
    for (const [key, error] of this.#out) {
      // What was not sent may be sent now.
      if (!listed.has(key) || !(error as RcspError).sent) this.#out.delete(key);
    }
    for (const [key, device] of listed) {
      if (this.#members.has(key) || this.#out.has(key)) continue;
      try {
        this.#join(key, deviceIdOf(device));
      } catch (error) {
        // An id that may have lost digits could be another device's.
        this.#out.set(key, error);
      }
    }
    this.#settle(undefined);
  }

  #join(key: string, deviceId: DeviceId): void {
    this.#pending.add(key);
    const membership = this.#client.joinButton(deviceId, {
      onEvent: (press) => {
        if (press.event === this.#last) return;
        this.#last = press.event;
        this.#sink.onEvent(press);
      },
      onAccepted: () => this.#settle(key),
      onEnd: (error) => {
        this.#members.delete(key);
        this.#out.set(key, error);
        this.#settle(key);
      },
    });
    this.#members.set(key, membership);
  }

  /** Ready once every device has answered: accepted if there is one that did, or there is none. */
  #settle(answered: string | undefined): void {
    this.#pending.delete(answered);
    if (this.#ready || this.#pending.size > 0) return;
    this.#ready = true;
    const [error] = this.#out.values();
    if (this.#members.size > 0 || this.#out.size === 0) this.#sink.onAccepted?.();
    else this.end(error);
  }

  /** The connection was lost; another may come. */
  onGap(): void {
    this.#sink.onGap?.();
    for (const [key, error] of this.#out) {
      // A restarted driver may accept it; but not one that a connection ended on.
      if (!(error instanceof ConnectionError)) this.#out.delete(key);
    }
    void this.#poll();
  }
}
