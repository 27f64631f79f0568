/** The devices of the driver, as they come and go: no public event says so, so the page polls. */

import type {
  ButtonPress,
  Device,
  DeviceId,
  JsonObject,
  RcspClient,
  Subscription,
} from "@rcsp/rcsp/core";
import { Emitter } from "./emitter.ts";
import type { Session } from "./session.ts";

/** A press as a card shows it. */
export interface ShownPress {
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What is known of one device. */
export interface DeviceEntry {
  /** Its id as text, as ids may be any JSON value. */
  readonly key: string;
  readonly id: DeviceId;
  /** All that `ListDevices` and `GetDeviceInfo` said. */
  fields: JsonObject;
  /** The newest presses, the newest first. */
  readonly presses: ShownPress[];
  /** How many there were. */
  pressCount: number;
  /** Why there are no presses of this device. */
  buttonError: string | undefined;
}

interface Followed extends DeviceEntry {
  listed: JsonObject;
  info: JsonObject;
  subscription: Subscription<ButtonPress> | undefined;
  infoAt: number;
}

/** What the parts of the page listen to. */
export interface DeviceEvents {
  /** A device has come, gone or changed, or the driver does not answer any more. */
  change: () => void;
  press: (device: DeviceEntry) => void;
}

const POLL_INTERVAL = 1_000;
const POLL_TIMEOUT = 3_000;
/** Milliseconds after which a device is asked about itself again, for its battery, and its refused button. */
const INFO_AGE = 5_000;
const SHOWN_PRESSES = 8;
/** What a page can draw, and the bridge subscribe to, in time. */
export const MOST_DEVICES = 256;

/** Follows the devices of a session. */
export class DeviceStore extends Emitter<DeviceEvents> {
  /** Whether the driver has answered the last poll. */
  isLive = false;
  /** Whether it has ever answered. */
  isKnown = false;
  /** How many devices the driver has listed; only the first 256 are followed. */
  listed = 0;
  readonly #session: Session;
  readonly #devices = new Map<string, Followed>();
  #isAsking = false;
  #wake: () => void = () => {};

  constructor(session: Session) {
    super();
    this.#session = session;
    session.on("client", (client) => void this.#poll(client));
    let state: string | undefined;
    session.on("bridge", (status) => {
      if (status.state === state) return;
      state = status.state;
      for (const { key } of this.all) this.refresh(key);
      this.#wake();
    });
  }

  /** The devices in the order of the driver's list. */
  get all(): readonly DeviceEntry[] {
    return [...this.#devices.values()];
  }

  /** Whether every device has said something about itself. */
  get isDescribed(): boolean {
    return [...this.#devices.values()].every(({ info }) => Object.keys(info).length > 0);
  }

  /** Asks a device about itself at once, as after a change of its LED. */
  refresh(key: string): void {
    const device = this.#devices.get(key);
    if (device === undefined) return;
    device.infoAt = -Infinity;
    this.#wake();
  }

  async #poll(client: RcspClient): Promise<void> {
    while (client.status.state !== "closed") {
      const woken = Promise.withResolvers<void>();
      this.#wake = woken.resolve;
      this.isLive = client.status.state === "ready" && await this.#list(client);
      if (!this.isLive) this.#session.addTrip(undefined);
      this.emit("change");
      if (this.isLive) void this.#askAll(client);
      const timer = setTimeout(woken.resolve, POLL_INTERVAL);
      await woken.promise;
      clearTimeout(timer);
    }
  }

  /** Lists the devices. Returns whether the driver has answered. */
  async #list(client: RcspClient): Promise<boolean> {
    const began = performance.now();
    try {
      const listed = await client.listDevices({ timeout: POLL_TIMEOUT });
      // The first answer waits for the page itself to load.
      if (this.isKnown) this.#session.addTrip(performance.now() - began);
      this.isKnown = true;
      this.#take(client, listed);
      return true;
    } catch {
      // The bar and the notice say why.
      return false;
    }
  }

  #take(client: RcspClient, listed: readonly Device[]): void {
    const before = new Map(this.#devices);
    this.#devices.clear();
    this.listed = listed.length;
    for (const device of listed.slice(0, MOST_DEVICES)) {
      const key = JSON.stringify(device.DeviceId);
      const entry = before.get(key) ?? this.#devices.get(key) ?? newEntry(key, device.DeviceId);
      before.delete(key);
      entry.listed = device;
      entry.fields = merged(entry);
      this.#devices.set(key, entry);
      if (entry.subscription === undefined && entry.buttonError === undefined) {
        void this.#follow(client, entry);
      }
    }
    for (const gone of before.values()) void gone.subscription?.return();
  }

  /** Asks each device about itself, one after the other: the list is asked for in between. */
  async #askAll(client: RcspClient): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    for (const device of [...this.#devices.values()]) {
      if (performance.now() - device.infoAt < INFO_AGE) continue;
      device.infoAt = performance.now();
      if (device.subscription === undefined) void this.#follow(client, device);
      try {
        device.info = await client.getDeviceInfo(device.id, { timeout: POLL_TIMEOUT });
        device.fields = merged(device);
      } catch {
        // What the list said stays; the next round asks again.
        continue;
      }
      this.emit("change");
    }
    this.#isAsking = false;
  }

  async #follow(client: RcspClient, device: Followed): Promise<void> {
    try {
      const subscription = device.subscription = client.buttonPresses(device.id);
      // Why it is not ready is thrown below, if it then ends.
      subscription.ready.then(() => device.buttonError = undefined, () => {});
      for await (const { type } of subscription) {
        device.presses.unshift({ type, time: Date.now() });
        device.presses.length = Math.min(device.presses.length, SHOWN_PRESSES);
        device.pressCount++;
        this.emit("press", device);
      }
    } catch (error) {
      device.buttonError = (error as Error).message;
      this.emit("change");
    }
    device.subscription = undefined;
  }
}

/** Not by a spread, as a foreign object may have any key. */
function merged({ listed, info }: Followed): JsonObject {
  return Object.fromEntries([...Object.entries(listed), ...Object.entries(info)]);
}

function newEntry(key: string, id: DeviceId): Followed {
  return {
    key,
    id,
    fields: {},
    listed: {},
    info: {},
    presses: [],
    pressCount: 0,
    buttonError: undefined,
    subscription: undefined,
    infoAt: -Infinity,
  };
}
