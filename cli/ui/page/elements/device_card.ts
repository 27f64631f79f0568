/** One device: what it is, its button, its LED, and all that it says about itself. */

import { copyButton, element, foreignText, setText } from "../dom.ts";
import { clockTime } from "../format.ts";
import { compactJson, type DeviceFacts, deviceFacts } from "../model/device_fields.ts";
import type { DeviceEntry, DeviceStore } from "../model/device_store.ts";
import type { Session } from "../model/session.ts";
import { oncePerFrame } from "../schedule.ts";
import { LedControl } from "./led_control.ts";

const MOST_FIELDS = 40;

/** `<rcsp-device>` */
export class DeviceCard extends HTMLElement {
  /** Shows a new press: once per frame, however many there are. */
  readonly flash: () => void = oncePerFrame(() => this.#showPresses());
  readonly #name = element("h3", { dir: "auto" });
  readonly #type = element("span", { className: "note type", dir: "auto" });
  readonly #side = element("span", { className: "pill side", hidden: true });
  readonly #battery = element("dd", {}, "–");
  readonly #level = element("dd", { className: "level", hidden: true, ariaHidden: "true" });
  readonly #firmware = element("dd", { dir: "auto" }, "–");
  readonly #presses = element("ol", { className: "presses", "aria-label": "Button presses" });
  readonly #pressCount = element("span", { className: "pill count" });
  readonly #pressNote = element("p", { className: "note" });
  readonly #button = element(
    "div",
    { className: "button-presses" },
    element("h4", {}, "Button ", this.#pressCount),
    this.#pressNote,
    this.#presses,
  );
  readonly #fields = element("dl", { className: "fields" });
  readonly #led: LedControl;
  readonly #device: DeviceEntry;
  #flashing: Animation | undefined;
  #shownFields = "";
  #shownCount = 0;

  /** `isOpen`: with all its fields. */
  constructor(session: Session, devices: DeviceStore, device: DeviceEntry, isOpen: boolean) {
    super();
    this.#device = device;
    this.#led = new LedControl(session, devices, device);
    this.role = "article";
    const copy = copyButton("Copy JSON", () => JSON.stringify(device.fields, null, 2), {
      className: "quiet",
    });
    this.append(
      element(
        "div",
        { className: "title" },
        element("div", {}, this.#name, this.#type),
        this.#side,
      ),
      this.#button,
      element(
        "dl",
        { className: "facts" },
        element("div", {}, element("dt", {}, "Battery"), this.#battery, this.#level),
        element("div", {}, element("dt", {}, "Firmware"), this.#firmware),
      ),
      this.#led,
      element(
        "details",
        { open: isOpen },
        element("summary", {}, "All fields"),
        this.#fields,
        copy,
      ),
    );
  }

  update(canSetLed: boolean): void {
    const fields = JSON.stringify(this.#device.fields);
    if (fields !== this.#shownFields) {
      this.#shownFields = fields;
      this.#showFacts(deviceFacts(this.#device.fields));
    }
    this.#led.update(canSetLed);
    this.#showPresses();
  }

  #showPresses(): void {
    const { presses, pressCount, buttonError } = this.#device;
    setText(this.#pressCount, pressCount === 0 ? "" : String(pressCount));
    setText(
      this.#pressNote,
      buttonError !== undefined
        ? foreignText(buttonError)
        : presses.length === 0
        ? "No press yet"
        : "",
    );
    this.#pressNote.hidden = this.#pressNote.textContent === "";
    if (pressCount === this.#shownCount) return;
    this.#shownCount = pressCount;
    this.#presses.replaceChildren(...presses.map(({ type, time }) =>
      element(
        "li",
        {},
        element("span", {}, foreignText(type.replace(/Press$/, ""), 40)),
        element("time", {}, clockTime(time)),
      )
    ));
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    // Anew, as the theme may be another one.
    this.#flashing?.cancel();
    this.#flashing = this.#button.animate(
      [{ backgroundColor: "color-mix(in oklab, var(--accent) 45%, var(--background))" }, {}],
      { duration: 900, easing: "ease-out" },
    );
  }

  #showFacts({ name, type, side, battery, firmware, others }: DeviceFacts): void {
    setText(this.#name, foreignText(name, 200));
    this.ariaLabel = foreignText(name, 80);
    this.#led.describe(this.ariaLabel);
    setText(this.#type, foreignText(type ?? "", 80));
    this.#side.hidden = side === undefined;
    setText(this.#side, side === undefined ? "" : side === "left" ? "Left" : "Right");
    this.dataset["side"] = side ?? "";
    setText(this.#battery, battery === undefined ? "–" : `${Math.round(battery)} %`);
    this.#level.hidden = battery === undefined;
    this.#level.style.setProperty("--level", `${battery ?? 0}%`);
    this.#level.dataset["level"] = levelOf(battery ?? 0);
    setText(this.#firmware, firmware === undefined ? "–" : foreignText(firmware, 60));
    const shown = others.slice(0, MOST_FIELDS).map(([key, value]) =>
      element(
        "div",
        {},
        element("dt", { dir: "auto" }, foreignText(key, 60)),
        element("dd", { dir: "auto" }, foreignText(compactJson(value))),
      )
    );
    const more = others.length - shown.length;
    if (more > 0) shown.push(element("div", {}, element("dt", {}, `and ${more} more`)));
    this.#fields.replaceChildren(...shown);
  }
}

function levelOf(battery: number): string {
  return battery < 20 ? "empty" : battery < 40 ? "low" : "good";
}
