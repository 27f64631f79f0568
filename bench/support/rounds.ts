/**
 * Takes times fairly: in every round each variant has its turn, and ratios are taken round by round,
 * so that a machine that slows down slows all of them. The median of the ratios is what counts.
 */

/** One way to do the work. */
export interface Variant {
  readonly name: string;
  /** Does some of the work and tells how many units (messages, commands, bytes) it did. */
  readonly pass: () => number | Promise<number>;
  /** Whether a pass had to be cut off, which makes its figure too good. */
  readonly wasCut?: boolean;
}

/** How long to look. */
export interface Pace {
  readonly rounds: number;
  /** What one turn of one variant takes, in milliseconds, unless a single pass takes longer. */
  readonly turn: number;
}

/** Enough for ratios that hold; several seconds for each set of variants with many members. */
export const FULL: Pace = { rounds: 9, turn: 20 };
/** Enough to see that everything runs. */
export const SMOKE: Pace = { rounds: 1, turn: 0 };

/** Nanoseconds per unit, by variant, one number a round. */
export class Times {
  /** The variants with a figure that is too good, as a pass was cut off. */
  readonly cut: Set<string> = new Set();
  readonly #rounds = new Map<string, number[]>();

  /** Adds a round's figure. */
  add(name: string, nanoseconds: number): void {
    const rounds = this.#rounds.get(name);
    if (rounds === undefined) this.#rounds.set(name, [nanoseconds]);
    else rounds.push(nanoseconds);
  }

  /** Whether a variant has taken part. */
  has(name: string): boolean {
    return this.#rounds.has(name);
  }

  /** The names, in the order of their first turn. */
  get names(): string[] {
    return [...this.#rounds.keys()];
  }

  /** The median of a variant. */
  of(name: string): number {
    return median(this.#get(name));
  }

  /** How many times the time of `one` the time of `other` is: the median of the rounds' ratios. */
  ratio(other: string, one: string): number {
    const base = this.#get(one);
    return median(this.#get(other).map((time, round) => time / base[round]!));
  }

  /** The distance of the quartiles over the median. */
  spread(name: string): number {
    const sorted = this.#get(name).toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)]!;
    return (at(0.75) - at(0.25)) / median(sorted);
  }

  #get(name: string): number[] {
    const rounds = this.#rounds.get(name);
    if (rounds === undefined) throw new RangeError(`There is no variant '${name}'`);
    return rounds;
  }
}

/** Lets the variants take turns; who begins changes from round to round. */
export async function takeTurns(variants: readonly Variant[], pace: Pace): Promise<Times> {
  const times = new Times();
  const passes: number[] = [];
  for (const variant of variants) passes.push(await warmUp(variant, pace));
  for (let round = 0; round < pace.rounds; round++) {
    for (let i = 0; i < variants.length; i++) {
      const turn = (round + i) % variants.length;
      const variant = variants[turn]!;
      const { nanoseconds, units } = await time(variant, passes[turn]!);
      times.add(variant.name, nanoseconds / units);
    }
  }
  for (const { name, wasCut } of variants) if (wasCut) times.cut.add(name);
  return times;
}

/** The middle one, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Runs a variant until it is quick, and finds how many passes fill a turn. */
async function warmUp(variant: Variant, { turn }: Pace): Promise<number> {
  for (let passes = 1;; passes *= 2) {
    const { nanoseconds } = await time(variant, passes);
    const milliseconds = nanoseconds / 1e6;
    if (milliseconds >= turn) return Math.max(1, Math.round(passes * turn / milliseconds));
  }
}

async function time(
  { pass }: Variant,
  passes: number,
): Promise<{ nanoseconds: number; units: number }> {
  let units = 0;
  const start = performance.now();
  for (let i = 0; i < passes; i++) {
    const done = pass();
    // Awaiting what is no promise would cost the quick variants more than it costs the slow ones.
    units += typeof done === "number" ? done : await done;
  }
  return { nanoseconds: (performance.now() - start) * 1e6, units };
}
