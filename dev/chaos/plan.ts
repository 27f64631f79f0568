/** The faults of each connection of the chaos run. */

import { randomInteger } from "../../src/simulator/random.ts";
import type { ConnectionFaults } from "../../tests/support/fault_proxy.ts";

/**
 * Returns one fault or none for each connection. It never changes a body, and never drops or
 * duplicates an event: a client of this protocol cannot detect that.
 */
export function faultPlan(random: () => number): (connection: number) => ConnectionFaults {
  const bytes = (): number => randomInteger(random, 1, 200_000);
  const frames = (): number => randomInteger(random, 1, 1000);
  const faults: (() => ConnectionFaults)[] = [
    () => ({}),
    () => ({}),
    () => ({
      up: { slice: randomInteger(random, 1, 20) },
      down: { slice: randomInteger(random, 1, 40) },
    }),
    () => ({ down: { delay: randomInteger(random, 1, 30) } }),
    () => ({ down: { cutAfterBytes: bytes() } }),
    () => ({ up: { cutAfterBytes: bytes() } }),
    () => ({ down: { cutAfterFrames: frames() } }),
    () => ({ down: { resetAfterBytes: bytes() } }),
    () => ({ down: { halfCloseAfterFrames: frames() } }),
    () => ({ down: { stallAfterBytes: bytes() } }),
    () => ({ up: { stallAfterBytes: bytes() } }),
    () => ({ down: { dropResponse: frames() } }),
    () => ({ down: { duplicateResponse: frames() } }),
    // The first byte of the first header: later ones might lie inside a body.
    () => ({ down: { corruptByte: 0 } }),
  ];
  return () => faults[randomInteger(random, 0, faults.length - 1)]!();
}
