import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { EventQueue, type QueueTotals, type SubscribeOptions } from "../src/client/subscription.ts";
import { LimitError } from "../src/errors.ts";
import { test } from "./support/test.ts";

interface Kit {
  subscription: EventQueue<number>;
  /** How often the client was notified that the reader has ended. */
  left: () => number;
  totals: QueueTotals;
}

function kit(options: SubscribeOptions = {}): Kit {
  let left = 0;
  const totals = { waiting: 0, dropped: 0 };
  const subscription = new EventQueue<number>({ buffer: 3, ...options }, totals, () => {
    left++;
    return Promise.resolve();
  });
  return { subscription, left: () => left, totals };
}

function push(subscription: EventQueue<number>, ...events: number[]): void {
  for (const event of events) subscription.onEvent(event);
}

/** Reads the buffered events. */
async function drain(subscription: EventQueue<number>): Promise<(number | undefined)[]> {
  const events = [];
  while (subscription.waiting > 0) events.push((await subscription.next()).value);
  return events;
}

test("EventQueue buffers events in order until they are read", async () => {
  const { subscription } = kit();
  push(subscription, 1, 2, 3);
  assertStrictEquals(subscription.waiting, 3);
  assertEquals(await drain(subscription), [1, 2, 3]);
  assertStrictEquals(subscription.dropped, 0);
});

test("EventQueue resolves several pending next() in the order of the calls", async () => {
  const { subscription } = kit();
  const reads = [subscription.next(), subscription.next(), subscription.next()];
  push(subscription, 1, 2, 3, 4);
  assertEquals((await Promise.all(reads)).map(({ value }) => value), [1, 2, 3]);
  assertEquals(await drain(subscription), [4]);
});

const OVERFLOWS = [
  { overflow: "drop-oldest", pushed: 3, kept: [1, 2, 3], dropped: 0 },
  { overflow: "drop-oldest", pushed: 4, kept: [2, 3, 4], dropped: 1 },
  { overflow: "drop-oldest", pushed: 10, kept: [8, 9, 10], dropped: 7 },
  { overflow: "keep-latest", pushed: 3, kept: [1, 2, 3], dropped: 0 },
  { overflow: "keep-latest", pushed: 4, kept: [4], dropped: 3 },
  { overflow: "keep-latest", pushed: 10, kept: [10], dropped: 9 },
  { overflow: "fail", pushed: 3, kept: [1, 2, 3], dropped: 0 },
] as const;

for (const { overflow, pushed, kept, dropped } of OVERFLOWS) {
  test(`EventQueue with '${overflow}' keeps ${kept} of ${pushed} events`, async () => {
    const { subscription } = kit({ overflow });
    for (let i = 1; i <= pushed; i++) subscription.onEvent(i);
    assertEquals(await drain(subscription), [...kept]);
    assertStrictEquals(subscription.dropped, dropped);
  });
}

test("EventQueue with 'fail' ends with a LimitError after the buffered events", async () => {
  const { subscription, left } = kit({ overflow: "fail" });
  push(subscription, 1, 2, 3, 4, 5);
  assertStrictEquals(subscription.ended, true);
  assertStrictEquals(left(), 1);
  assertEquals(await drain(subscription), [1, 2, 3]);
  const error = await assertRejects(() => subscription.next(), LimitError, "'buffer' (3)");
  assertEquals([error.limit, error.max], ["buffer", 3]);
  assertEquals(await subscription.next(), { done: true, value: undefined });
  await subscription.return();
  assertStrictEquals(left(), 1);
});

test("EventQueue calls onOverflow once, and again after the buffer was drained", async () => {
  for (const overflow of ["drop-oldest", "keep-latest"] as const) {
    const reported: number[] = [];
    const { subscription } = kit({ overflow, buffer: 2, onOverflow: (n) => reported.push(n) });
    push(subscription, 1, 2, 3, 4, 5, 6, 7);
    await Promise.resolve();
    assertStrictEquals(reported.length, 1, overflow);
    await subscription.next();
    push(subscription, 8, 9, 10);
    await Promise.resolve();
    // Reading one event while another is buffered does not drain the buffer.
    assertStrictEquals(reported.length, overflow === "drop-oldest" ? 1 : 2, overflow);
    await drain(subscription);
    const before = reported.length;
    push(subscription, 1, 2, 3);
    await Promise.resolve();
    assertStrictEquals(reported.length, before + 1, overflow);
    assertStrictEquals(reported.at(-1), subscription.dropped);
  }
});

test("return() wakes every pending reader, and notifies the client once", async () => {
  const { subscription, left } = kit();
  const reads = [subscription.next(), subscription.next()];
  const end = { done: true, value: undefined } as const;
  assertEquals(await subscription.return(), end);
  assertEquals(await Promise.all(reads), [end, end]);
  assertEquals(await subscription.next(), end);
  await subscription.unsubscribe();
  await subscription[Symbol.asyncDispose]();
  assertStrictEquals(left(), 1);
});

