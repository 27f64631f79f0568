/**
 * Fair timing: all variants take turns in each round and ratios are computed per round, so a machine
 * that slows down affects all variants. The result is the median of the ratios.
 */

/** One way to do the work. */
export interface Variant {
  readonly name: string;
  /** Does some of the work; returns how many units (messages, commands, bytes). */
  readonly pass: () => number | Promise<number>;
  /** Whether a pass was stopped early, which makes its figure too good. */
  readonly stopped?: boolean;
}

/** How long to measure. */
export interface Pace {
  readonly rounds: number;
  /** Minimum duration of one turn of one variant, in milliseconds. */
  readonly turn: number;
}

/** Enough for stable ratios. */
export const FULL: Pace = { rounds: 9, turn: 20 };
/** Runs everything once. */
export const SMOKE: Pace = { rounds: 1, turn: 0 };

/** Nanoseconds per unit by variant, one number per round. */
export class Times {
  /** The variants that were stopped early. */
  readonly stopped: Set<string> = new Set();
  readonly #rounds = new Map<string, number[]>();

  /** Adds the figure of one round. */
  add(name: string, nanoseconds: number): void {
    const rounds = this.#rounds.get(name);
    if (rounds === undefined) this.#rounds.set(name, [nanoseconds]);
    else rounds.push(nanoseconds);
  }

  /** Whether a variant was measured. */
  has(name: string): boolean {
    return this.#rounds.has(name);
  }

  /** Names in the order of their first turn. */
  get names(): string[] {
    return [...this.#rounds.keys()];
  }

  /** Median time of a variant. */
  of(name: string): number {
    return median(this.#get(name));
  }

  /** Time of `other` divided by the time of `one`: the median over the rounds. */
  ratio(other: string, one: string): number {
    const base = this.#get(one);
    return median(this.#get(other).map((time, round) => time / base[round]!));
  }

  /** Interquartile range over the median. */
  spread(name: string): number {
    const sorted = this.#get(name).toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)]!;
    return (at(0.75) - at(0.25)) / median(sorted);
  }

  #get(name: string): number[] {
    const rounds = this.#rounds.get(name);
    if (rounds === undefined) throw new RangeError(`Unknown variant '${name}'`);
    return rounds;
  }
}

/** Measures the variants in turns; the first one changes from round to round. */
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
  for (const { name, stopped } of variants) if (stopped) times.stopped.add(name);
  return times;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Runs a variant until it is compiled; returns how many passes fill a turn. */
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
    // Awaiting plain numbers would slow the fast variants more than the slow ones.
    units += typeof done === "number" ? done : await done;
  }
  return { nanoseconds: (performance.now() - start) * 1e6, units };
}
