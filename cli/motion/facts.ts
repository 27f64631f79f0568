/**
 * What the motion commands show of a device: plain data, the same for people and as JSON.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "@rcsp/rcsp";
import {
  type Finger,
  FINGERS,
  type HandCalibration,
  type MotionDevice,
  normalizeCurls,
  type Sample,
  type Side,
} from "@rcsp/rcsp/motion";

/** Calibrations of hands, by side. */
export type Calibrations = { readonly [S in Side]?: HandCalibration };

/** How well a group arrives. */
export interface Arrival {
  /** Frames a second, by the stamps of the device. */
  readonly rate: number;
  /** Milliseconds. */
  readonly jitter: number;
  /** Milliseconds since the last frame. */
  readonly age: number;
  /** How often the stamps left out a frame. */
  readonly gaps: number;
  /** Frames dropped because their stamp went backwards. */
  readonly dropped: number;
}

/** A finger of a hand. */
export interface FingerFacts {
  readonly finger: Finger;
  /** 0 is open, 1 is closed; NaN if the poses have no answer. */
  readonly curl: number;
  readonly degrees: number;
}

/** The group that a hand is shown by: the one that its measures come from. */
export function shownGroup({ hand }: MotionDevice): number | undefined {
  return (hand?.local ?? hand?.openXr)?.group.id;
}

/** How well a group of a device arrives. */
export function arrivalOf(device: MotionDevice, group: number | undefined, now: number): Arrival {
  const pace = group === undefined ? undefined : device.pace(group);
  const { interval = 0, jitter = 0, gaps = 0, backwards: dropped = 0 } = pace ?? {};
  const rate = interval > 0 ? 1_000 / interval : 0;
  return { rate, jitter, age: Math.max(0, now - device.lastSeen), gaps, dropped };
}

/** The fingers of a hand; `undefined` before the first poses. */
export function fingersOf(
  { hand }: MotionDevice,
  calibrations: Calibrations,
): { fingers: FingerFacts[]; pinch: number } | undefined {
  const measures = hand?.measure();
  if (measures === undefined) return undefined;
  const { curls, pinch } = measures;
  const shares = normalizeCurls(curls, hand?.side && calibrations[hand.side]);
  const fingers = FINGERS.map((finger) => ({
    finger,
    curl: shares[finger],
    degrees: curls[finger],
  }));
  return { fingers, pinch };
}

/** One frame of a hand as JSON. */
export function handJson(
  device: MotionDevice,
  sample: Sample,
  calibrations: Calibrations,
  now: number,
): JsonObject {
  const { hand } = device;
  const measures = fingersOf(device, calibrations);
  const perFinger = (of: (facts: FingerFacts) => number, digits: number): JsonObject =>
    Object.fromEntries(
      (measures?.fingers ?? []).map((facts) => [facts.finger, rounded(of(facts), digits)]),
    );
  return {
    time: rounded(sample.time, 3),
    deviceId: device.id,
    hand: hand?.side ?? null,
    curls: perFinger(({ curl }) => curl, 3),
    degrees: perFinger(({ degrees }) => degrees, 1),
    pinch: rounded(measures?.pinch ?? NaN, 4),
    ...arrivalJson(arrivalOf(device, sample.group.id, now)),
  };
}

/** One frame of a raw stream as JSON. */
export function sampleJson(device: MotionDevice, sample: Sample, now: number): JsonObject {
  return {
    time: rounded(sample.time, 3),
    deviceId: device.id,
    deviceType: device.definition?.deviceType ?? null,
    group: sample.group.name,
    streams: sample.group.streams.map((stream) => ({
      target: stream.targetFrame ?? null,
      measure: stream.measureType ?? null,
      values: Array.from<number | bigint, JsonValue>(sample.values(stream), plain),
    })),
    ...arrivalJson(arrivalOf(device, sample.group.id, now)),
  };
}

function arrivalJson({ rate, jitter, age, gaps, dropped }: Arrival): JsonObject {
  return {
    rate: rounded(rate, 1),
    jitter: rounded(jitter, 2),
    age: rounded(age, 1),
    gaps,
    dropped,
  };
}

/** JSON has no NaN, and no integers beyond 2^53. */
function plain(value: number | bigint): JsonValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
}

function rounded(value: number, digits: number): number | null {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}
