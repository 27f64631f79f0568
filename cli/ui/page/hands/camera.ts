/** Where the hands are looked at from: one camera for all of them. */

const LOWEST = -Math.PI / 2;
const HIGHEST = Math.PI / 2;
const START = { yaw: 0.35, pitch: 0.5, zoom: 1 };

/** Turns about the hand: `yaw` about its long axis, `pitch` toward the viewer, in radians. */
export class Camera {
  yaw: number = START.yaw;
  pitch: number = START.pitch;
  zoom: number = START.zoom;
  readonly #listeners = new Set<() => void>();

  /** Calls `listener` whenever the camera has moved. */
  onMove(listener: () => void): void {
    this.#listeners.add(listener);
  }

  turn(yaw: number, pitch: number): void {
    this.yaw += yaw;
    this.pitch = Math.min(Math.max(this.pitch + pitch, LOWEST), HIGHEST);
    this.#moved();
  }

  zoomBy(factor: number): void {
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.5), 4);
    this.#moved();
  }

  reset(): void {
    Object.assign(this, START);
    this.#moved();
  }

  #moved(): void {
    for (const listener of this.#listeners) listener();
  }
}
