/**
 * A queue.
 *
 * @module
 */

// Maximum length of an emptied array that is kept for reuse.
const KEPT_PLACES = 1024;

/** First in, first out, in amortized constant time; `Array.shift()` is linear. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;
  #tail = 0;

  /** Number of items. */
  get length(): number {
    return this.#tail - this.#head;
  }

  /** Adds an item at the end. */
  push(item: T): void {
    this.#items[this.#tail++] = item;
  }

  /** Returns the first item without removing it. */
  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Removes and returns the first item. */
  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#tail) this.#reuse();
    else if (this.#head >= KEPT_PLACES && this.#head * 2 >= this.#tail) this.#put(this.#rest());
    return item;
  }

  /** Removes and returns all items, in order. */
  takeAll(): T[] {
    const items = this.#rest();
    this.clear();
    return items;
  }

  /** Removes all items. */
  clear(): void {
    this.#put([]);
  }

  /** Keeps only the items that pass, in order. */
  filter(keep: (item: T) => boolean): void {
    this.#put(this.#rest().filter(keep));
  }

  /** Calls `visit` for every item, in order. */
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

  /** Reuses the array: truncating it would cost more. */
  #reuse(): void {
    if (this.#items.length > KEPT_PLACES) this.#items = [];
    this.#head = 0;
    this.#tail = 0;
  }
}
