/** The round trips of the last two minutes, from the page to the driver and back. */

import { canvasColor, element, heading, setText } from "../dom.ts";
import { duration } from "../format.ts";
import { axisTop, STRIP_SPAN } from "../model/round_trips.ts";
import type { Session } from "../model/session.ts";
import { fitCanvas, oncePerFrame } from "../schedule.ts";
import { Panel } from "./panel.ts";

/** `<rcsp-trip>` */
export class TripStrip extends Panel {
  readonly #canvas = element("canvas", { role: "img" });
  readonly #top = element("span", { className: "axis" });
  readonly #figures = ["Now", "Median", "99 %"].map((name) => ({
    name,
    value: element("dd", {}, "–"),
  }));
  #session!: Session;

  attach(session: Session): void {
    this.#session = session;
    const rows = this.#figures.map(({ name, value }) =>
      element("div", {}, element("dt", {}, name), value)
    );
    this.append(
      heading("Round trip", element("span", { className: "note" }, "page to driver and back")),
      element("div", { className: "strip" }, this.#canvas, this.#top),
      element(
        "div",
        { className: "axis", ariaHidden: "true" },
        element("span", {}, "2 minutes ago"),
        element("span", {}, "now"),
      ),
      element("dl", { className: "figures" }, ...rows),
    );
    const draw = oncePerFrame(() => this.#draw());
    session.on("trip", draw);
    fitCanvas(this.#canvas, () => this.#draw());
    addEventListener("themechange", draw);
  }

  #draw(): void {
    const { trips } = this.#session;
    const values = [trips.newest, trips.quantile(0.5), trips.quantile(0.99)];
    for (const [i, { value }] of this.#figures.entries()) setText(value, duration(values[i]));
    const [now, median] = values.map(duration);
    this.#canvas.ariaLabel = `Round trips of the last two minutes: now ${now}, median ${median}`;
    const top = axisTop(trips.quantile(1) ?? 1);
    setText(this.#top, `${top} ms`);
    this.#plot(top);
  }

  #plot(top: number): void {
    const context = this.#canvas.getContext("2d");
    if (context === null) return;
    const { width, height } = this.#canvas;
    const ratio = devicePixelRatio;
    const end = performance.now();
    context.clearRect(0, 0, width, height);
    context.fillStyle = canvasColor(this.#canvas, "--line");
    for (const share of [0, 0.5, 1]) {
      context.fillRect(0, Math.round((height - ratio) * share), width, ratio);
    }
    context.strokeStyle = canvasColor(this.#canvas, "--good");
    context.lineWidth = 1.5 * ratio;
    context.lineJoin = "round";
    context.beginPath();
    let isDown = false;
    let lost: number | undefined;
    const bad = canvasColor(this.#canvas, "--bad");
    const shade = (from: number, to: number): void => {
      context.fillStyle = `color-mix(in srgb, ${bad} 17%, transparent)`;
      context.fillRect(from, 0, Math.max(to - from, 2 * ratio), height);
    };
    for (const { at, value } of this.#session.trips.all) {
      const x = width * (1 - (end - at) / STRIP_SPAN);
      if (value === undefined) {
        lost ??= x;
        isDown = false;
        continue;
      }
      if (lost !== undefined) shade(lost, x);
      lost = undefined;
      const y = (height - 2 * ratio) * (1 - value / top) + ratio;
      if (isDown) context.lineTo(x, y);
      else {
        context.moveTo(x, y);
        // A point alone is a dot.
        context.lineTo(x + 0.1, y);
      }
      isDown = true;
    }
    if (lost !== undefined) shade(lost, width);
    context.stroke();
  }
}
