/**
 * One driver: its devices and their presses become messages.
 *
 * @module
 */

import type { ButtonPress, Device, DeviceId, JsonObject, RcspClient } from "@rcsp/rcsp";
import type { Context } from "../command_line/command.ts";
import { deviceName } from "../driver/device_argument.ts";
import { safeJson } from "../terminal/output.ts";
import type { Broker } from "./broker.ts";
import type { HomeAssistant } from "./home_assistant.ts";
import type { Presence } from "./presence.ts";
import { deviceLevel, levelWith, type Topics } from "./topics.ts";

/** Milliseconds between two lists of the devices: no public event announces one. */
const POLL_INTERVAL = 2_000;
/** Milliseconds after which a device is asked about itself again, as batteries run down. */
const INFO_INTERVAL = 60_000;
/** Most devices of a driver that are published. */
const MOST_DEVICES = 256;
/** Longest information about a device that the broker is asked to keep, in characters. */
const LONGEST_INFO = 64 * 1024;

/** What all drivers of a process share. */
export interface Site {
  readonly context: Pick<Context, "clock" | "io" | "log" | "pause">;
  readonly broker: Broker;
  readonly topics: Topics;
  readonly presence: Presence;
  readonly homeAssistant: HomeAssistant | undefined;
}

/** Publishes the devices of one driver. */
export class DriverBridge {
  /** `HOST:PORT` where there are several drivers. */
  readonly name: string | undefined;
  /** The client. */
  readonly rcsp: RcspClient;
  readonly #site: Site;
  /** By the level of the topic. */
  #devices = new Map<string, Device>();
  #infoAt = -Infinity;
  #wake = new AbortController();
  #lastLogged: string | undefined;

  constructor(site: Site, rcsp: RcspClient, name: string | undefined) {
    this.#site = site;
    this.rcsp = rcsp;
    this.name = name;
  }

  /** The device that a level of a topic means, if it is listed. */
  find(level: string): Device | undefined {
    return this.#devices.get(level);
  }

  /** Publishes until `signal` is aborted or the client is closed. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { rcsp } = this;
    const wake = (): void => this.#wake.abort();
    const stopStatus = rcsp.on("status", ({ state }) => {
      if (state === "ready") wake();
      else this.#leave(this.#devices.keys());
    });
    const stopPresses = rcsp.on("press", (press) => this.#onPress(press));
    stopPresses.ready.catch((error) =>
      rcsp.status.state === "closed" || signal.aborted
        ? undefined
        : this.#log(`no button presses: ${error.message}`)
    );
    signal.addEventListener("abort", wake);
    void rcsp.closed.then(wake);
    while (!signal.aborted && rcsp.status.state !== "closed") {
      this.#wake = new AbortController();
      if (rcsp.status.state === "ready") await this.#poll(signal);
      this.#site.presence.sweep();
      await this.#site.context.pause(POLL_INTERVAL, this.#wake.signal);
    }
    signal.removeEventListener("abort", wake);
    stopStatus();
    stopPresses();
    this.#leave(this.#devices.keys());
  }

  /** The level of a device's topics. */
  #levelOf(id: DeviceId): string {
    return levelWith(this.name, deviceLevel(id));
  }

  #onPress({ type, deviceId }: ButtonPress): void {
    const { broker, topics, context } = this.#site;
    const time = new Date(context.io.now()).toISOString();
    const topic = topics.of(this.#levelOf(deviceId), "button");
    broker.press(topic, JSON.stringify({ type, time }));
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { clock } = this.#site.context;
    try {
      const listed = await this.rcsp.listDevices({ signal });
      // It may have been lost just now.
      if (this.rcsp.status.state !== "ready") return;
      const added = this.#update(listed);
      const isDue = clock.now() - this.#infoAt >= INFO_INTERVAL;
      if (isDue) this.#infoAt = clock.now();
      await this.#publishInfos(isDue ? this.#devices : added, signal);
      this.#lastLogged = undefined;
    } catch (error) {
      if (signal.aborted || this.rcsp.status.state !== "ready") return;
      const { message } = error as Error;
      if (message !== this.#lastLogged) await this.#log(message);
      this.#lastLogged = message;
    }
  }

  /** Returns the devices that are new. */
  #update(listed: readonly Device[]): Map<string, Device> {
    const devices = new Map<string, Device>();
    for (const device of listed.slice(0, MOST_DEVICES)) {
      devices.set(this.#levelOf(device.DeviceId), device);
    }
    if (listed.length > MOST_DEVICES && this.#devices.size < MOST_DEVICES) {
      void this.#log(`it lists ${listed.length} devices: ${MOST_DEVICES} are published`);
    }
    const added = new Map([...devices].filter(([level]) => !this.#devices.has(level)));
    this.#leave([...this.#devices.keys()].filter((level) => !devices.has(level)));
    this.#devices = devices;
    for (const level of devices.keys()) this.#site.presence.set(level, true);
    return added;
  }

  async #publishInfos(
    devices: ReadonlyMap<string, Device>,
    signal: AbortSignal,
  ): Promise<void> {
    await Promise.all(Array.from(devices, async ([level, device]) => {
      let info: JsonObject = device;
      try {
        info = await this.rcsp.getDeviceInfo(device, { signal });
      } catch {
        if (signal.aborted || this.rcsp.status.state !== "ready") return;
        // What the list says is better than nothing.
        if (this.#devices.get(level) !== device) return;
      }
      const { broker, topics, homeAssistant } = this.#site;
      // Escaped, as many readers show it in a terminal.
      const payload = safeJson(info);
      if (payload.length > LONGEST_INFO) return;
      broker.retain(topics.of(level, "info"), payload);
      homeAssistant?.announce(level, deviceName(device), info);
    }));
  }

  #leave(levels: Iterable<string>): void {
    for (const level of levels) this.#site.presence.set(level, false);
  }

  async #log(text: string): Promise<void> {
    await this.#site.context.log(this.name === undefined ? text : `${this.name}: ${text}`);
  }
}
