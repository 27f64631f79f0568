/** The bar: which driver, how it is, and what may be missing. */

import { button, element, foreignText, setText } from "../dom.ts";
import { duration } from "../format.ts";
import type { BridgeStatus } from "../../bridge_status.ts";
import type { Link, Session } from "../model/session.ts";
import { load, save } from "../model/storage.ts";
import { Panel } from "./panel.ts";

const STATES: Record<BridgeStatus["state"], string> = {
  connecting: "Connecting",
  ready: "Connected",
  reconnecting: "Reconnecting",
  closed: "Closed",
};
const THEMES = ["dark", "light", "system"];
const THEME_KEY = "rcsp.theme";

/** `<rcsp-bar>` */
export class StatusBar extends Panel {
  readonly #address = element("span", { className: "address" });
  readonly #state = element("span", { className: "state", role: "status" }, "Connecting");
  readonly #simulator = element("span", { className: "pill", hidden: true }, "Simulator");
  readonly #gap = button("", () => this.#gap.hidden = true, {
    className: "pill warning",
    hidden: true,
    title: "Dismiss",
  });
  readonly #roundTrip = element("dd", {}, "–");
  readonly #reconnects = element("dd", {}, "0");
  readonly #theme = button("", () => this.#setTheme(this.#themeIndex + 1), { className: "quiet" });
  #themeIndex = 0;

  attach(session: Session): void {
    this.append(
      element("h1", {}, "rcsp"),
      element("div", { className: "driver" }, this.#state, this.#address, this.#simulator),
      this.#gap,
      element(
        "dl",
        { className: "figures" },
        element("div", {}, element("dt", {}, "Round trip"), this.#roundTrip),
        element("div", {}, element("dt", {}, "Reconnects"), this.#reconnects),
      ),
      this.#theme,
    );
    this.#setTheme(THEMES.indexOf(load("localStorage", THEME_KEY) ?? ""));
    session.on("bridge", (status) => this.#show(status, session.link));
    session.on("link", (link) => this.#show(session.bridge, link));
    session.on("gap", (gap, without) => {
      setText(this.#gap, `Events may be missing: ${duration(gap)} without a ${without}`);
      this.#gap.hidden = false;
    });
  }

  #show(status: BridgeStatus | undefined, link: Link): void {
    const isOpen = link === "open" || (link === "connecting" && status !== undefined);
    this.dataset["state"] = isOpen ? status?.state ?? "connecting" : link;
    const state = isOpen ? STATES[status?.state ?? "connecting"] : "No bridge";
    setText(this.#state, link === "connecting" && status === undefined ? "Connecting" : state);
    if (status === undefined) return;
    const isReady = isOpen && status.state === "ready";
    setText(this.#address, status.simulating ? "" : foreignText(status.driver, 100));
    this.#simulator.hidden = !status.simulating;
    setText(this.#roundTrip, duration(isReady ? status.roundTrip : null));
    setText(this.#reconnects, String(status.reconnects));
  }

  /** Shows one of the themes; another number or none is the first. */
  #setTheme(index: number): void {
    this.#themeIndex = index in THEMES ? index : 0;
    const theme = THEMES[this.#themeIndex]!;
    document.documentElement.style.colorScheme = theme === "system" ? "light dark" : theme;
    save("localStorage", THEME_KEY, theme);
    setText(this.#theme, `Theme: ${theme}`);
    dispatchEvent(new Event("themechange"));
  }
}
