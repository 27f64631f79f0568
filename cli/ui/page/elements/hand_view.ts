/** One hand: its picture, and how evenly it arrives. */

import type { MotionDevice } from "@rcsp/rcsp/motion";
import { canvasColor, element, foreignText, setText } from "../dom.ts";
import { duration } from "../format.ts";
import type { Camera } from "../hands/camera.ts";
import { type HandColors, handColors, HandDrawing } from "../hands/draw_hand.ts";
import { Projection } from "../hands/projection.ts";
import { fitCanvas, oncePerFrame } from "../schedule.ts";

const KEY_TURN = 0.12;
const POINTER_TURN = 0.008;
const KEYS: Record<string, (camera: Camera) => void> = {
  ArrowLeft: (camera) => camera.turn(-KEY_TURN, 0),
  ArrowRight: (camera) => camera.turn(KEY_TURN, 0),
  ArrowUp: (camera) => camera.turn(0, KEY_TURN),
  ArrowDown: (camera) => camera.turn(0, -KEY_TURN),
  "+": (camera) => camera.zoomBy(1.15),
  "-": (camera) => camera.zoomBy(1 / 1.15),
  "0": (camera) => camera.reset(),
};

/** `<rcsp-hand>` */
export class HandView extends HTMLElement {
  readonly draw: () => void = oncePerFrame(() => this.#draw());
  readonly #title = element("h3");
  readonly #canvas = element("canvas", { tabIndex: 0, role: "img" });
  readonly #rate = element("dd", {}, "–");
  readonly #age = element("dd", {}, "–");
  readonly #gaps = element("dd", {}, "–");
  readonly #note = element("p", { className: "note", hidden: true });
  readonly #camera: Camera;
  #device!: MotionDevice;
  #joints: NonNullable<MotionDevice["hand"]>["openXr" | "local"];
  #drawing: HandDrawing | undefined;
  #projection: Projection | undefined;
  #poses = new Float32Array(0);
  #colors: HandColors | undefined;
  #isVisible = true;

  constructor(camera: Camera) {
    super();
    this.#camera = camera;
    const figures = [["Rate", this.#rate], ["Age", this.#age], ["Gaps", this.#gaps]] as const;
    this.append(
      this.#title,
      this.#canvas,
      this.#note,
      element(
        "dl",
        { className: "figures" },
        ...figures.map(([name, value]) => element("div", {}, element("dt", {}, name), value)),
      ),
    );
    this.#canvas.addEventListener("keydown", (event) => {
      const move = KEYS[event.key];
      if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      move(this.#camera);
    });
    this.#canvas.addEventListener("pointerdown", (event) => {
      this.#canvas.setPointerCapture(event.pointerId);
    });
    this.#canvas.addEventListener("pointermove", (event) => {
      if (!this.#canvas.hasPointerCapture(event.pointerId)) return;
      this.#camera.turn(event.movementX * POINTER_TURN, event.movementY * POINTER_TURN);
    });
    this.#canvas.addEventListener("dblclick", () => this.#camera.reset());
    fitCanvas(this.#canvas, () => this.#draw());
    new IntersectionObserver(([entry]) => {
      this.#isVisible = entry!.isIntersecting;
      this.draw();
    }).observe(this.#canvas);
  }

  /** Takes a definition, once it is in the page: the theme gives its colors. */
  define(device: MotionDevice): void {
    this.#device = device;
    const { hand } = device;
    const side = hand?.side;
    this.dataset["side"] = side ?? "";
    const name = side === undefined ? `Hand ${device.id}` : side === "left" ? "Left" : "Right";
    setText(this.#title, name);
    this.#canvas.ariaLabel = `${name} hand. The arrow keys turn it, plus and minus zoom, 0 resets.`;
    this.#joints = hand?.openXr ?? hand?.local;
    this.#drawing = this.#joints && new HandDrawing(this.#joints);
    this.#projection = this.#joints &&
      new Projection(this.#joints.joints.length, this.#joints.axes);
    this.#poses = new Float32Array(this.#joints?.poses.length ?? 0);
    this.recolor();
  }

  /** Reads the colors again, as after a change of the theme. */
  recolor(): void {
    const [accent, surface] = ["--accent", "--surface"].map((name) =>
      canvasColor(this.#canvas, name)
    );
    this.#colors = handColors(accent!, surface!);
    this.draw();
  }

  /** Writes the figures; not with every frame, as nobody could read them. */
  showFigures(now: number): void {
    const { error, lastSeen } = this.#device;
    const pace = this.#joints && this.#device.pace(this.#joints.group.id);
    const interval = pace?.interval ?? 0;
    const age = Math.max(now - lastSeen, 0);
    const isStale = this.#device.stale;
    this.toggleAttribute("stale", isStale);
    setText(this.#rate, interval > 0 && !isStale ? `${Math.round(1000 / interval)} Hz` : "–");
    // A live hand is a few milliseconds old: the exact number would only flicker.
    setText(this.#age, age < 50 ? "< 50 ms" : duration(age));
    setText(this.#gaps, String(pace?.gaps ?? 0));
    setText(this.#note, error === undefined ? "" : foreignText(error.message));
    this.#note.hidden = error === undefined;
  }

  #draw(): void {
    const context = this.#canvas.getContext("2d");
    if (!this.#isVisible || context === null || this.#colors === undefined) return;
    const { width, height } = this.#canvas;
    context.clearRect(0, 0, width, height);
    if (this.#joints?.wrist === undefined) return;
    if (this.#device.sample(this.#joints.group.id) === undefined) return;
    this.#joints.copyRelative(this.#poses);
    const { yaw, pitch, zoom } = this.#camera;
    this.#projection!.project(this.#poses, { yaw, pitch, zoom, width, height });
    this.#drawing!.draw(context, this.#projection!, this.#colors, devicePixelRatio);
  }
}
