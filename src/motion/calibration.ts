/**
 * Curls from 0 to 1 for one person's hand.
 *
 * @module
 */

import { FINGERS, type PerFinger, perFinger } from "./joints.ts";

/** The curls of a hand in two poses, in degrees. Plain data: save it as JSON. */
export interface HandCalibration {
  /** The curls of the flat hand: these become 0. */
  readonly open: PerFinger<number>;
  /** The curls of the fist: these become 1. */
  readonly closed: PerFinger<number>;
}

/** Rough spans for an unknown hand: 0 to 200 degrees, the thumb 0 to 90. */
export const DEFAULT_CALIBRATION: HandCalibration = {
  open: perFinger(() => 0),
  closed: perFinger((finger) => finger === "thumb" ? 90 : 200),
};

/** Maps curls in degrees to 0 (open) to 1 (closed), cut at both ends. NaN stays NaN. */
export function normalizeCurls(
  curls: PerFinger<number>,
  calibration: HandCalibration = DEFAULT_CALIBRATION,
): PerFinger<number> {
  return perFinger((finger) => {
    const { open, closed } = calibration;
    const share = (curls[finger] - open[finger]) / (closed[finger] - open[finger]);
    return Math.min(1, Math.max(0, share));
  });
}

// A finger that moved less than this between the two poses was not calibrated, in degrees.
const LEAST_SPAN = 10;

/**
 * Makes a calibration of the curls of a flat hand and of a fist, also of one that was saved as JSON.
 *
 * @throws {TypeError} If a finger's curl is missing or is not a finite number.
 * @throws {RangeError} If a finger moved by less than 10 degrees from one pose to the other.
 */
export function calibrateHand(poses: { open: unknown; closed: unknown }): HandCalibration {
  const open = readCurls("open", poses.open);
  const closed = readCurls("closed", poses.closed);
  for (const finger of FINGERS) {
    const span = Math.abs(closed[finger] - open[finger]);
    if (span >= LEAST_SPAN) continue;
    throw new RangeError(
      `Cannot calibrate ${finger} as it moved by ${span.toFixed(1)} degrees: ` +
        `open the hand flat, then make a fist (at least ${LEAST_SPAN} degrees)`,
    );
  }
  return { open, closed };
}

function readCurls(pose: string, value: unknown): PerFinger<number> {
  return perFinger((finger) => {
    const curl = (value as Partial<Record<string, unknown>> | null | undefined)?.[finger];
    if (typeof curl === "number" && Number.isFinite(curl)) return curl;
    throw new TypeError(
      `Cannot calibrate hand as '${pose}.${finger}' must be a finite number of degrees`,
    );
  });
}
