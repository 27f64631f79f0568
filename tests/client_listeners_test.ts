import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ConnectionError } from "../src/errors.ts";
import type { ClientStatus } from "../src/client/rcsp_client.ts";
import type { Subscription } from "../src/client/subscription.ts";
import { reach, withFlaky } from "./support/flaky.ts";
import { echo, event, mute, withScripted } from "./support/scripted_server.ts";
import { uncaughtIn } from "./support/uncaught.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

test("on('event') calls its listener in the turn in which the events arrive, before any iterator", () =>
  withScripted(echo, async (rcsp, server) => {
    const order: string[] = [];
    const iterator = rcsp.events();
    const read = iterator.next().then(() => order.push("iterator"));
    rcsp.on("event", ({ topic }) => {
      order.push(`listener ${topic}`);
      queueMicrotask(() => order.push("microtask"));
    });
    server.send(event({ Topic: "A" }), event({ Topic: "B" }));
    await read;
    await until(() => order.filter((entry) => entry.startsWith("listener")).length === 2);
    assertStrictEquals(order[0], "listener A");
    assertStrictEquals(order.indexOf("listener A") < order.indexOf("iterator"), true);
  }));

test("on('event') stops on request, also by a using block, and then nothing is decoded", () =>
  withScripted(echo, async (rcsp, server) => {
    const topics: (string | undefined)[] = [];
    {
      using _stop = rcsp.on("event", ({ topic }) => topics.push(topic));
      server.send(event({ Topic: "A" }));
      await until(() => topics.length === 1);
    }
    server.send(event({ Topic: "B" }));
    await until(() => rcsp.stats().events === 2);
    assertEquals(topics, ["A"]);
    assertStrictEquals(rcsp.stats().unmatched, 1);
  }));

test("on('status') calls its listener at each change, up to closed", () =>
  withScripted(echo, async (rcsp) => {
    const states: string[] = [];
    const stopped: string[] = [];
    rcsp.on("status", ({ state }) => states.push(state));
    rcsp.on("status", ({ state }) => stopped.push(state))();
    await rcsp.close();
    assertEquals(states, ["closed"]);
    assertEquals(stopped, []);
  }));

test("what a listener throws is an uncaught error, and the others are called", async () => {
  const script = `
    await withScripted(echo, async (rcsp, server) => {
      const heard = Promise.withResolvers();
      rcsp.on("event", () => {
        throw new Error("my own fault");
      });
      rcsp.on("event", ({ topic }) => heard.resolve(topic));
      server.send(event({ Topic: "A" }));
      answer = { topic: await heard.promise, state: rcsp.status.state };
    });`;
  const names = "{ echo, event, withScripted }";
  assertEquals(await uncaughtIn("support/scripted_server.ts", names, script), {
    answer: { topic: "A", state: "ready" },
    reported: ["my own fault"],
  });
});

test("on() refuses what it cannot listen to", () =>
  withScripted(echo, async (rcsp) => {
    assertThrows(() => rcsp.on("presses" as never, () => {}), TypeError, "expected press, event");
    assertThrows(() => rcsp.on("event", undefined as never), TypeError, "must be a function");
    await rcsp.call("Still works");
  }));

test("statuses() in a listener of 'status' begins with that status, once", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    let statuses: Subscription<ClientStatus> | undefined;
    rcsp.on("status", () => statuses ??= rcsp.statuses());
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    const states = [await statuses!.next(), await statuses!.next()];
    assertEquals(states.map(({ value }) => value?.state), ["reconnecting", "ready"]);
  }));

test("a listener that is added by a listener hears of the next event, not of this one", () =>
  withScripted(echo, async (rcsp, server) => {
    const topics: (string | undefined)[] = [];
    const listenOnce = (): void => {
      const stop = rcsp.on("event", ({ topic }) => {
        topics.push(topic);
        stop();
        // Without this limit a failure would be an endless loop.
        if (topics.length < 9) listenOnce();
      });
    };
    listenOnce();
    server.send(event({ Topic: "A" }), event({ Topic: "B" }));
    await until(() => rcsp.stats().events === 2);
    assertEquals(topics, ["A", "B"]);
  }));

test("on('press') that is stopped before the server has accepted rejects ready, and says so", () =>
  withScripted(mute, async (rcsp) => {
    const stop = rcsp.on("press", () => {});
    stop();
    const message = "ended before the server accepted it";
    await assertRejects(() => stop.ready, ConnectionError, message);
  }));
