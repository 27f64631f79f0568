import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CommandError, TimeoutError } from "../src/errors.ts";
import { reach, withFlaky } from "./support/flaky.ts";
import { echo, event, ok, refusal, type Script, turn } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const press = (deviceId: unknown, type = "SinglePress"): Uint8Array =>
  event({
    Publisher: "DeviceEvents",
    Topic: "ButtonPushed",
    DeviceId: deviceId,
    Data: { PressType: type },
  });

test("subscriptions are made again, before anything else is sent", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const one = rcsp.buttonPresses(1);
    const driver = rcsp.subscribe({ publisher: "Driver", topic: "Changed" });
    await Promise.all([one.ready, driver.ready]);
    await flaky.lose(rcsp);
    const call = rcsp.call("Waiting");
    await flaky.retry(rcsp);
    await call;
    await reach(rcsp, "ready");
    assertEquals(flaky.server.names.slice(2), ["DeviceSubscribe", "Subscribe", "Waiting"]);
    flaky.server.send(press(1, "LongPress"));
    assertStrictEquals((await one.next()).value?.type, "LongPress");
    assertEquals([one.gaps, driver.gaps], [1, 1]);
  }));

test("two readers of one topic make one command, again too", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const readers = [rcsp.buttonPresses(1), rcsp.buttonPresses(1)];
    await Promise.all(readers.map(({ ready }) => ready));
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    assertEquals(flaky.server.names, ["DeviceSubscribe", "DeviceSubscribe"]);
    await readers[0]!.unsubscribe();
    assertStrictEquals(flaky.server.received.length, 2);
    await readers[1]!.unsubscribe();
    assertEquals(flaky.server.names.at(-1), "DeviceUnsubscribe");
  }));

test("a subscription that is refused on return fails, and the others go on", () => {
  const script: Script = (command) => {
    const again = command.args?.["DeviceId"] === 1 && command.trackId !== "1";
    return again ? refusal(command, { Code: "Gone", Message: "No such glove" }) : ok(command);
  };
  return withFlaky(script, async (rcsp, flaky) => {
    const lost = rcsp.buttonPresses(1);
    const kept = rcsp.buttonPresses(2);
    await Promise.all([lost.ready, kept.ready]);
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    const error = await assertRejects(() => lost.next(), CommandError, "No such glove");
    assertStrictEquals(error.errorCode, "Gone");
    assertEquals(await lost.next(), { done: true, value: undefined });
    flaky.server.send(press(2));
    assertStrictEquals((await kept.next()).value?.deviceId, 2);
  });
});

test("the client is ready again only when its subscriptions are answered", () => {
  let hold = false;
  return withFlaky((command) => hold ? undefined : ok(command), async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await reader.ready;
    hold = true;
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await flaky.server.until(2);
    await turn();
    assertStrictEquals(rcsp.status.state, "reconnecting");
    flaky.server.send(ok({ trackId: "2" }));
    await reach(rcsp, "ready");
  });
});

test("a server that does not answer a returning subscription is left for another connection", () => {
  let hold = false;
  return withFlaky((command) => hold ? undefined : ok(command), async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await reader.ready;
    hold = true;
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await flaky.server.until(2);
    hold = false;
    flaky.clock.advance(10_000);
    await turn();
    const status = await reach(rcsp, "reconnecting");
    assertStrictEquals(status.cause.code, "connection-stalled");
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    flaky.server.send(press(1));
    assertStrictEquals((await reader.next()).value?.type, "SinglePress");
  });
});

test("a subscription that is made while there is no connection is made with the next", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp);
    const call = rcsp.call("Waiting");
    const reader = rcsp.buttonPresses(1);
    await flaky.retry(rcsp);
    await reader.ready;
    await call;
    assertEquals(flaky.server.names, ["DeviceSubscribe", "Waiting"]);
    assertStrictEquals(reader.gaps, 0);
  }));

test("a subscription whose command was under way when the connection ended is made again", () => {
  let answers = false;
  return withFlaky((command) => answers ? ok(command) : undefined, async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await flaky.server.until(1);
    answers = true;
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await reader.ready;
    assertEquals(flaky.server.names, ["DeviceSubscribe", "DeviceSubscribe"]);
  });
});

test("a subscription whose command was not sent when the connection ended is made once", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    flaky.server.tap.holdWrites();
    rcsp.call("Held").catch(() => {});
    await turn();
    const reader = rcsp.buttonPresses(1);
    await turn();
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await reader.ready;
    await rcsp.call("After");
    assertEquals(flaky.server.names.filter((name) => name === "DeviceSubscribe").length, 1);
  }));

test("leaving while there is no connection sends nothing, then or later", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await reader.ready;
    await flaky.lose(rcsp);
    await reader.return();
    await flaky.retry(rcsp);
    await rcsp.call("After");
    assertEquals(flaky.server.names, ["DeviceSubscribe", "After"]);
  }));

test("events that wait to be read survive the end of their connection", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await reader.ready;
    flaky.server.send(press(1, "SinglePress"), press(1, "DoublePress"));
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    flaky.server.send(press(1, "LongPress"));
    const types: unknown[] = [];
    for await (const { type } of reader) {
      types.push(type);
      if (types.length === 3) break;
    }
    assertEquals(types, ["SinglePress", "DoublePress", "LongPress"]);
  }));

test("events() goes on over connections and counts its gaps", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const all = rcsp.events();
    for (let i = 1; i <= 3; i++) {
      await flaky.lose(rcsp);
      await flaky.retry(rcsp);
      flaky.server.send(event({ N: i }));
      assertEquals((await all.next()).value?.raw, { N: i });
      assertStrictEquals(all.gaps, i);
    }
    assert(flaky.server.names.length === 0);
  }));

test("a topic that was accepted is not ready for a new reader before it is accepted again", () => {
  let refuses = false;
  return withFlaky((command) => refuses ? refusal(command) : ok(command), async (rcsp, flaky) => {
    const first = rcsp.buttonPresses(1);
    await first.ready;
    refuses = true;
    await flaky.lose(rcsp);
    const second = rcsp.buttonPresses(1);
    const refused = assertRejects(() => second.ready, CommandError);
    await flaky.retry(rcsp);
    await refused;
  });
});

test("a subscription whose answer does not come in time is taken back", () =>
  withFlaky(
    ({ name, trackId }) => name === "DeviceSubscribe" ? undefined : ok({ trackId }),
    async (rcsp, flaky) => {
      const reader = rcsp.buttonPresses(1);
      await flaky.server.until(1);
      flaky.clock.advance(10_000);
      await assertRejects(() => reader.next(), TimeoutError);
      await flaky.server.until(2);
      assertEquals(flaky.server.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
    },
  ));

test("a heartbeat that was not sent does not go before the subscriptions of the next connection", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await reader.ready;
    await turn();
    flaky.server.tap.holdWrites();
    rcsp.call("Held", undefined, { timeout: 1 }).catch(() => {});
    await turn();
    flaky.clock.advance(1000);
    await turn();
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    const after = flaky.server.names.slice(flaky.server.names.lastIndexOf("DeviceSubscribe"));
    assertEquals(after, ["DeviceSubscribe"]);
  }, { heartbeat: 500 }));