test("return() drops the buffered events, and later ones", async () => {
  const { subscription } = kit();
  push(subscription, 1, 2);
  await subscription.return();
  push(subscription, 3);
  assertStrictEquals(subscription.waiting, 0);
  assertEquals(await subscription.next(), { done: true, value: undefined });
});

test("EventQueue yields the buffered events before its end, with or without an error", async () => {
  const finished = kit().subscription;
  push(finished, 1);
  finished.onEnd();
  assertEquals(await finished.next(), { done: false, value: 1 });
  assertEquals(await finished.next(), { done: true, value: undefined });

  const failed = kit().subscription;
  push(failed, 1);
  failed.onEnd(new Error("gone"));
  failed.onEnd(new Error("again"));
  assertEquals(await failed.next(), { done: false, value: 1 });
  await assertRejects(() => failed.next(), Error, "gone");
  assertEquals(await failed.next(), { done: true, value: undefined });
});

test("EventQueue rejects one pending reader on failure and ends the others", async () => {
  const { subscription } = kit();
  const reads = [1, 2, 3].map(() => subscription.next());
  subscription.onEnd(new Error("gone"));
  const [first, ...others] = await Promise.allSettled(reads);
  assertStrictEquals(first?.status, "rejected");
  for (const other of others) {
    assertEquals(other, { status: "fulfilled", value: { done: true, value: undefined } });
  }
});

test("EventQueue resolves ready when the server has accepted", async () => {
  const { subscription } = kit();
  const order: string[] = [];
  const ready = subscription.ready.then(() => order.push("ready"));
  await Promise.resolve();
  order.push("accept");
  subscription.onAccepted();
  await ready;
  assertEquals(order, ["accept", "ready"]);
  await subscription.return();
  await subscription.ready;
});

test("EventQueue rejects ready with the error that ended it", async () => {
  const { subscription } = kit();
  subscription.onEnd(new Error("refused"));
  await assertRejects(() => subscription.ready, Error, "refused");
});

test("EventQueue ends with the reason of its signal, without the buffered events", async () => {
  const controller = new AbortController();
  const { subscription, left } = kit({ signal: controller.signal });
  push(subscription, 1);
  controller.abort(new Error("enough"));
  assertStrictEquals(left(), 1);
  assertStrictEquals(subscription.waiting, 0);
  await assertRejects(() => subscription.next(), Error, "enough");
  assertEquals(await subscription.next(), { done: true, value: undefined });
});

test("EventQueue with an aborted signal has ended", async () => {
  const { subscription } = kit({ signal: AbortSignal.abort(new Error("before")) });
  assertStrictEquals(subscription.ended, true);
  await assertRejects(() => subscription.next(), Error, "before");
});

test("EventQueue leaves no listener on its signal, however it ends", async () => {
  const ends: ((subscription: EventQueue<number>) => unknown)[] = [
    (subscription) => subscription.return(),
    (subscription) => subscription.onEnd(),
    (subscription) => subscription.onEnd(new Error("gone")),
    (subscription) => push(subscription, 1, 2, 3, 4),
  ];
  for (const end of ends) {
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => listeners++;
    signal.removeEventListener = () => listeners--;
    const { subscription } = kit({ signal, overflow: "fail" });
    assertStrictEquals(listeners, 1);
    await end(subscription);
    assertStrictEquals(listeners, 0, `${end}`);
  }
});

test("EventQueue adds buffered and dropped events to its totals, and none after it has ended", async () => {
  const { subscription, totals } = kit();
  push(subscription, 1, 2, 3, 4);
  assertEquals(totals, { waiting: 3, dropped: 1 });
  await subscription.next();
  assertEquals(totals, { waiting: 2, dropped: 1 });
  subscription.onEnd();
  assertEquals(totals, { waiting: 0, dropped: 1 });
  assertEquals(await drain(subscription), [3, 4]);
  assertEquals(totals, { waiting: 0, dropped: 1 });
});

for (const overflow of ["drop-oldest", "keep-latest"] as const) {
  test(`EventQueue gives a reader that onOverflow adds the next event, with ${overflow}`, async () => {
    const read: Promise<IteratorResult<number, undefined>>[] = [];
    const { subscription, totals } = kit({
      buffer: 1,
      overflow,
      onOverflow: () => read.push(subscription.next()),
    });
    push(subscription, 1, 2, 3);
    assertEquals((await Promise.all(read)).map(({ value }) => value), [2]);
    assertEquals(await drain(subscription), [3]);
    assertEquals(totals, { waiting: 0, dropped: 1 });
  });
}
