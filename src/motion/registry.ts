/**
 * The state of the motion stream: which devices there are, and their newest values.
 *
 * @module
 */

import { LimitError, ProtocolError, RcspError } from "../errors.ts";
import type { JsonObject } from "../message/json.ts";
import type { Sample } from "./data_frame.ts";
import { parseDefinitionJson, readDefinition, readDeviceId } from "./definition.ts";
import { DeviceState, type MotionDevice } from "./device.ts";
import { DATA_HEADER_SIZE, MotionPrefix, readUint32 } from "./frame.ts";
import { type MotionLimits, motionLimits } from "./limits.ts";

/** Called when something changes, in the turn in which it happens. */
export interface MotionListeners {
  /** A device is new or has changed; it may have an error all the same, such as a hand's. */
  readonly onDefinition?: ((device: MotionDevice) => void) | undefined;
  /** A group has new values. */
  readonly onSample?: ((sample: Sample, device: MotionDevice) => void) | undefined;
  /** A device has disconnected, or its connection has ended. */
  readonly onDisconnect?: ((device: MotionDevice) => void) | undefined;
  /** A device has sent no data for `staleAfter` milliseconds: once until it sends some. */
  readonly onStale?: ((device: MotionDevice) => void) | undefined;
  /**
   * Something cannot be read; `device` is `undefined` where nothing says which. Once for each
   * definition, and then for the first data frame of a wrong size.
   */
  readonly onError?: ((error: RcspError, device: MotionDevice | undefined) => void) | undefined;
}

/** Options of a {@link MotionRegistry}. */
export interface MotionRegistryOptions extends MotionListeners {
  /** Our clock, in milliseconds since 1970. Default: `performance`, which never goes back. */
  readonly now?: (() => number) | undefined;
  /** Limits; see {@link MotionLimits}. */
  readonly limits?: { readonly [L in keyof MotionLimits]?: number | undefined } | undefined;
}

/** What a {@link MotionRegistry} has counted since it was created. */
export interface MotionStats {
  /** Definitions received, bad ones included. */
  readonly definitions: number;
  /** Definitions that could not be read, or were one device too many. */
  readonly badDefinitions: number;
  /** Disconnect messages received. */
  readonly disconnects: number;
  /** Data frames accepted. */
  readonly samples: number;
  /** Data frames dropped: no good definition of their device and group. */
  readonly undefinedData: number;
  /** Frames dropped: longer or shorter than defined. */
  readonly wrongSize: number;
  /** Data frames dropped: their time stamp went backwards. */
  readonly backwards: number;
}

const FEW_DEVICES = 4;

/**
 * Keeps the newest state of every device. It is fed by a {@link MotionDecoder}:
 * `decoder.push(chunk, registry.receive)`.
 *
 * - A definition replaces everything known of its device; a bad one is an error of that device only.
 * - The newest values of each group win: a reader that is late misses the ones between.
 * - Nothing that a peer sends makes `receive` throw; only your own listeners can.
 * - Memory is bounded by `maxDevices`, `maxStreams` and `maxDefinition`.
 */
