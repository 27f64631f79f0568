/** The color of a device's LED, where the bridge allows it. */

import { button, element, foreignText, setText } from "../dom.ts";
import { ledColor, type Rgb } from "../model/device_fields.ts";
import type { DeviceEntry, DeviceStore } from "../model/device_store.ts";
import type { Session } from "../model/session.ts";

/** The only name of an LED that is confirmed. */
const LED = "RingLed";
const OFF: Rgb = { Red: 0, Green: 0, Blue: 0 };
const WHITE: Rgb = { Red: 255, Green: 255, Blue: 255 };
const BLINKS = 3;
const BLINK_TIME = 250;

/** `<rcsp-led>` */
export class LedControl extends HTMLElement {
  readonly #session: Session;
  readonly #devices: DeviceStore;
  readonly #device: DeviceEntry;
  readonly #picker = element("input", { type: "color", value: "#5aa9ff" });
  readonly #identify = button("Identify", () => void this.#blink(), { ariaDisabled: "false" });
  readonly #result = element("span", { className: "result", role: "status" });
  #color: Rgb | undefined;
  #isBusy = false;

  constructor(session: Session, devices: DeviceStore, device: DeviceEntry) {
    super();
    this.#session = session;
    this.#devices = devices;
    this.#device = device;
    this.append(element("label", {}, "LED ", this.#picker), this.#identify, this.#result);
    this.#picker.addEventListener("change", () => void this.#set(rgbOf(this.#picker.value)));
  }

  /** Names its controls after the device: a list of all buttons has many of them. */
  describe(device: string): void {
    this.#picker.ariaLabel = `LED of ${device}`;
    this.#identify.ariaLabel = `Identify ${device}`;
  }

  update(canSet: boolean): void {
    this.hidden = !this.#session.allows("SetColorLed");
    this.#picker.disabled = this.#identify.disabled = !canSet;
    const color = ledColor(this.#device.fields, LED);
    if (color === undefined || this.#isBusy || document.activeElement === this.#picker) return;
    this.#color = color;
    this.#picker.value = hexOf(color);
  }

  /** Blinks, and leaves the color as it was, or as it was picked meanwhile. */
  async #blink(): Promise<void> {
    if (this.#isBusy) return;
    this.#color ??= rgbOf(this.#picker.value);
    this.#isBusy = true;
    // Not disabled: it would lose the focus.
    this.#identify.ariaDisabled = "true";
    for (let i = 0; i < BLINKS * 2; i++) {
      if (!await this.#send(i % 2 === 0 ? WHITE : OFF)) break;
      await new Promise((resolve) => setTimeout(resolve, BLINK_TIME));
    }
    this.#isBusy = false;
    await this.#set(this.#color);
    this.#identify.ariaDisabled = "false";
  }

  async #set(color: Rgb): Promise<void> {
    this.#color = color;
    if (this.#isBusy) return;
    await this.#send(color);
    this.#devices.refresh(this.#device.key);
  }

  /** Returns whether it was set; if not, says why. */
  async #send(color: Rgb): Promise<boolean> {
    try {
      await this.#session.send("SetColorLed", { DeviceId: this.#device.id, LedId: LED, ...color });
      setText(this.#result, "");
      return true;
    } catch (error) {
      setText(this.#result, foreignText((error as Error).message));
      return false;
    }
  }
}

function rgbOf(hex: string): Rgb {
  const [Red, Green, Blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return { Red: Red!, Green: Green!, Blue: Blue! };
}

function hexOf({ Red, Green, Blue }: Rgb): string {
  return `#${[Red, Green, Blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
