/**
 * What shows whether a take is recorded: a line in the terminal and, with `--led`, the devices' LEDs.
 *
 * @module
 */

import type { Device, RcspClient } from "@rcsp/rcsp";
import type { Context } from "../command_line/command.ts";
import { deviceName } from "../driver/device_argument.ts";
import { isNamed } from "./presses.ts";

const LED = "RingLed";
const RECORDING = { LedId: LED, Red: 255, Green: 0, Blue: 0 };
const READY = { LedId: LED, Red: 0, Green: 80, Blue: 0 };
const OFF = { LedId: LED, Red: 0, Green: 0, Blue: 0 };
/** Milliseconds that a list of devices may take, or a color: they must not hold up the end. */
const TIMEOUT = 500;

export class TakeLight {
  readonly #context: Context;
  #rcsp: RcspClient | undefined;
  #refused = false;
  #ended: Promise<void> | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Shows that a take may begin. */
  async begin(rcsp: RcspClient): Promise<void> {
    if (!this.#context.line.on("led")) return;
    this.#rcsp = rcsp;
    await this.#color(READY);
  }

  /** Shows that a take has begun or ended. */
  set(isRecording: boolean): void {
    this.#context.log(
      isRecording ? "The take has begun: press again to end it" : "The take has ended",
    );
    if (this.#ended === undefined) this.#color(isRecording ? RECORDING : READY);
  }

  /** Turns the LEDs off; a second call waits for the first. */
  end(): Promise<void> {
    return this.#ended ??= this.#color(OFF);
  }

  /** Sets the devices that are there now. A refusal is reported once; the recording goes on. */
  async #color(color: typeof OFF): Promise<void> {
    const rcsp = this.#rcsp;
    if (rcsp === undefined) return;
    const report = (text: string): void => {
      if (!this.#refused) this.#context.log(text);
      this.#refused = true;
    };
    const options = { timeout: TIMEOUT };
    const listed = await rcsp.listDevices(options).catch((error: Error) => {
      report(error.message);
      return [];
    });
    await Promise.all(
      listed.filter((device) => this.#isWanted(device)).map((device) =>
        rcsp.setColorLed(device.DeviceId, color, options)
          .catch((error: Error) => report(`Device ${deviceName(device)}: ${error.message}`))
      ),
    );
  }

  #isWanted({ DeviceId }: Device): boolean {
    const { line } = this.#context;
    const devices = line.texts("device");
    const ids = devices.length > 0 ? devices : line.texts("on-press").filter(Boolean);
    return ids.length === 0 || ids.some((id) => isNamed(DeviceId, id));
  }
}
