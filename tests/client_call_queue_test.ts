import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { CallRequest } from "../src/client/call.ts";
import { CallQueue } from "../src/client/call_queue.ts";
import { DIALECT } from "../src/dialect.ts";
import { ConnectionError, LimitError, ProtocolError, TimeoutError } from "../src/errors.ts";
import type { JsonObject } from "../src/message/json.ts";
import { PayloadType } from "../src/wire/header.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";

const NO_PAYLOAD = new Uint8Array();

interface Kit {
  clock: FakeClock;
  queue: CallQueue;
  add(name: string, request?: Partial<CallRequest>): Promise<JsonObject>;
  answer(trackId: string, response?: JsonObject): void;
}

function kit(maxPending = 8): Kit {
  const clock = new FakeClock();
  const address = { host: "here", port: 1 };
  const options = { dialect: DIALECT, maxPending, maxPayload: 1000, address };
  const queue = new CallQueue(options, clock, () => 0);
  return {
    clock,
    queue,
    add: (name, request) =>
      queue.add({ name, version: 1, args: undefined, timeout: 100, ...request }),
    answer: (TrackId, Response = {}) =>
      queue.onResponse(PayloadType.ResponseOk, { TrackId, Response }, NO_PAYLOAD),
  };
}

function counts(queue: CallQueue): CallQueue["counts"] & { waiting: number; unanswered: number } {
  const { queued: waiting, inFlight: unanswered } = queue;
  return { ...queue.counts, waiting, unanswered };
}

const NOTHING = {
  sent: 0,
  answered: 0,
  failed: 0,
  late: 0,
  timedOut: 0,
  waiting: 0,
  unanswered: 0,
};

test("CallQueue dequeues the JSON of each call in the order of the calls", async () => {
  const { queue, add, answer } = kit();
  const calls = [add("A"), add("B", { args: '{"X":1}' }), add("C", { version: 7 })];
  assertStrictEquals(queue.dequeue(), '{"Command":"A","TrackId":"1","Version":1}');
  assertStrictEquals(
    queue.dequeue(),
    '{"Command":"B","TrackId":"2","Version":1,"Arguments":{"X":1}}',
  );
  assertStrictEquals(queue.dequeue(), '{"Command":"C","TrackId":"3","Version":7}');
  assertStrictEquals(queue.dequeue(), undefined);
  for (const id of ["1", "2", "3"]) answer(id, { id });
  assertEquals(await Promise.all(calls), [{ id: "1" }, { id: "2" }, { id: "3" }]);
  assertEquals(counts(queue), { ...NOTHING, sent: 3, answered: 3 });
});

test("CallQueue resolves a call whose response comes just before its timeout", async () => {
  const { clock, queue, add, answer } = kit();
  const call = add("A");
  queue.dequeue();
  clock.advance(99.9);
  answer("1", { in: "time" });
  clock.advance(1000);
  assertEquals(await call, { in: "time" });
  assertEquals(counts(queue), { ...NOTHING, sent: 1, answered: 1 });
});

for (const late of [0, 0.1, 1e6]) {
  test(`CallQueue drops a response that comes ${late} ms after the timeout`, async () => {
    const { clock, queue, add, answer } = kit();
    const call = add("A");
    const rejected = assertRejects(() => call, TimeoutError, "here:1 did not answer 'A'");
    queue.dequeue();
    clock.advance(100);
    assertStrictEquals((await rejected).message, "here:1 did not answer 'A' within 100 ms");
    assertStrictEquals((await rejected).timeout, 100);
    clock.advance(late);
    assertStrictEquals(queue.inFlight, 1);
    answer("1");
    assertEquals(counts(queue), { ...NOTHING, sent: 1, timedOut: 1, late: 1 });
  });
}

test("CallQueue reports that a call which timed out unsent could not be sent", async () => {
  const { clock, queue, add } = kit();
  const call = add("A");
  const rejected = assertRejects(() => call, TimeoutError);
  clock.advance(100);
  assertStrictEquals(
    (await rejected).message,
    "Command 'A' could not be sent to here:1 within 100 ms",
  );
  assertStrictEquals(queue.dequeue(), undefined);
  assertEquals(counts(queue), { ...NOTHING, timedOut: 1 });
});

test("CallQueue resolves the next call with its own response after a timeout", async () => {
  const { clock, queue, add, answer } = kit();
  const first = assertRejects(() => add("A", { timeout: 10 }), TimeoutError);
  const second = add("B");
  queue.dequeue();
  queue.dequeue();
  clock.advance(10);
  await first;
  answer("1", { of: "A" });
  answer("2", { of: "B" });
  assertEquals(await second, { of: "B" });
  assertEquals(counts(queue), { ...NOTHING, sent: 2, answered: 1, timedOut: 1, late: 1 });
});

