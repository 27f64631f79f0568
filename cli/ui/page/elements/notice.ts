/** What to do when there is no driver, or no bridge. */

import { button, copyButton, element, foreignText } from "../dom.ts";
import type { BridgeStatus } from "../../bridge_status.ts";
import type { Session } from "../model/session.ts";
import { Panel } from "./panel.ts";

/** Milliseconds that a first connection may take before the page says anything. */
const PATIENCE = 800;
/** Where `rcsp serve` listens without a flag. */
const USUAL_PORT = "45451";

/** `<rcsp-notice>` */
export class Notice extends Panel {
  #session!: Session;
  #isPatient = true;
  #shown = "";

  attach(session: Session): void {
    this.#session = session;
    setTimeout(() => {
      this.#isPatient = false;
      this.#show();
    }, PATIENCE);
    session.on("bridge", () => this.#show());
    session.on("link", () => this.#show());
  }

  #show(): void {
    const { link, bridge } = this.#session;
    const what = link === "open" || link === "connecting"
      ? bridge?.state === "ready" || (this.#isPatient && bridge?.state !== "closed") ? "" : "driver"
      : link;
    // The same panel is not built again: its button would lose the focus.
    const shown = what === "driver"
      ? JSON.stringify([what, bridge?.driver, bridge?.error, bridge?.simulate])
      : what;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.dataset["about"] = what;
    this.replaceChildren(...this.#content(what, bridge));
  }

  #content(what: string, bridge: BridgeStatus | undefined): HTMLElement[] {
    switch (what) {
      case "driver":
        return bridge === undefined
          ? [title("Connecting to the bridge")]
          : this.#driverAway(bridge);
      case "gone":
        return [
          title("The bridge has ended"),
          text("Run this command and open the address that it prints."),
          element("div", { className: "actions" }, command("rcsp ui")),
        ];
      case "refused":
        return [
          title("The bridge refuses this page"),
          text(
            "It was started again, the address was copied only in part, or too many pages are open. Close other pages, or open the address that it printed, with everything after the #.",
          ),
          element("div", { className: "actions" }, button("Try again", () => location.reload())),
        ];
      case "no-token":
        return [
          title("This address has no token"),
          text("Open the address that this command prints, with everything after the #."),
          element("div", { className: "actions" }, command("rcsp ui")),
        ];
      default:
        return [];
    }
  }

  #driverAway({ driver, error, simulate }: BridgeStatus): HTMLElement[] {
    const actions = element("div", { className: "actions" }, command(serveCommand(driver)));
    if (simulate) {
      actions.append(
        button("Start a simulator", () => this.#session.startSimulator(), { className: "primary" }),
      );
    }
    return [
      title(`No driver at ${foreignText(driver, 100)}`),
      text(
        "Start the Rokoko SDK, or a simulator in its place. This page connects by itself.",
      ),
      ...(error === null ? [] : [element("p", { className: "note" }, foreignText(error))]),
      actions,
    ];
  }
}

/** Starts a simulator where the bridge looks for the driver, or at the usual port. */
function serveCommand(driver: string): string {
  const [, port = USUAL_PORT] = /:(\d+)$/.exec(driver) ?? [];
  return port === USUAL_PORT ? "rcsp serve" : `rcsp serve --port ${port}`;
}

function title(words: string): HTMLElement {
  return element("h2", {}, words);
}

function text(words: string): HTMLElement {
  return element("p", {}, words);
}

function command(line: string): HTMLElement {
  return element(
    "span",
    { className: "copyable" },
    element("code", {}, line),
    copyButton("Copy", () => line, { "aria-label": `Copy the command ${line}` }),
  );
}
