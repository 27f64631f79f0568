/**
 * What the simulator has in its drawer. Rokoko's public text confirms `DeviceId` and the LED name
 * `RingLed`; every other field here is made up to look plausible.
 *
 * Free of any runtime.
 *
 * @module
 */

import type { DeviceId } from "../message/command.ts";
import type { JsonObject } from "../message/json.ts";
import { randomInteger } from "./random.ts";

/** A colour, 0 to 255 each. */
export interface Color {
  /** 0 to 255. */
  Red: number;
  /** 0 to 255. */
  Green: number;
  /** 0 to 255. */
  Blue: number;
}

/** A device of the simulator: `ListDevices` and `GetDeviceInfo` are made of it. */
export interface SimulatedDevice {
  /** Any JSON value but null; unique among the devices. */
  readonly DeviceId: DeviceId;
  /** Made up: how the device is called. */
  readonly Name: string;
  /** Made up: its kind. */
  readonly Type: string;
  /** Whether it takes part in presses by interval. Default: `false`. */
  readonly hasButton?: boolean | undefined;
  /** What `GetDeviceInfo` says besides. Default: nothing. */
  readonly info?: JsonObject | undefined;
  /** The names of its LEDs. Default: `RingLed`. */
  readonly leds?: readonly string[] | undefined;
}

/** Two Smartgloves, a Smartsuit Pro and a Coil Pro, with the same numbers for the same chance. */
export function defaultDevices(random: () => number): SimulatedDevice[] {
  const glove = (DeviceId: number, side: string): SimulatedDevice => ({
    DeviceId,
    Name: `Smartglove ${side}`,
    Type: "Smartglove",
    hasButton: true,
    info: { Side: side, ...hardware(random, "SG", "Usb") },
  });
  return [
    glove(1, "Left"),
    glove(2, "Right"),
    {
      DeviceId: 3,
      Name: "Smartsuit Pro",
      Type: "SmartsuitPro",
      info: hardware(random, "SP", "WiFi"),
    },
    { DeviceId: 4, Name: "Coil Pro", Type: "CoilPro", info: hardware(random, "CP", "Usb") },
  ];
}

function hardware(random: () => number, prefix: string, link: string): JsonObject {
  const digits = randomInteger(random, 0, 999_999).toString().padStart(6, "0");
  return {
    SerialNumber: `${prefix}-${digits}`,
    FirmwareVersion: `1.${randomInteger(random, 0, 9)}.${randomInteger(random, 0, 20)}`,
    BatteryLevel: randomInteger(random, 35, 100),
    Link: link,
  };
}
