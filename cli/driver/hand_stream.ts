/**
 * The hands of the motion stream, at a bounded rate.
 *
 * @module
 */

import type { ConnectOptions } from "@rcsp/rcsp";
import {
  connectMotion,
  FINGERS,
  type Hand,
  type HandMeasures,
  type JointSet,
  MOTION_PORTS,
  type MotionDevice,
  normalizeCurls,
} from "@rcsp/rcsp/motion";
import { DEFAULT_ADDRESS, formatAddress } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { integerFlag } from "../command_line/flags.ts";
import type { Flag } from "../command_line/parse.ts";

/** Where the hands are. */
export const MOTION_PORT_FLAG: Flag = integerFlag("--motion-port NUMBER", "the port of the hands", {
  default: `${MOTION_PORTS.hands}`,
  range: [1, 65_535],
});

/** A hand as it is now. */
export interface HandPose {
  /** `left`, `right`, or `hand_7` of a device without a side. */
  readonly name: string;
  readonly side: Hand["side"];
  readonly measures: HandMeasures;
  /** From 0 (open) to 1 (closed), the thumb first; NaN where the poses have no answer. */
  readonly curls: readonly number[];
  /** The joints; overwritten by the next frame. */
  readonly joints: JointSet;
}

/**
 * Reads the hands until the command ends, and calls `onHand` at most `rate` times a second for each of
 * them, with the newest pose. A stream that is not there is waited for, and said so once.
 */
export function streamHands(
  context: Context,
  { host = DEFAULT_ADDRESS.host, connector, connectTimeout }: ConnectOptions,
  options: {
    readonly rate: number;
    readonly onHand: (pose: HandPose) => void;
    /** A hand is gone, by its name. */
    readonly onGone?: (name: string) => void;
  },
): void {
  const { clock, line, log } = context;
  const port = line.number("motion-port") ?? MOTION_PORTS.hands;
  const leaving = new AbortController();
  const limiter = new HandLimiter(clock, 1_000 / options.rate, (device) => {
    const pose = poseOf(device);
    if (pose !== undefined) options.onHand(pose);
  });
  let isReported = false;
  const opening = connectMotion({
    host,
    port,
    connector,
    connectTimeout,
    signal: leaving.signal,
    reconnect: {
      firstConnect: true,
      decide: (_attempt, { message }) => {
        if (!isReported) void log(`No hands yet, only buttons: ${message}`);
        return isReported = true;
      },
    },
  });
  opening.then((client) => {
    client.on("sample", (_sample, device) => limiter.add(device));
    client.on("disconnect", (device) => {
      limiter.remove(device);
      options.onGone?.(nameOf(device));
    });
    const complaints = new Set<string>();
    client.on("error", ({ message }, device) => {
      // A definition that lacks joints says what to do.
      if (device?.hand?.error?.message !== message || complaints.has(message)) return;
      complaints.add(message);
      void log(message);
    });
    client.on("status", ({ state }) => {
      if (state === "ready") return void (isReported = false);
      if (!isReported && state === "reconnecting") {
        void log(`The hands are gone: no answer from ${formatAddress({ host, port })}`);
      }
      isReported = true;
    });
  }, () => {});
  context.defer(async () => {
    leaving.abort(new Error("The command ends"));
    limiter.close();
    await opening.then((client) => client.close(), () => {});
  });
}

/** Calls `emit` for a device at most once per interval; the newest state is never left out. */
export class HandLimiter {
  readonly #clock: Context["clock"];
  readonly #interval: number;
  readonly #emit: (device: MotionDevice) => void;
  /** The timers of devices that wait, and when each was last emitted. */
  readonly #states = new Map<MotionDevice, { due: number; timer: unknown }>();

  constructor(
    clock: Context["clock"],
    interval: number,
    emit: (device: MotionDevice) => void,
  ) {
    this.#clock = clock;
    this.#interval = interval;
    this.#emit = emit;
  }

  /** A device has something new. */
  add(device: MotionDevice): void {
    const state = this.#states.get(device) ?? { due: -Infinity, timer: undefined };
    this.#states.set(device, state);
    if (state.timer !== undefined) return;
    // Not in this turn: the other groups of the frame follow.
    const delay = Math.max(0, state.due - this.#clock.now());
    state.timer = this.#clock.set(() => {
      state.timer = undefined;
      const now = this.#clock.now();
      // A timer that is a little late does not lower the rate.
      const isOnTime = now - state.due < this.#interval;
      state.due = (isOnTime ? state.due : now) + this.#interval;
      this.#emit(device);
    }, delay);
  }

  /** A device is gone. */
  remove(device: MotionDevice): void {
    this.#clock.clear(this.#states.get(device)?.timer);
    this.#states.delete(device);
  }

  /** Stops. */
  close(): void {
    for (const device of [...this.#states.keys()]) this.remove(device);
  }
}

function nameOf({ id, hand }: MotionDevice): string {
  return hand?.side ?? `hand_${id}`;
}

function poseOf(device: MotionDevice): HandPose | undefined {
  const { hand } = device;
  const measures = hand?.measure();
  if (hand === undefined || measures === undefined) return undefined;
  const joints = hand.openXr ?? hand.local;
  if (joints === undefined) return undefined;
  const curls = normalizeCurls(measures.curls);
  return {
    name: nameOf(device),
    side: hand.side,
    measures,
    curls: FINGERS.map((finger) => curls[finger]),
    joints,
  };
}
