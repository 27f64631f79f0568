/**
 * What shows whether a take is recorded: a line in the terminal and, with `--led`, the devices' LEDs.
 *
 * @module
 */

import type { Device, RcspClient } from "@rcsp/rcsp";
import type { Context } from "../command_line/command.ts";
import { deviceName, pickDevice } from "../driver/device_argument.ts";

const LED = "RingLed";
const RECORDING = { LedId: LED, Red: 255, Green: 0, Blue: 0 };
const READY = { LedId: LED, Red: 0, Green: 80, Blue: 0 };
const OFF = { LedId: LED, Red: 0, Green: 0, Blue: 0 };
/** Milliseconds that a color may take: it must not hold up the end. */
const TIMEOUT = 1_000;

export class TakeLight {
  readonly #context: Context;
  #rcsp: RcspClient | undefined;
  #devices: readonly Device[] = [];
  #refused = false;
  #ended: Promise<void> | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Shows that a take may begin. */
  async begin(rcsp: RcspClient): Promise<void> {
    const { line } = this.#context;
    if (!line.on("led")) return;
    const listed = await rcsp.listDevices();
    const devices = line.texts("device");
    const ids = devices.length === 0 ? line.texts("on-press").filter(Boolean) : devices;
    this.#devices = ids.length === 0 ? listed : ids.map((id) => pickDevice(listed, id));
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

  /** A refusal is reported once; the recording goes on. */
  async #color(color: typeof OFF): Promise<void> {
    const rcsp = this.#rcsp;
    if (rcsp === undefined) return;
    await Promise.all(
      this.#devices.map((device) =>
        rcsp.setColorLed(device.DeviceId, color, { timeout: TIMEOUT }).catch((error: Error) => {
          if (!this.#refused) this.#context.log(`Device ${deviceName(device)}: ${error.message}`);
          this.#refused = true;
        })
      ),
    );
  }
}
