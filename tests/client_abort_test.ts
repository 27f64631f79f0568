import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { EventFilter } from "../mod.ts";
import { echo, mute, ok, turn, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const TOPIC: EventFilter = { publisher: "P", topic: "T", deviceId: 1 };

test("call() rejects with the reason of an aborted signal, and sends nothing", () =>
  withScripted(echo, async (rcsp, server) => {
    const signal = AbortSignal.abort("enough");
    assertStrictEquals(await rcsp.call("A", {}, { signal }).catch((error) => error), "enough");
    await rcsp.call("B");
    assertEquals(server.names, ["B"]);
  }));

test("a call that is aborted in the same turn is never sent", () =>
  withScripted(echo, async (rcsp, server) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const [first, gone, last] = [
      rcsp.call("First"),
      rcsp.call("Gone", {}, { signal: controller.signal }),
      rcsp.call("Last"),
    ];
    controller.abort(reason);
    assertStrictEquals(await assertRejects(() => gone), reason);
    await Promise.all([first, last]);
    assertEquals(server.names, ["First", "Last"]);
    assertEquals([rcsp.stats().late, rcsp.stats().sent], [0, 2]);
  }));

test("a call that is aborted behind a pending write is never sent", () =>
  withScripted(echo, async (rcsp, server) => {
    server.tap.holdWrites();
    const first = rcsp.call("First");
    await turn();
    const controller = new AbortController();
    const gone = assertRejects(() => rcsp.call("Gone", {}, { signal: controller.signal }));
    const last = rcsp.call("Last");
    controller.abort();
    await gone;
    assertStrictEquals(rcsp.stats().queued, 1);
    server.tap.releaseWrites();
    assertEquals((await first)["name"], "First");
    assertEquals((await last)["name"], "Last");
    assertEquals(server.names, ["First", "Last"]);
  }));

test("a call that is aborted during its own write keeps its place in the queue", () =>
  withScripted(echo, async (rcsp, server) => {
    server.tap.holdWrites();
    const controller = new AbortController();
    const gone = assertRejects(() => rcsp.call("Gone", {}, { signal: controller.signal }));
    await turn();
    assertStrictEquals(server.tap.writes.length, 1);
    controller.abort();
    await gone;
    const next = rcsp.call("Next");
    server.tap.releaseWrites();
    assertEquals(await next, { name: "Next", id: "2" });
    assertEquals(server.names, ["Gone", "Next"]);
    assertStrictEquals(rcsp.stats().late, 1);
  }));

test("the response to a call that was aborted after it was sent is dropped", () =>
  withScripted(mute, async (rcsp, server) => {
    const controller = new AbortController();
    const gone = assertRejects(() => rcsp.call("Gone", {}, { signal: controller.signal }));
    const next = rcsp.call("Next");
    await server.until(2);
    controller.abort();
    await gone;
    assertStrictEquals(rcsp.stats().inFlight, 2);
    server.send(ok({ trackId: "1" }, { of: "Gone" }), ok({ trackId: "2" }, { of: "Next" }));
    assertEquals(await next, { of: "Next" });
    assertStrictEquals(rcsp.stats().late, 1);
  }));

test("an abort between the halves of a response drops that response only", () =>
  withScripted(mute, async (rcsp, server) => {
    const controller = new AbortController();
    const gone = assertRejects(() => rcsp.call("Gone", {}, { signal: controller.signal }));
    const next = rcsp.call("Next");
    await server.until(2);
    const answer = ok({ trackId: "1" }, { of: "Gone" });
    server.send(answer.subarray(0, 11));
    await turn();
    controller.abort();
    await gone;
    server.send(answer.subarray(11), ok({ trackId: "2" }, { of: "Next" }));
    assertEquals(await next, { of: "Next" });
  }));

test("an abort after the response changes nothing", () =>
  withScripted(echo, async (rcsp) => {
    const controller = new AbortController();
    const { signal } = controller;
    assertEquals(await rcsp.call("A", {}, { signal }), { name: "A", id: "1" });
    controller.abort();
    assertEquals(await rcsp.call("B"), { name: "B", id: "2" });
    assertStrictEquals(rcsp.stats().late, 0);
  }));

test("a signal shared by 10,000 calls has no listener left after them", () => {
  const { signal } = new AbortController();
  const counts = { added: 0, removed: 0 };
  const { addEventListener: add, removeEventListener: remove } = signal;
  signal.addEventListener = (...args: unknown[]): void => {
    counts.added++;
    Reflect.apply(add, signal, args);
  };
  signal.removeEventListener = (...args: unknown[]): void => {
    counts.removed++;
    Reflect.apply(remove, signal, args);
  };
  return withScripted(echo, async (rcsp) => {
    const calls = Array.from({ length: 10_000 }, () => rcsp.call("A", undefined, { signal }));
    assertStrictEquals(counts.added, 10_000);
    await Promise.all(calls);
    assertStrictEquals(counts.removed, 10_000);
  }, { maxPending: 10_000 });
});

test("one abort rejects 1,000 calls, sent and unsent, with its reason", () =>
  withScripted(mute, async (rcsp, server) => {
    const controller = new AbortController();
    const { signal } = controller;
    const sent = Array.from({ length: 500 }, () => rcsp.call("Sent", undefined, { signal }));
    await server.until(500);
    const unsent = Array.from({ length: 500 }, () => rcsp.call("Unsent", undefined, { signal }));
    const settled = Promise.allSettled([...sent, ...unsent]);
    controller.abort("enough");
    for (const result of await settled) {
      assertEquals(result, { status: "rejected", reason: "enough" });
    }
    assertEquals([rcsp.stats().queued, rcsp.stats().inFlight], [0, 500]);
    await turn();
    assertStrictEquals(server.received.length, 500);
  }));

test("AbortSignal.timeout() works as the signal of a call", () =>
  withScripted(mute, async (rcsp) => {
    const error = await assertRejects(
      () => rcsp.call("A", {}, { signal: AbortSignal.timeout(1) }),
      DOMException,
    );
    assertStrictEquals(error.name, "TimeoutError");
  }));

test("the signal of a subscription ends it and unsubscribes", () =>
  withScripted(echo, async (rcsp, server) => {
    const controller = new AbortController();
    const subscription = rcsp.subscribe(TOPIC, { signal: controller.signal });
    await subscription.ready;
    const read = assertRejects(() => subscription.next(), Error, "enough");
    controller.abort(new Error("enough"));
    await read;
    await server.until(2);
    assertEquals(server.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
    assertEquals(await subscription.next(), { done: true, value: undefined });
  }));

test("subscribing with an aborted signal sends nothing, and reading rejects with its reason", () =>
  withScripted(echo, async (rcsp, server) => {
    const options = { signal: AbortSignal.abort(new Error("before")) };
    for (
      const subscription of [
        rcsp.subscribe(TOPIC, options),
        rcsp.buttonPresses(1, options),
        rcsp.events(options),
      ]
    ) {
      await assertRejects(() => subscription.next(), Error, "before");
      await subscription.return();
    }
    await rcsp.call("Last");
    assertEquals(server.names, ["Last"]);
  }));
