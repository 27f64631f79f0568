/**
 * Colors of LEDs from OSC messages.
 *
 * @module
 */

import type { ColorLed, RcspClient } from "@rcsp/rcsp";
import { parseColor } from "@rcsp/rcsp/server";
import { LedSetter } from "../driver/led_setter.ts";
import { quote } from "../text/values.ts";
import type { OscDevices } from "./devices.ts";
import type { OscArgument, OscMessage } from "./messages.ts";

const FORMS =
  "expected a text such as red or #ff8000, three i from 0 to 255 or three f from 0 to 1";

/** Sets what messages such as `/rokoko/left/led` say. */
export class LedMessages {
  readonly #devices: OscDevices;
  readonly #setter: LedSetter;
  readonly #complain: (sentence: string) => void;

  constructor(
    rcsp: RcspClient,
    devices: OscDevices,
    signal: AbortSignal,
    complain: (sentence: string) => void,
  ) {
    this.#devices = devices;
    this.#complain = complain;
    this.#setter = new LedSetter(signal, (address, color) => {
      const device = devices.deviceOf(address);
      return device && rcsp.setColorLed(device, color, { signal });
    }, (address, error) => complain(`${address}/led: ${error.message}`));
  }

  onMessage({ address, args }: OscMessage): void {
    const [, base] = /^(\/rokoko\/.+)\/led$/.exec(address) ?? [];
    if (base === undefined || this.#devices.deviceOf(base) === undefined) {
      return this.#complain(`Ignored the OSC address ${quote(address)}: no LED has it`);
    }
    const color = readColor(args);
    if (color === undefined) return this.#complain(`Invalid color for ${base}/led: ${FORMS}`);
    this.#setter.set(base, color);
  }
}

function readColor(args: readonly OscArgument[]): ColorLed | undefined {
  const [first] = args;
  if (first?.type === "s") {
    try {
      return args.length === 1 ? parseColor(first.value) : undefined;
    } catch {
      return undefined;
    }
  }
  const most = first?.type === "f" ? 1 : 255;
  const isChannel = ({ type, value }: OscArgument): boolean =>
    type === first?.type && Number(value) >= 0 && Number(value) <= most;
  if (args.length !== 3 || !args.every(isChannel)) return undefined;
  const [Red = 0, Green = 0, Blue = 0] = args.map(({ value }) =>
    Math.round(Number(value) * 255 / most)
  );
  return { Red, Green, Blue };
}
