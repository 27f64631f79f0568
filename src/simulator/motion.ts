/**
 * The motion stream of the simulator: a hand for each glove.
 *
 * @module
 */

import type { Side } from "../motion/joints.ts";
import { MotionServer, type MotionServerOptions } from "../motion/motion_server.ts";
import { SimulatedGlove } from "../motion/simulated_glove.ts";
import { HAND_FRAME_PERIOD, SimulatedHand } from "../motion/simulated_hand.ts";
import type { ServerTestHooks } from "../server/server.ts";
import type { Address, Listen, ListenOptions, Socket } from "../socket/socket.ts";
import { CLOCK, type Clock } from "../timers.ts";
import { type CheckedDevice, sideOf } from "./devices.ts";
import { type Faults, withFaults } from "./faults.ts";
import { seededRandom } from "./random.ts";

/** Faults in the motion stream, besides those in its bytes. A share is a number from 0 to 1. */
export interface MotionFaults extends Faults {
  /** Share of the frames that are left out. */
  gaps?: number | undefined;
  /** Maximum milliseconds by which a frame is late; the next ones wait for it. */
  jitter?: number | undefined;
  /** Sends no data while it is `true`. */
  stall?: boolean | undefined;
  /** Share of the frames that repeat the time stamp of the one before. */
  duplicateTimes?: number | undefined;
  /** Share of the frames with a time stamp before that of the one before. */
  backwardTimes?: number | undefined;
  /** Defines the hands without `joints_openxr`, as a solver without `--emit-openxr` does. */
  noOpenXr?: boolean | undefined;
}

/** Options of the simulated motion stream. */
export interface MotionSimulationOptions {
  /** Seed of the gestures and faults. Default: that of the simulator. */
  seed?: number | undefined;
  /** Faults to inject. Default: none. */
  faults?: MotionFaults | undefined;
}

/** Where to listen for clients of the motion stream. */
export interface MotionListenOptions extends ListenOptions {
  /** Port of the raw stream; `port` is that of the hands. Default: any free port. */
  readonly rawPort?: number | undefined;
}

/** The motion stream of a simulator. */
export interface SimulatedMotion {
  /** Serves the solved hands. */
  readonly hands: MotionServer;
  /** Serves the sensors of the gloves. */
  readonly raw: MotionServer;
  /** Faults to inject from the next frame on; may be changed at any time. */
  faults: MotionFaults;
}

/** After a longer pause of the process, in milliseconds, frames are left out. */
const LONGEST_DELAY = 250;
/** Milliseconds. */
const BACKWARD_STEP = 100;

interface Glove {
  readonly deviceId: number;
  readonly hasOpenXr: boolean;
  readonly hand: SimulatedHand;
  readonly sensors: SimulatedGlove;
  /** Time stamp of its last frames, in milliseconds. */
  stamp: number;
}

/** Moves the hands, and sends their frames every 12 ms. */
export class MotionSimulation implements SimulatedMotion {
  readonly hands: MotionServer;
  readonly raw: MotionServer;
  faults: MotionFaults;
  readonly #seed: number;
  readonly #random: () => number;
  readonly #clock: Clock;
  readonly #wait: (milliseconds: number) => Promise<void>;
  /** By the device that it belongs to. */
  readonly #gloves = new Map<CheckedDevice, Glove>();
  #startedAt = 0;
  #step = 0;
  #timer: unknown;

  /** `wait` is for the fault `pause`. */
  constructor(
    { seed = 1, faults = {} }: MotionSimulationOptions,
    options: MotionServerOptions,
    wait: (milliseconds: number) => Promise<void>,
  ) {
    this.faults = faults;
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#wait = wait;
    const { clock = CLOCK } = options as ServerTestHooks;
    this.#clock = clock;
    this.hands = new MotionServer(options);
    this.raw = new MotionServer(options);
  }

  /** Starts to move; the time stamps count from now on. */
  start(): void {
    this.#startedAt = this.#clock.now();
    this.#schedule();
  }

