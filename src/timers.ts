/**
 * Time: a clock that tests can replace, and what waits on it.
 *
 * @module
 */

/** Measures time and runs timers. */
export interface Clock {
  /** Milliseconds since some moment; monotonic. */
  now(): number;
  /**
   * Calls `action` once, after `delay` milliseconds. A background timer does not keep the process alive,
   * on runtimes that support it.
   */
  set(action: () => void, delay: number, background?: boolean): unknown;
  /** Cancels a timer. */
  clear(timer: unknown): void;
}

/** The runtime's clock. */
export const CLOCK: Clock = {
  now: () => performance.now(),
  set: (action, delay, background): unknown => {
    const timer: unknown = setTimeout(action, delay);
    if (background) (timer as { unref?: () => void }).unref?.();
    return timer;
  },
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** Milliseconds. Every runtime fires a longer timer at once. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** Resolves after so many milliseconds, or as soon as the signal aborts. Never rejects. */
export function sleep(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  const wake = (): void => {
    clock.clear(timer);
    signal.removeEventListener("abort", wake);
    resolve();
  };
  const timer = clock.set(wake, milliseconds);
  signal.addEventListener("abort", wake);
  return promise;
}

/** Options of a {@link DeadlineTimer}. */
export interface DeadlineTimerOptions {
  /** Changes while input is read. */
  readonly progress?: (() => number) | undefined;
  /** `true`: does not keep the process alive, on runtimes that support it. Default: `false`. */
  readonly background?: boolean | undefined;
}

/**
 * One timer for many deadlines.
 *
 * In a busy process a timer fires late, and before the runtime has read what arrived meanwhile. So the
 * timer first yields one turn for I/O, and further ones while they bring input, for as long as it was
 * late.
 */
export class DeadlineTimer {
  readonly #clock: Clock;
  readonly #onDue: (now: number) => number;
  readonly #progress: () => number;
  readonly #background: boolean;
  #timer: unknown;
  #dueAt = Infinity;

  /** `onDue` handles everything due at `now`, and returns the next deadline, or `Infinity`. */
  constructor(clock: Clock, onDue: (now: number) => number, options: DeadlineTimerOptions = {}) {
    const { progress = (): number => 0, background = false } = options;
    this.#clock = clock;
    this.#onDue = onDue;
    this.#progress = progress;
    this.#background = background;
  }

  /** Whether a deadline is set. */
  get isSet(): boolean {
    return this.#dueAt !== Infinity;
  }

  /** Sets a deadline, unless an earlier one is set. */
  set(deadline: number): void {
    if (deadline >= this.#dueAt) return;
    this.clear();
    this.#dueAt = deadline;
    this.#after(Math.max(0, deadline - this.#clock.now()), () => {
      const now = this.#clock.now();
      this.#yieldToInput(now, now + (now - deadline));
    });
  }

  /** Removes the deadline. */
  clear(): void {
    this.#clock.clear(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Infinity;
  }

  #yieldToInput(now: number, until: number): void {
    const before = this.#progress();
    this.#after(0, () => {
      if (this.#clock.now() < until && this.#progress() !== before) {
        this.#yieldToInput(now, until);
        return;
      }
      this.clear();
      this.set(this.#onDue(now));
    });
  }

  #after(delay: number, action: () => void): void {
    this.#timer = this.#clock.set(action, delay, this.#background);
  }
}

/** Options of a {@link StallTimer}. */
export interface StallTimerOptions {
  readonly clock: Clock;
  /** Milliseconds without progress. */
  readonly timeout: number;
  /** Changes with all progress; `undefined` while nothing is expected. */
  readonly progress: () => number | undefined;
  /** Called after `timeout` without progress. */
  readonly onStall: () => void;
  /** As in {@link DeadlineTimerOptions}. */
  readonly background?: boolean | undefined;
}

/** Detects that progress has stopped: compares once per `timeout`, instead of one timer per step. */
export class StallTimer {
  readonly #options: StallTimerOptions;
  readonly #timer: DeadlineTimer;
  #before: number | undefined;
  #stopped = false;

  constructor(options: StallTimerOptions) {
    this.#options = options;
    const { clock, background, progress } = options;
    this.#timer = new DeadlineTimer(clock, () => this.#compare(), {
      progress: () => progress() ?? -1,
      background,
    });
  }

  /** Starts, unless it runs or nothing is expected. */
  watch(): void {
    if (!this.#timer.isSet) this.#timer.set(this.#next());
  }

  /** Stops for good. */
  stop(): void {
    this.#stopped = true;
    this.#timer.clear();
  }

  #next(): number {
    this.#before = this.#stopped ? undefined : this.#options.progress();
    return this.#before === undefined
      ? Infinity
      : this.#options.clock.now() + this.#options.timeout;
  }

  #compare(): number {
    if (this.#options.progress() !== this.#before) return this.#next();
    this.#options.onStall();
    return Infinity;
  }
}
