/**
 * The connected devices of a simulator, and the commands that read and change them.
 *
 * @module
 */

import type { Color } from "../client/color.ts";
import type { Dialect } from "../dialect.ts";
import type { CommandError } from "../errors.ts";
import type { Command, DeviceId } from "../message/command.ts";
import { sameId } from "../message/event.ts";
import type { JsonObject, JsonValue } from "../message/json.ts";
import { refusal } from "../server/refusal.ts";
import { type CheckedDevice, toJson } from "./devices.ts";

interface State {
  readonly device: CheckedDevice;
  readonly leds: Map<string, Color>;
}

const CHANNELS = ["Red", "Green", "Blue"] as const;

/** Its commands throw a `CommandError` if an argument is invalid. */
export class DeviceTable {
  readonly #dialect: Dialect;
  readonly #states: State[] = [];

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  get devices(): CheckedDevice[] {
    return this.#states.map(({ device }) => device);
  }

  /** @throws {RangeError} If its `DeviceId` is in use. */
  add(device: CheckedDevice): void {
    if (this.#stateOf(device.DeviceId) !== undefined) {
      throw new RangeError(
        `Cannot add device as 'DeviceId' ${JSON.stringify(device.DeviceId)} is in use`,
      );
    }
    const off = (led: string): [string, Color] => [led, { Red: 0, Green: 0, Blue: 0 }];
    this.#states.push({ device, leds: new Map(device.leds.map(off)) });
  }

  /** Returns the device that was removed, if there was one. */
  remove(deviceId: DeviceId): CheckedDevice | undefined {
    const state = this.#stateOf(deviceId);
    if (state !== undefined) this.#states.splice(this.#states.indexOf(state), 1);
    return state?.device;
  }

  has(deviceId: DeviceId): boolean {
    return this.#stateOf(deviceId) !== undefined;
  }

  /** `ListDevices` */
  list(): JsonObject {
    const Devices = this.devices.map(({ DeviceId, Name, Type }) => ({ DeviceId, Name, Type }));
    return { Devices };
  }

  /** `GetDeviceInfo` */
  info(command: Command): JsonObject {
    const { device: { DeviceId, Name, Type, info }, leds } = this.#addressed(command);
    const Leds = Array.from(leds, ([LedId, color]) => ({ LedId, ...color }));
    return { DeviceId, Name, Type, ...info, Leds };
  }

  /** `SetColorLed` */
  setColorLed(command: Command): void {
    const { leds } = this.#addressed(command);
    const { LedId } = command.Arguments;
    if (typeof LedId !== "string" || !leds.has(LedId)) {
      throw this.#badArguments(`'LedId' must be one of ${[...leds.keys()].join(", ")}`);
    }
    const [Red, Green, Blue] = CHANNELS.map((channel) => {
      const value = command.Arguments[channel];
      if (isChannel(value)) return value;
      throw this.#badArguments(`'${channel}' must be an integer from 0 to 255`);
    });
    leds.set(LedId, { Red: Red!, Green: Green!, Blue: Blue! });
  }

  /** @throws {CommandError} If there is no such device. */
  find(deviceId: DeviceId): State {
    const state = this.#stateOf(deviceId);
    if (state !== undefined) return state;
    const message = `Unknown device ${JSON.stringify(deviceId)}`;
    throw refusal(this.#dialect, "unknownDevice", message);
  }

  #stateOf(deviceId: DeviceId): State | undefined {
    const id = toJson(deviceId);
    if (id === undefined || id === null) return undefined;
    return this.#states.find(({ device }) => sameId(device.DeviceId, id as DeviceId));
  }

  #addressed({ Command, Arguments }: Command): State {
    const deviceId = Arguments["DeviceId"] ?? undefined;
    if (deviceId === undefined) throw this.#badArguments(`${Command} needs a 'DeviceId'`);
    return this.find(deviceId as DeviceId);
  }

  #badArguments(message: string): CommandError {
    return refusal(this.#dialect, "badArguments", message);
  }
}

function isChannel(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}
