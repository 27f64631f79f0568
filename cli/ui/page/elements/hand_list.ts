/** The solved hands, where the bridge forwards them. */

import type { MotionClient, MotionDevice } from "@rcsp/rcsp/motion";
import { button, element, heading, setText } from "../dom.ts";
import { Camera } from "../hands/camera.ts";
import type { Session } from "../model/session.ts";
import { HandView } from "./hand_view.ts";
import { Panel } from "./panel.ts";

/** How often the figures change, in milliseconds. */
const FIGURES_INTERVAL = 500;
/** More are not drawn. */
const MOST_HANDS = 8;

/** `<rcsp-hands>` */
export class HandList extends Panel {
  readonly #views = new Map<number, HandView>();
  readonly #camera = new Camera();
  readonly #grid = element("div", { className: "hands" });
  readonly #empty = element("p", { className: "empty" });

  attach(session: Session): void {
    const reset = button("Reset view", () => this.#camera.reset(), { className: "quiet" });
    this.append(
      heading(
        "Hands",
        element("span", { className: "note" }, "relative to the wrist; drag to turn"),
        reset,
      ),
      element("div", { className: "stage" }, this.#empty, this.#grid),
    );
    this.#camera.onMove(() => this.#drawAll());
    const recolor = (): void => this.#views.forEach((view) => view.recolor());
    addEventListener("themechange", recolor);
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", recolor);
    const explain = (): void => {
      const motion = session.bridge?.motion ?? "connecting";
      this.dataset["motion"] = motion;
      setText(
        this.#empty,
        motion === "ready" && session.link === "open"
          ? "No hand yet. Put on a glove, and it moves here."
          : "Hands appear here once a hand solver runs.",
      );
    };
    session.on("bridge", explain);
    session.on("link", explain);
    session.on("motion", (motion) => this.#follow(motion));
  }

  #follow(motion: MotionClient): void {
    motion.on("definition", (device) => this.#define(device));
    motion.on("sample", (_, { id }) => this.#views.get(id)?.draw());
    motion.on("disconnect", ({ id }) => this.#remove(id));
    for (const device of motion.devices()) this.#define(device);
    setInterval(() => {
      for (const view of this.#views.values()) view.showFigures(Date.now());
    }, FIGURES_INTERVAL);
  }

  #define(device: MotionDevice): void {
    if (device.hand === undefined) return this.#remove(device.id);
    let view = this.#views.get(device.id);
    if (view === undefined && this.#views.size < MOST_HANDS) {
      this.#views.set(device.id, view = new HandView(this.#camera));
      // The left hand is on the left.
      if (device.hand.side === "left") this.#grid.prepend(view);
      else this.#grid.append(view);
      this.#empty.hidden = true;
    }
    view?.define(device);
  }

  #remove(id: number): void {
    this.#views.get(id)?.remove();
    this.#views.delete(id);
    this.#empty.hidden = this.#views.size > 0;
  }

  #drawAll(): void {
    for (const view of this.#views.values()) view.draw();
  }
}