  /** Listens for clients of both streams. */
  async serve(
    listen: Listen,
    { rawPort, ...options }: MotionListenOptions,
  ): Promise<{ hands: Address; raw: Address }> {
    const faulty: Listen = (options, onSocket, onError) =>
      listen(options, (socket) => onSocket(this.#withFaults(socket)), onError);
    const hands = await this.hands.serve(faulty, options);
    return { hands, raw: await this.raw.serve(faulty, { ...options, port: rawPort ?? 0 }) };
  }

  /** Adds the glove of a device, if it is for a hand. */
  add(device: CheckedDevice): void {
    const side = sideOf(device);
    if (side === undefined) return;
    const used = new Set(Array.from(this.#gloves.values(), ({ deviceId }) => deviceId));
    let deviceId = 1;
    while (used.has(deviceId)) deviceId++;
    const glove = this.#create(device, side, deviceId, 0);
    this.raw.define(glove.sensors.definition);
  }

  /** Removes the glove of a device, if it has one. */
  remove(device: CheckedDevice): void {
    const glove = this.#gloves.get(device);
    if (glove === undefined) return;
    this.#gloves.delete(device);
    this.hands.disconnect(glove.deviceId);
    this.raw.disconnect(glove.deviceId);
  }

  /** Stops, and closes both servers. */
  async close(): Promise<void> {
    this.#clock.clear(this.#timer);
    await Promise.all([this.hands.close(), this.raw.close()]);
  }

  #schedule(): void {
    const { jitter = 0 } = this.faults;
    const due = this.#startedAt + this.#step * HAND_FRAME_PERIOD;
    const late = jitter > 0 ? this.#random() * jitter : 0;
    const delay = Math.max(0, due + late - this.#clock.now());
    this.#timer = this.#clock.set(() => {
      const missed = this.#clock.now() - late - due;
      if (missed > LONGEST_DELAY) this.#step += Math.floor(missed / HAND_FRAME_PERIOD);
      this.#sendFrames(this.#step * HAND_FRAME_PERIOD);
      this.#step++;
      this.#schedule();
    }, delay);
  }

  #sendFrames(time: number): void {
    for (const [device, known] of this.#gloves) {
      const { hand: { side }, deviceId } = known;
      const glove = known.hasOpenXr === Boolean(this.faults.noOpenXr)
        ? this.#create(device, side, deviceId, known.stamp)
        : known;
      const stamp = this.#stampOf(glove, time);
      if (this.faults.stall || this.#happens(this.faults.gaps)) continue;
      glove.stamp = stamp;
      if (this.hands.clients + this.raw.clients === 0) continue;
      for (const frame of glove.hand.framesAt(time, stamp)) this.hands.send(frame);
      for (const frame of glove.sensors.framesAt(stamp)) this.raw.send(frame);
    }
  }

  #stampOf({ stamp }: Glove, time: number): number {
    const { duplicateTimes, backwardTimes } = this.faults;
    if (this.#happens(duplicateTimes)) return stamp;
    return this.#happens(backwardTimes) ? Math.max(0, stamp - BACKWARD_STEP) : time;
  }

  #happens(share = 0): boolean {
    return share > 0 && this.#random() < share;
  }

  /** Creates the glove of a device, or replaces it, and defines its hand. */
  #create(device: CheckedDevice, side: Side, deviceId: number, stamp: number): Glove {
    const hasOpenXr = !this.faults.noOpenXr;
    const hand = new SimulatedHand({ side, deviceId, openXr: hasOpenXr, seed: this.#seed });
    const sensors = new SimulatedGlove(hand, deviceId);
    const glove = { deviceId, hasOpenXr, hand, sensors, stamp };
    this.#gloves.set(device, glove);
    this.hands.define(hand.definition);
    return glove;
  }

  #withFaults(socket: Socket): Socket {
    return withFaults(socket, () => this.faults, this.#random, this.#wait);
  }
}
