/** A card for each device. */

import { element, heading, setText } from "../dom.ts";
import { type DeviceStore, MOST_DEVICES } from "../model/device_store.ts";
import type { Session } from "../model/session.ts";
import { oncePerFrame } from "../schedule.ts";
import { DeviceCard } from "./device_card.ts";
import { Panel } from "./panel.ts";

/** From here on the cards are smaller. */
const MANY = 8;

/** `<rcsp-devices>` */
export class DeviceList extends Panel {
  readonly #cards = new Map<string, DeviceCard>();
  readonly #grid = element("div", { className: "cards" });
  readonly #count = element("span", { className: "pill count", role: "status" });
  readonly #empty = element("p", { className: "empty" }, "Looking for devices");
  readonly #hint = element(
    "p",
    { className: "note hint", hidden: true },
    "Read-only. To change LEDs here, run ",
    element("code", {}, "rcsp ui --allow SetColorLed"),
  );

  attach(session: Session, devices: DeviceStore): void {
    this.append(heading("Devices", this.#count), this.#hint, this.#empty, this.#grid);
    const draw = oncePerFrame(() => this.#draw(session, devices));
    devices.on("change", draw);
    devices.on("press", ({ key }) => this.#cards.get(key)?.flash());
    session.on("bridge", draw);
    session.on("link", draw);
  }

  #draw(session: Session, devices: DeviceStore): void {
    const { all, listed, isLive, isKnown } = devices;
    const isFresh = isLive && session.link === "open" && session.bridge?.state === "ready";
    this.toggleAttribute("stale", !isFresh && isKnown);
    const count = listed > MOST_DEVICES ? `the first ${all.length} of ${listed}` : all.length;
    setText(this.#count, isKnown ? String(count) : "");
    setText(
      this.#empty,
      isKnown
        ? "No device yet. Turn one on, and it appears here."
        : "Devices appear here once a driver runs.",
    );
    this.#empty.hidden = all.length > 0;
    const canSetLed = session.allows("SetColorLed");
    this.#hint.hidden = canSetLed || all.length === 0 || session.bridge === undefined;
    const isMany = all.length > MANY;
    this.toggleAttribute("data-many", isMany);
    const keys = new Set(all.map(({ key }) => key));
    for (const [key, card] of this.#cards) {
      if (keys.has(key)) continue;
      card.remove();
      this.#cards.delete(key);
    }
    for (const [index, device] of all.entries()) {
      const card = this.#cards.get(device.key) ??
        new DeviceCard(session, devices, device, !isMany);
      this.#cards.set(device.key, card);
      // A card in the right place is not moved: it would lose the focus.
      const there = this.#grid.children[index];
      if (there !== card) this.#grid.insertBefore(card, there ?? null);
      card.update(canSetLed && isFresh);
    }
  }
}
