/**
 * Button presses on their way to the broker.
 *
 * @module
 */

/** A message about a press. */
export interface Press {
  readonly topic: string;
  readonly payload: string;
  /** When it happened, on the clock of the queue. */
  readonly at: number;
}

/** What a queue has done so far. */
export interface PressStats {
  /** Presses that the broker has acknowledged. */
  readonly sent: number;
  /** Presses dropped as too many waited. */
  readonly dropped: number;
  /** Presses dropped as they were too old to be sent. */
  readonly expired: number;
}

/**
 * A bounded queue that keeps a press until the broker has acknowledged it.
 *
 * - If it is full, the oldest waiting press is dropped.
 * - A press that is older than `maxAge` is not sent, and not sent again.
 */
export class PressQueue {
  readonly #limit: number;
  readonly #maxAge: number;
  readonly #now: () => number;
  #waiting: Press[] = [];
  readonly #inFlight = new Set<Press>();
  #sent = 0;
  #dropped = 0;
  #expired = 0;

  constructor(options: { limit: number; maxAge: number; now: () => number }) {
    this.#limit = options.limit;
    this.#maxAge = options.maxAge;
    this.#now = options.now;
  }

  /** Presses that wait or are in flight. */
  get size(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  add(topic: string, payload: string): void {
    this.#waiting.push({ topic, payload, at: this.#now() });
    if (this.size <= this.#limit || this.#waiting.length === 1) return;
    this.#waiting.shift();
    this.#dropped++;
  }

  /** The next press to send, with the milliseconds that it has left. */
  next(): { press: Press; left: number } | undefined {
    for (;;) {
      const press = this.#waiting.shift();
      if (press === undefined) return undefined;
      const left = press.at + this.#maxAge - this.#now();
      if (left > 0) {
        this.#inFlight.add(press);
        return { press, left };
      }
      this.#expired++;
    }
  }

  /** The broker has acknowledged a press. */
  acknowledge(press: Press): void {
    if (this.#inFlight.delete(press)) this.#sent++;
  }

  /** The broker refuses a press. */
  refuse(press: Press): void {
    if (this.#inFlight.delete(press)) this.#dropped++;
  }

  /** The connection is lost: presses in flight wait again, in their old order. */
  requeue(): void {
    this.#waiting = [...this.#inFlight, ...this.#waiting];
    this.#inFlight.clear();
  }

  stats(): PressStats {
    return { sent: this.#sent, dropped: this.#dropped, expired: this.#expired };
  }
}
