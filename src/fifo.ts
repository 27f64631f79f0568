/**
 * A queue whose ends are both quick.
 *
 * @module
 */

// Up to so many places are kept for the next items.
const KEPT_PLACES = 1024;

/** First in, first out, in amortized constant time. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;

  /** How many items wait. */
  get length(): number {
    return this.#tail - this.#head;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items[this.#tail++] = item;
  }

  /** The first item, left in its place. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Takes the first item. */
  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#tail) this.#startOver();
    else if (this.#head >= KEPT_PLACES && this.#head * 2 >= this.#tail) this.#put(this.#rest());
    return item;
  }

  /** Takes all items, in their order. */
  takeAll(): T[] {
    const items = this.#rest();
    this.clear();
    return items;
  }

  /** Lets go of all items. */
  clear(): void {
    this.#put([]);
  }

  /** Keeps only the items that pass, in their order. */
  filter(keep: (item: T) => boolean): void {
    this.#put(this.#rest().filter(keep));
  }

  /** Calls `visit` for every item, in their order. */
  forEach(visit: (item: T) => void): void {
    for (let i = this.#head; i < this.#tail; i++) visit(this.#items[i] as T);
  }

  #rest(): T[] {
    return this.#items.slice(this.#head, this.#tail) as T[];
  }

  #put(items: T[]): void {
    this.#items = items;
    this.#head = 0;
    this.#tail = items.length;
  }

  /** To shorten an array costs more than to go on in it. */
  #startOver(): void {
    if (this.#items.length > KEPT_PLACES) this.#items = [];
    this.#head = 0;
    this.#tail = 0;
  }
}
