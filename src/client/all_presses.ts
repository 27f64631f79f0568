/**
 * The buttons of all devices.
 *
 * @module
 */

import { CommandError } from "../errors.ts";
import type { Clock } from "../timers.ts";
import type { DeviceId } from "../message/command.ts";
import { findPressType, type RcspEvent } from "../message/event.ts";
import { type ButtonPress, type Device, deviceIdOf } from "./device.ts";
import type { EventSink, Membership } from "./subscription_registry.ts";

/** What is needed of the client. */
export interface DeviceButtons {
  listDevices(options: { signal: AbortSignal }): Promise<Device[]>;
  joinButton(deviceId: DeviceId, sink: EventSink): Membership;
}

/** Receives the presses. */
export interface PressSink {
  onPress(press: ButtonPress): void;
  onAccepted(): void;
  onGap(): void;
  onEnd(error: unknown): void;
}

/** The press in an event, if it has one. */
export function toPress(event: RcspEvent, deviceId: DeviceId): ButtonPress | undefined {
  const type = findPressType(event.raw);
  const { receivedAt } = event;
  return type && { type, deviceId: event.deviceId ?? deviceId, receivedAt, event };
}

/** Keeps a subscription to the button of each listed device. */
export class AllPresses {
  readonly #client: DeviceButtons;
  readonly #sink: PressSink;
  readonly #clock: Clock;
  readonly #pollInterval: number;
  /** By device id as JSON; `undefined` for a device without a retry. */
  readonly #members = new Map<string, Membership | undefined>();
  /** Of those, the devices that a restarted driver may accept. */
  readonly #refused = new Set<string>();
  readonly #stop = new AbortController();
  #timer: unknown;
  #polling = false;
  #listed = false;
  #pending = 0;
  #ready = false;
  #refusal: unknown;
  /** An event that does not name its device belongs to several subscriptions. */
  #last: RcspEvent | undefined;
  #inGap = false;

  constructor(client: DeviceButtons, sink: PressSink, clock: Clock, pollInterval: number) {
    this.#client = client;
    this.#sink = sink;
    this.#clock = clock;
    this.#pollInterval = pollInterval;
  }

  /** Lists the devices, now and at each interval. */
  async poll(): Promise<void> {
    const { signal } = this.#stop;
    if (this.#polling || signal.aborted) return;
    this.#polling = true;
    this.#clock.clear(this.#timer);
    try {
      const devices = await this.#client.listDevices({ signal });
      if (!signal.aborted) this.#update(devices);
    } catch (error) {
      if (!this.#ready) this.end(error);
    }
    this.#polling = false;
    if (signal.aborted) return;
    this.#timer = this.#clock.set(() => void this.poll(), this.#pollInterval, true);
  }

  /** Ends without unsubscribing. */
  end(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort();
    this.#clock.clear(this.#timer);
    this.#sink.onEnd(error);
  }

  /** Ends and unsubscribes. */
  async leave(): Promise<void> {
    this.end(undefined);
    await Promise.all(Array.from(this.#members.values(), (membership) => membership?.leave()));
  }

  #update(devices: readonly Device[]): void {
    const listed = new Map(devices.map((device) => [JSON.stringify(device.DeviceId), device]));
    for (const [key, membership] of this.#members) {
      if (listed.has(key)) continue;
      this.#members.delete(key);
      membership?.leave();
    }
    for (const [key, device] of listed) {
      if (this.#members.has(key)) continue;
      try {
        this.#join(key, deviceIdOf(device));
      } catch (error) {
        // An id that may have lost digits could be another device's.
        this.#members.set(key, undefined);
        this.#refusal = error;
      }
    }
    this.#listed = true;
    this.#settle();
  }

  #join(key: string, deviceId: DeviceId): void {
    let pending = true;
    const answered = (): void => {
      if (pending) this.#pending--;
      pending = false;
    };
    this.#pending++;
    const membership = this.#client.joinButton(deviceId, {
      onEvent: (event) => {
        const press = event === this.#last ? undefined : toPress(event, deviceId);
        this.#last = event;
        if (press) this.#sink.onPress(press);
      },
      onAccepted: () => {
        answered();
        this.#settle();
      },
      onGap: () => this.#onGap(),
      onEnd: (error) => {
        answered();
        this.#refusal = error;
        if (this.#members.has(key)) this.#members.set(key, undefined);
        if (error instanceof CommandError) this.#refused.add(key);
        this.#settle();
      },
    });
    this.#members.set(key, membership);
  }

  /** Ready once every device has answered: accepted if there is one that did, or there is none. */
  #settle(): void {
    if (this.#ready || !this.#listed || this.#pending > 0) return;
    this.#ready = true;
    const memberships = [...this.#members.values()];
    if (memberships.length === 0 || memberships.some(Boolean)) this.#sink.onAccepted();
    else this.end(this.#refusal);
  }

  /** Called by each subscription of the connection, in one turn. */
  #onGap(): void {
    if (this.#inGap) return;
    this.#inGap = true;
    queueMicrotask(() => this.#inGap = false);
    this.#sink.onGap();
    for (const key of this.#refused) this.#members.delete(key);
    this.#refused.clear();
    void this.poll();
  }
}
