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

/**
 * A bounded queue that keeps a press until the broker has acknowledged it.
 *
 * - If it is full, the oldest waiting press is dropped.
 * - A press that is older than `maxAge` is not sent, and not sent again.
 */
export class PressQueue {
  /** Presses that the broker has acknowledged. */
  sent = 0;
  /** Presses dropped as too many waited, or as the broker refused them. */
  dropped = 0;
  /** Presses dropped as they were too old to be sent. */
  expired = 0;
  readonly #options: { limit: number; maxAge: number; now: () => number };
  #waiting: Press[] = [];
  readonly #inFlight = new Set<Press>();

  constructor(options: { limit: number; maxAge: number; now: () => number }) {
    this.#options = options;
  }

  /** Presses that wait or are in flight. */
  get size(): number {
    return this.#waiting.length + this.#inFlight.size;
  }

  add(topic: string, payload: string): void {
    this.#waiting.push({ topic, payload, at: this.#options.now() });
    if (this.size <= this.#options.limit || this.#waiting.length === 1) return;
    this.#waiting.shift();
    this.dropped++;
  }

  /** The next press to send, with the milliseconds that it has left. */
  next(): { press: Press; left: number } | undefined {
    const { maxAge, now } = this.#options;
    for (let press = this.#waiting.shift(); press; press = this.#waiting.shift()) {
      const left = press.at + maxAge - now();
      if (left > 0) {
        this.#inFlight.add(press);
        return { press, left };
      }
      this.expired++;
    }
    return undefined;
  }

  /** The broker has acknowledged a press. */
  acknowledge(press: Press): void {
    if (this.#inFlight.delete(press)) this.sent++;
  }

  /** The broker refuses a press. */
  refuse(press: Press): void {
    if (this.#inFlight.delete(press)) this.dropped++;
  }

  /** The connection is lost: presses in flight wait again, in their old order. */
  requeue(): void {
    this.#waiting = [...this.#inFlight, ...this.#waiting];
    this.#inFlight.clear();
  }
}