export class MotionRegistry {
  readonly #devices = new Map<number, DeviceState>();
  /** The first few devices, which are found faster in a list. */
  #first: readonly DeviceState[] = [];
  readonly #listeners: MotionListeners;
  readonly #now: () => number;
  readonly #limits: MotionLimits;
  readonly #stats = {
    definitions: 0,
    badDefinitions: 0,
    disconnects: 0,
    samples: 0,
    undefinedData: 0,
    wrongSize: 0,
    backwards: 0,
  };
  #isFull = false;

  /**
   * Creates a registry without a device.
   *
   * @throws {RangeError} If a limit is not an integer from 1 on.
   */
  constructor(options: MotionRegistryOptions = {}) {
    const { now, limits, ...listeners } = options;
    this.#listeners = listeners;
    this.#now = now ?? (() => performance.timeOrigin + performance.now());
    this.#limits = motionLimits(limits);
  }

  /**
   * Takes one frame: the sink of a {@link MotionDecoder}. `receivedAt` is when its chunk arrived, in
   * milliseconds since 1970; default: now.
   */
  readonly receive = (
    prefix: MotionPrefix,
    payload: Uint8Array,
    receivedAt: number = this.#now(),
  ): void => {
    switch (prefix) {
      case MotionPrefix.Data:
        return this.#receiveData(payload, receivedAt);
      case MotionPrefix.Definition:
        return this.#receiveDefinition(payload, receivedAt);
      case MotionPrefix.Disconnect:
        return this.#receiveDisconnect(payload);
    }
  };

  /** The devices that are there, in the order in which they came. */
  devices(): MotionDevice[] {
    return [...this.#devices.values()];
  }

  /** The device with this id, if it is there. */
  device(id: number): MotionDevice | undefined {
    return this.#devices.get(id);
  }

  /** What was counted so far. */
  stats(): MotionStats {
    return { ...this.#stats };
  }

  /** Forgets all devices, as their connection has ended. Calls `onDisconnect` for each. */
  clear(): void {
    for (const device of this.devices()) this.#remove(device);
  }

  /**
   * Finds the devices that have become stale and calls `onStale`. Returns the milliseconds until it
   * should be called again; `Infinity` if nothing can become stale before the next frame.
   */
  checkStale(): number {
    const now = this.#now();
    const { staleAfter } = this.#limits;
    let wait = Infinity;
    for (const device of this.#devices.values()) {
      if (device.stale || device.definition === undefined) continue;
      const left = device.lastSeen + staleAfter - now;
      if (left > 0) {
        wait = Math.min(wait, left);
      } else {
        device.stale = true;
        this.#listeners.onStale?.(device);
      }
    }
    return wait;
  }

  #firstFew(): DeviceState[] {
    return [...this.#devices.values()].slice(0, FEW_DEVICES);
  }

  #find(id: number): DeviceState | undefined {
    const first = this.#first;
    for (let i = 0; i < first.length; i++) if (first[i]!.id === id) return first[i];
    return this.#devices.get(id);
  }

  #receiveData(payload: Uint8Array, now: number): void {
    if (payload.length < DATA_HEADER_SIZE) {
      this.#stats.wrongSize++;
      return;
    }
    const device = this.#find(readUint32(payload, 0));
    if (device === undefined) {
      this.#stats.undefinedData++;
      return;
    }
    const groupId = readUint32(payload, 4);
    const sample = device.receive(groupId, payload, now, this.#limits.staleAfter);
    if (typeof sample === "object") {
      this.#stats.samples++;
      this.#listeners.onSample?.(sample, device);
      return;
    }
    this.#stats[sample]++;
    if (sample === "wrongSize") this.#reportSize(device, groupId, payload);
  }

  #receiveDefinition(payload: Uint8Array, now: number): void {
    this.#stats.definitions++;
    let device: DeviceState | undefined;
    try {
      const json = parseDefinitionJson(payload, this.#limits);
      device = this.#deviceOf(json, now);
      device.define(readDefinition(json, this.#limits), now);
    } catch (error) {
      if (!(error instanceof RcspError)) throw error;
      this.#stats.badDefinitions++;
      device?.fail(error, now);
      if (error instanceof LimitError && error.limit === "maxDevices") {
        // Once, until a device leaves.
        if (this.#isFull) return;
        this.#isFull = true;
      }
      this.#listeners.onError?.(error, device);
      return;
    }
    this.#listeners.onDefinition?.(device);
    if (device.error !== undefined) this.#listeners.onError?.(device.error, device);
  }

  #deviceOf(json: JsonObject, now: number): DeviceState {
    const id = readDeviceId(json);
    const known = this.#devices.get(id);
    if (known !== undefined) return known;
    const { maxDevices } = this.#limits;
    if (this.#devices.size >= maxDevices) {
      const message = `Cannot add device ${id} as 'maxDevices' (${maxDevices}) is reached`;
      throw new LimitError(message, "maxDevices", maxDevices, true);
    }
    const device = new DeviceState(id, now);
    this.#devices.set(id, device);
    this.#first = this.#firstFew();
    return device;
  }

  #receiveDisconnect(payload: Uint8Array): void {
    if (payload.length !== 4) {
      this.#stats.wrongSize++;
      return;
    }
    this.#stats.disconnects++;
    const device = this.#devices.get(readUint32(payload, 0));
    if (device !== undefined) this.#remove(device);
  }

  #remove(device: MotionDevice): void {
    this.#devices.delete(device.id);
    this.#first = this.#firstFew();
    this.#isFull = false;
    this.#listeners.onDisconnect?.(device);
  }

  #reportSize(device: DeviceState, groupId: number, payload: Uint8Array): void {
    if (device.error !== undefined) return;
    const group = device.definition?.groups.find(({ id }) => id === groupId);
    device.error = new ProtocolError("bad-shape", `Cannot read data of device ${device.id}`, {
      expected: `${DATA_HEADER_SIZE + (group?.byteLength ?? 0)} bytes for group ${groupId}`,
      received: `${payload.length}`,
      bytes: payload,
    });
    this.#listeners.onError?.(device.error, device);
  }
}
