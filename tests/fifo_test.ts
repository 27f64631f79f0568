import { assertEquals, assertLess } from "@std/assert";
import { Fifo } from "../src/fifo.ts";
import { seeded } from "./support/frames.ts";
import { test } from "./support/test.ts";

function filled<T>(...items: T[]): Fifo<T> {
  const fifo = new Fifo<T>();
  for (const item of items) fifo.push(item);
  return fifo;
}

test("an empty queue returns undefined", () => {
  const fifo = new Fifo<number>();
  assertEquals([fifo.length, fifo.peek(), fifo.shift()], [0, undefined, undefined]);
  assertEquals(fifo.takeAll(), []);
  fifo.clear();
  fifo.filter(() => true);
  fifo.forEach(() => {
    throw new Error("there is no item");
  });
  assertEquals([fifo.length, fifo.shift()], [0, undefined]);
});

test("items leave in the order in which they were pushed", () => {
  const fifo = filled("a", "b");
  assertEquals([fifo.shift(), fifo.length], ["a", 1]);
  fifo.push("c");
  assertEquals([fifo.shift(), fifo.shift(), fifo.shift()], ["b", "c", undefined]);
  fifo.push("d");
  assertEquals([fifo.length, fifo.shift(), fifo.length], [1, "d", 0]);
});

test("peek() does not remove the item", () => {
  const fifo = filled(1, 2);
  assertEquals([fifo.peek(), fifo.peek(), fifo.length, fifo.shift()], [1, 1, 2, 1]);
  assertEquals(fifo.peek(), 2);
});

test("undefined is an item like any other", () => {
  const fifo = filled<number | undefined>(undefined, 1);
  assertEquals([fifo.length, fifo.shift(), fifo.length, fifo.shift()], [2, undefined, 1, 1]);
});

test("takeAll() removes and returns all items, in order", () => {
  const fifo = filled(1, 2, 3);
  fifo.shift();
  const items = fifo.takeAll();
  assertEquals([items, fifo.length, fifo.shift()], [[2, 3], 0, undefined]);
  fifo.push(4);
  assertEquals([items, fifo.takeAll()], [[2, 3], [4]]);
});

test("clear() removes all items", () => {
  const fifo = filled(1, 2, 3);
  fifo.shift();
  fifo.clear();
  assertEquals([fifo.length, fifo.peek(), fifo.shift()], [0, undefined, undefined]);
  fifo.push(4);
  assertEquals(fifo.shift(), 4);
});

test("filter() and forEach() visit only the remaining items, in order", () => {
  const fifo = filled(1, 2, 3, 4, 5);
  fifo.shift();
  const seen: number[] = [];
  fifo.filter((item) => {
    seen.push(item);
    return item % 2 === 1;
  });
  fifo.forEach((item) => seen.push(item));
  assertEquals(seen, [2, 3, 4, 5, 3, 5]);
  assertEquals([fifo.length, fifo.shift(), fifo.shift(), fifo.shift()], [2, 3, 5, undefined]);
});

test("any series of pushes and shifts behaves like an array", () => {
  const random = seeded(3);
  const fifo = new Fifo<number>();
  const array: number[] = [];
  for (let i = 0; i < 50_000; i++) {
    // Grows to some thousand items and back, over and over.
    if (random() < (i % 10_000 < 5_000 ? 0.8 : 0.25)) {
      fifo.push(i);
      array.push(i);
    } else {
      assertEquals(fifo.shift(), array.shift());
    }
    assertEquals(fifo.length, array.length);
    assertEquals(fifo.peek(), array[0]);
  }
  const seen: number[] = [];
  fifo.forEach((item) => seen.push(item));
  assertEquals(seen, array);
  assertEquals(fifo.takeAll(), array);
});

test("emptying a long queue does not copy it repeatedly", () => {
  const count = 200_000;
  const fifo = new Fifo<number>();
  for (let i = 0; i < count; i++) fifo.push(i);
  const copied = itemsCopiedBy(() => {
    for (let i = 0; i < count; i++) {
      if (fifo.shift() !== i) throw new Error(`item ${i} came at another place`);
    }
  });
  assertLess(copied, 2 * count);
});

test("a queue that is never empty does not keep removed items", () => {
  const fifo = filled(...Array.from({ length: 100 }, (_, i) => i));
  let longest = 0;
  const copied = itemsCopiedBy(() => {
    for (let i = 0; i < 100_000; i++) {
      fifo.push(i);
      fifo.shift();
    }
    assertEquals(fifo.takeAll().length, 100);
  }, (length) => longest = Math.max(longest, length));
  assertLess(longest, 3000);
  assertLess(copied, 100_000);
});

/** Counts the items that `Array.prototype.slice` copies, and tells the length of each array. */
function itemsCopiedBy(run: () => void, see: (length: number) => void = () => {}): number {
  const original = Array.prototype.slice;
  let copied = 0;
  Array.prototype.slice = function (this: unknown[], ...range: [number?, number?]): unknown[] {
    see(this.length);
    const copy = original.apply(this, range);
    copied += copy.length;
    return copy;
  };
  try {
    run();
  } finally {
    Array.prototype.slice = original;
  }
  return copied;
}
