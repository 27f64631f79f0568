/** The round trips of the last two minutes. */

/** How long the strip reaches back, in milliseconds. */
export const STRIP_SPAN = 120_000;

/** One measurement. */
export interface RoundTrip {
  /** When it was measured, on the clock of `performance.now()`. */
  readonly at: number;
  /** Milliseconds; `undefined` if there was no answer. */
  readonly value: number | undefined;
}

/** Keeps what is younger than {@link STRIP_SPAN}. */
export class RoundTrips {
  readonly #trips: RoundTrip[] = [];

  /** The measurements, the oldest first. */
  get all(): readonly RoundTrip[] {
    return this.#trips;
  }

  /** The newest value, if the newest measurement had an answer. */
  get newest(): number | undefined {
    return this.#trips.at(-1)?.value;
  }

  add(trip: RoundTrip): void {
    this.#trips.push(trip);
    while (this.#trips[0]!.at < trip.at - STRIP_SPAN) this.#trips.shift();
  }

  /** The value that a share of the measurements stays below; `undefined` without any. */
  quantile(share: number): number | undefined {
    const values = this.#trips.flatMap(({ value }) => value ?? []).sort((a, b) => a - b);
    return values[Math.min(values.length - 1, Math.floor(values.length * share))];
  }
}

/** The smallest of 1, 2, 5, 10, 20, … that is not below the value: an axis that rarely changes. */
export function axisTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= value) ?? 10 * power;
}