test("CallQueue times out each call at its own time, whatever the order of their timeouts", async () => {
  const { clock, queue, add } = kit();
  const out: string[] = [];
  const waits = Object.entries({ A: 300, B: 100, C: 200, D: 100 }).map(([name, timeout]) =>
    add(name, { timeout }).catch(() => out.push(`${name} at ${clock.now()}`))
  );
  for (let i = 0; i < 4; i++) {
    clock.advance(100);
    await Promise.resolve();
    await Promise.resolve();
  }
  await Promise.all(waits);
  assertEquals(out, ["B at 100", "D at 100", "C at 200", "A at 300"]);
  assertStrictEquals(clock.timers, 0);
  assertStrictEquals(queue.counts.timedOut, 4);
});

test("CallQueue uses one timer for any number of calls, and none after the end", async () => {
  const { clock, queue, add } = kit(1000);
  const calls = Array.from({ length: 1000 }, (_, i) => add("A", { timeout: 5000 - i }));
  assertStrictEquals(clock.timers, 1);
  const settled = Promise.allSettled(calls);
  queue.dequeue();
  const cause = new ConnectionError("connection-reset", "Gone");
  queue.rejectInFlight(cause);
  queue.rejectQueued(cause);
  const sent = (await settled).map((result) => (result as PromiseRejectedResult).reason.sent);
  assertEquals(sent, [true, ...Array(999).fill(false)]);
  assertStrictEquals(clock.timers, 0);
  assertEquals(counts(queue), { ...NOTHING, sent: 1 });
});

test("CallQueue rejects every call with the right 'sent' when the connection ends", async () => {
  const { queue, add } = kit();
  const [sent, unsent] = [add("A"), add("B")].map((call) => assertRejects(() => call));
  queue.dequeue();
  const cause = new ProtocolError("bad-marker", "Cannot", { expected: "this", received: "that" });
  queue.rejectInFlight(cause);
  queue.rejectQueued(cause);
  assertStrictEquals(await sent, cause);
  const error = await unsent as ConnectionError;
  assert(error instanceof ConnectionError);
  assertEquals([error.code, error.sent, error.cause], ["connection-closed", false, cause]);
  assertStrictEquals(error.message, `Command 'B' was not sent: ${cause.message}`);
});

test("CallQueue counts abandoned calls against maxPending only if they were sent", async () => {
  const { clock, queue, add, answer } = kit(2);
  const gone = [add("A"), add("B")].map((call) => assertRejects(() => call, TimeoutError));
  queue.dequeue();
  clock.advance(100);
  await Promise.all(gone);
  const third = add("C");
  await assertRejects(() => add("D"), LimitError, "Cannot send command 'D' as 'maxPending' (2)");
  queue.dequeue();
  answer("1");
  answer("3", { of: "C" });
  assertEquals(await third, { of: "C" });
});

test("CallQueue does not keep abandoned calls while nothing is dequeued", async () => {
  const { queue, add } = kit(100_000);
  const kept = add("Kept");
  for (let round = 0; round < 50; round++) {
    const controller = new AbortController();
    const calls = Array.from({ length: 100 }, () => add("Gone", { signal: controller.signal }));
    const settled = Promise.allSettled(calls);
    controller.abort();
    await settled;
    assertStrictEquals(queue.queued, 1);
  }
  assertStrictEquals(queue.dequeue(), '{"Command":"Kept","TrackId":"1","Version":1}');
  assertStrictEquals(queue.dequeue(), undefined);
  assertStrictEquals(queue.queued, 0);
  queue.onResponse(PayloadType.ResponseOk, {}, NO_PAYLOAD);
  assertEquals(await kept, {});
});

test("CallQueue keeps its counts right for any sequence of calls, aborts and responses", () => {
  const { queue, add, answer } = kit(100_000);
  const waiting: { id: number; abort: AbortController; gone: boolean }[] = [];
  const line: string[] = [];
  let seed = 42;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  let id = 0;
  for (let step = 0; step < 5000; step++) {
    const choice = random(8);
    if (choice < 4) {
      const abort = new AbortController();
      add("A", { signal: abort.signal }).catch(() => {});
      waiting.push({ id: ++id, abort, gone: false });
    } else if (choice < 6 && waiting.length > 0) {
      const call = waiting[random(waiting.length)]!;
      call.gone = true;
      call.abort.abort();
    } else if (choice === 6) {
      const next = waiting.findIndex(({ gone }) => !gone);
      const taken = next < 0 ? undefined : waiting.splice(0, next + 1).at(-1);
      assertStrictEquals(queue.dequeue()?.match(/"TrackId":"(\d+)"/)?.[1], taken?.id.toString());
      if (taken) line.push(String(taken.id));
    } else if (line.length > 0) {
      answer(line.shift()!);
    }
    assertStrictEquals(queue.queued, waiting.filter(({ gone }) => !gone).length, `step ${step}`);
    assertStrictEquals(queue.inFlight, line.length);
  }
  queue.rejectQueued(new ConnectionError("connection-closed", "End"));
  queue.rejectInFlight(new ConnectionError("connection-closed", "End"));
});
