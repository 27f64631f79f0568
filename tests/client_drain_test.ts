import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ConnectionError } from "../src/errors.ts";
import { withFlaky } from "./support/flaky.ts";
import { echo, event, mute, ok, turn } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

test("drain() unsubscribes, waits for pending responses, and closes", () =>
  withFlaky(
    (command) => command.name === "Slow" ? undefined : ok(command, { name: command.name }),
    async (rcsp, flaky) => {
      const presses = rcsp.buttonPresses(1);
      await presses.ready;
      const slow = rcsp.call("Slow");
      await flaky.server.until(2);
      const drained = rcsp.drain();
      await turn();
      assertEquals(rcsp.status.state, "ready");
      flaky.server.send(ok({ trackId: "2" }, { slow: true }));
      assertEquals(await slow, { slow: true });
      await drained;
      assertEquals(flaky.server.names, ["DeviceSubscribe", "Slow", "DeviceUnsubscribe"]);
      assertEquals(rcsp.status, { state: "closed", cause: undefined });
      assertEquals(await presses.next(), { done: true, value: undefined });
      assertStrictEquals(flaky.clock.timers, 0);
    },
  ));

test("drain() does not wait for the list of devices of presses() while the server is away", () =>
  withFlaky((command) => ok(command, { Devices: [] }), async (rcsp, flaky) => {
    const stop = rcsp.on("press", () => {});
    await stop.ready;
    await flaky.lose(rcsp, { down: true });
    await turn();
    assertStrictEquals(rcsp.stats().queued, 1);
    rcsp.drain();
    await turn();
    assertEquals(rcsp.status, { state: "closed", cause: undefined });
    assertStrictEquals(flaky.clock.timers, 0);
  }));

test("drain() before the first list of devices ends presses() without an error", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const presses = rcsp.presses();
    await flaky.server.until(1);
    await rcsp.drain();
    assertEquals(await presses.next(), { done: true, value: undefined });
  }));

test("a draining client rejects new calls and subscriptions", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const pending = rcsp.call("A");
    const rejected = assertRejects(() => pending, ConnectionError);
    await flaky.server.until(1);
    const drained = rcsp.drain();
    const error = await assertRejects(() => rcsp.call("B"), ConnectionError, "client is draining");
    assertStrictEquals(error.sent, false);
    assertThrows(() => rcsp.buttonPresses(1), ConnectionError, "Cannot subscribe");
    await rcsp.close();
    await drained;
    await rejected;
    await assertRejects(() => rcsp.call("C"), ConnectionError, "client is closed");
  }));

test("drain() closes after its timeout, and settles whatever is pending", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const pending = rcsp.call("A");
    const rejected = assertRejects(() => pending, ConnectionError, "was sent but not answered");
    await flaky.server.until(1);
    const drained = rcsp.drain({ timeout: 300 });
    flaky.clock.advance(300);
    await drained;
    await rejected;
    assertStrictEquals(flaky.clock.timers, 0);
  }));

test("drain() may be called again, also after close()", () =>
  withFlaky(echo, async (rcsp) => {
    await Promise.all([rcsp.drain(), rcsp.drain(), rcsp.close(), rcsp.drain()]);
    await rcsp.drain();
    await rcsp.close();
  }));

test("drain() without a connection resolves after its timeout", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp, { down: true });
    const call = rcsp.call("Waiting");
    const rejected = assertRejects(() => call, ConnectionError, "was not sent");
    const drained = rcsp.drain({ timeout: 100 });
    flaky.clock.advance(100);
    await drained;
    await rejected;
    assertStrictEquals(flaky.clock.timers, 0);
  }));

test("buffered events can be read after drain()", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const all = rcsp.events();
    flaky.server.send(event({ N: 1 }));
    await turn();
    await rcsp.drain();
    assertEquals((await all.next()).value?.raw, { N: 1 });
    assertEquals(await all.next(), { done: true, value: undefined });
  }));

test("drain() rejects an invalid timeout", () =>
  withFlaky(echo, (rcsp) => {
    assertThrows(() => rcsp.drain({ timeout: 0 }), RangeError, "'timeout'");
    assert(rcsp.status.state === "ready");
    return Promise.resolve();
  }));
