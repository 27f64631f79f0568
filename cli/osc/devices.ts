/**
 * The devices of a driver as OSC addresses.
 *
 * @module
 */

import type { Device, DeviceId, JsonObject, RcspClient } from "@rcsp/rcsp";
import { sideOf } from "../driver/device_side.ts";
import { deviceLevel } from "../mqtt/topics.ts";
import { sameId } from "../text/values.ts";
import { addressPart } from "./messages.ts";

/** Most devices that have an address. */
const MOST_DEVICES = 256;

/** Which device has which address. */
export class OscDevices {
  readonly #rcsp: RcspClient;
  readonly #signal: AbortSignal;
  #known: { readonly device: Device; readonly address: string }[] = [];
  #refreshing: Promise<void> | undefined;

  constructor(rcsp: RcspClient, signal: AbortSignal) {
    this.#rcsp = rcsp;
    this.#signal = signal;
  }

  /** Lists the devices again, and asks new ones which hand they are for. Never rejects. */
  refresh(): Promise<void> {
    return this.#refreshing ??= this.#refresh().catch(() => {}).finally(() => {
      this.#refreshing = undefined;
    });
  }

  /** `/rokoko/left`, or `/rokoko/device/ID` for a device whose side is not known, or taken. */
  async addressOf(id: DeviceId): Promise<string> {
    if (this.#find(id) === undefined) await this.refresh();
    return this.#find(id)?.address ?? plainAddress(id);
  }

  /** The device with an address. */
  deviceOf(address: string): Device | undefined {
    return this.#known.find((known) => known.address === address)?.device;
  }

  #find(id: DeviceId): { readonly device: Device; readonly address: string } | undefined {
    return this.#known.find(({ device }) => sameId(device.DeviceId, id));
  }

  async #refresh(): Promise<void> {
    const options = { signal: this.#signal };
    const listed = (await this.#rcsp.listDevices(options)).slice(0, MOST_DEVICES);
    const infos = await Promise.all(
      listed.map(async (device): Promise<JsonObject> =>
        this.#find(device.DeviceId) !== undefined
          ? device
          : await this.#rcsp.getDeviceInfo(device, options).catch(() => device)
      ),
    );
    const kept = listed.map(({ DeviceId }) => this.#find(DeviceId)?.address);
    const taken = new Set(kept);
    this.#known = listed.map((device, i) => {
      const side = sideOf(infos[i]!) ?? sideOf(device);
      const wanted = kept[i] ?? (side && `/rokoko/${side}`);
      const isFree = wanted !== undefined && (kept[i] !== undefined || !taken.has(wanted));
      const address = isFree ? wanted : plainAddress(device.DeviceId);
      taken.add(address);
      return { device, address };
    });
  }
}

function plainAddress(id: DeviceId): string {
  return `/rokoko/device/${addressPart(deviceLevel(id))}`;
}
