import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CommandError, ConnectionError, TimeoutError } from "../src/errors.ts";
import { type Flaky, reach, withFlaky } from "./support/flaky.ts";
import { echo, event, mute, ok, refusal, type Script, turn } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const press = (deviceId: unknown, type = "SinglePress"): Uint8Array =>
  event({
    Publisher: "DeviceEvents",
    Topic: "ButtonPushed",
    DeviceId: deviceId,
    Data: { PressType: type },
  });

test("a new connection resubscribes before anything else is sent", () =>
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

test("two readers of one topic share one command, after a reconnect too", () =>
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

test("a subscription that is refused after a reconnect fails, and the others continue", () => {
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

test("the client is ready again only after the responses to its subscriptions", () => {
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

test("the client reconnects if the server does not respond to a resubscription", () => {
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

test("a subscription made without a connection is sent on the next one", () =>
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

test("a subscription whose command was in flight when the connection ended is sent again", () => {
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

test("a subscription whose command was unsent when the connection ended is sent once", () =>
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

test("unsubscribing without a connection sends nothing, then or later", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await reader.ready;
    await flaky.lose(rcsp);
    await reader.return();
    await flaky.retry(rcsp);
    await rcsp.call("After");
    assertEquals(flaky.server.names, ["DeviceSubscribe", "After"]);
  }));

test("buffered events survive the end of their connection", () =>
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

test("events() continues across connections and counts its gaps", () =>
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

test("an accepted topic is not ready for a new reader until it is accepted again", () => {
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

test("a subscription that times out is unsubscribed", () =>
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

test("an unsent heartbeat is not sent before the subscriptions of the next connection", () =>
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

test("a late timeout of a topic that was left and subscribed again does not unsubscribe", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const first = rcsp.buttonPresses(1);
    await flaky.server.until(1);
    flaky.clock.advance(200);
    await first.return();
    await flaky.server.until(2);
    flaky.clock.advance(200);
    const second = rcsp.buttonPresses(1);
    await flaky.server.until(3);
    flaky.clock.advance(850);
    await turn();
    flaky.server.send(...["1", "2", "3"].map((trackId) => ok({ trackId })), press(1));
    await second.ready;
    assertStrictEquals((await second.next()).value?.type, "SinglePress");
    assertEquals(flaky.server.names, ["DeviceSubscribe", "DeviceUnsubscribe", "DeviceSubscribe"]);
  }, { commandTimeout: 1000 }));

test("a topic that times out while it is subscribed again sends its commands in order", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const first = rcsp.buttonPresses(1);
    const again = first.ready.catch(() => rcsp.buttonPresses(1));
    await flaky.server.until(1);
    flaky.clock.advance(1000);
    const second = await again;
    await flaky.server.until(3);
    flaky.server.send(...["1", "2", "3"].map((trackId) => ok({ trackId })));
    await second!.ready;
    assertEquals(flaky.server.names, ["DeviceSubscribe", "DeviceUnsubscribe", "DeviceSubscribe"]);
  }, { commandTimeout: 1000 }));

/** Advances time in small steps until a condition holds. */
async function pass(flaky: Flaky, until: () => boolean): Promise<void> {
  for (let i = 0; !until(); i++) {
    assert(i < 1000, "it never happens");
    flaky.clock.advance(10);
    await turn();
  }
}

/** Hangs up on each subscription to one of these devices, and responds to everything else. */
const hangsUpOn = (...devices: number[]): Script => (command) =>
  command.name === "DeviceSubscribe" && devices.includes(command.args?.["DeviceId"] as number)
    ? "close"
    : ok(command);

test("a subscription fails after the server hangs up on it three times in a row, and calls continue", () =>
  withFlaky(hangsUpOn(1), async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    const failed = assertRejects(() => reader.ready, ConnectionError, "'dialect'");
    await reach(rcsp, "reconnecting");
    const call = rcsp.call("Waiting");
    await pass(flaky, () => rcsp.status.state === "ready");
    const error = await failed;
    assertStrictEquals(
      error.message,
      "Cannot subscribe to 'DeviceEvents/ButtonPushed' of device '1' as 3 connections in a row ended " +
        "before the server answered 'DeviceSubscribe': " +
        "if it expects other names, set them with the option 'dialect'",
    );
    assertStrictEquals(await assertRejects(() => reader.next()), error);
    await call;
    // A harmless command shows that it is the subscription that the server hangs up on.
    assertEquals(flaky.server.names, [
      ...["DeviceSubscribe", "DeviceSubscribe", "ListDevices", "DeviceSubscribe"],
      "Waiting",
    ]);
    assertStrictEquals((await reach(rcsp, "ready")).reconnects, 3);
  }));

test("a subscription that was accepted before fails too after three hang-ups", () => {
  let devices: number[] = [];
  return withFlaky(
    (command, server) => hangsUpOn(...devices)(command, server),
    async (rcsp, flaky) => {
      const reader = rcsp.buttonPresses(1);
      await reader.ready;
      devices = [1];
      await flaky.lose(rcsp);
      await pass(flaky, () => rcsp.status.state === "ready");
      await assertRejects(() => reader.next(), ConnectionError, "3 connections in a row");
      // Once when it was made, three times after that, the last behind a harmless command.
      assertStrictEquals(flaky.server.received.length, 5);
    },
  );
});

test("a tunnel that hangs up on everything while the server is away ends no subscription", () => {
  let away = false;
  return withFlaky((command) => away ? "close" : ok(command), async (rcsp, flaky) => {
    const reader = rcsp.buttonPresses(1);
    await reader.ready;
    away = true;
    await flaky.lose(rcsp);
    const { length } = flaky.server.received;
    await pass(flaky, () => flaky.server.received.length === length + 10);
    away = false;
    await pass(flaky, () => rcsp.status.state === "ready");
    flaky.server.send(press(1));
    assertStrictEquals((await reader.next()).value?.type, "SinglePress");
    // Before the third hang-up a harmless command goes first.
    assertEquals(flaky.server.names.slice(length), [
      ...["DeviceSubscribe", "DeviceSubscribe"],
      ...Array(9).fill("ListDevices"),
      "DeviceSubscribe",
    ]);
  }, { reconnect: { initialDelay: 1, maxDelay: 20 } });
});

test("of several subscriptions, only those that the server hangs up on fail", () =>
  withFlaky(hangsUpOn(2, 3), async (rcsp, flaky) => {
    const readers = [1, 2, 3, 4].map((device) => rcsp.buttonPresses(device));
    const outcomes = Promise.allSettled(readers.map(({ ready }) => ready));
    await reach(rcsp, "reconnecting");
    await pass(flaky, () => rcsp.status.state === "ready");
    assertEquals(
      (await outcomes).map(({ status }) => status),
      ["fulfilled", "rejected", "rejected", "fulfilled"],
    );
    flaky.server.send(press(1), press(4));
    assertStrictEquals((await readers[0]!.next()).value?.deviceId, 1);
    assertStrictEquals((await readers[3]!.next()).value?.deviceId, 4);
  }));

test("a response in between resets the count of hang-ups", () => {
  let devices = [1];
  return withFlaky(
    (command, server) => hangsUpOn(...devices)(command, server),
    async (rcsp, flaky) => {
      const reader = rcsp.buttonPresses(1);
      for (let i = 1; i <= 3; i++) {
        if (i > 1) await flaky.lose(rcsp);
        devices = [1];
        const { length } = flaky.server.received;
        await pass(flaky, () => flaky.server.received.length === length + (i > 1 ? 2 : 1));
        devices = [];
        await pass(flaky, () => rcsp.status.state === "ready");
      }
      await reader.ready;
      flaky.server.send(press(1));
      assertStrictEquals((await reader.next()).value?.type, "SinglePress");
    },
  );
});

test("ready rejects within commandTimeout while the server is away", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp, { down: true });
    const reader = rcsp.buttonPresses(1);
    flaky.clock.advance(500);
    const later = rcsp.buttonPresses(1);
    flaky.clock.advance(499);
    await turn();
    flaky.clock.advance(1);
    const error = await assertRejects(() => reader.ready, TimeoutError, "1000 ms");
    assertStrictEquals(error.sent, false);
    flaky.down = false;
    await pass(flaky, () => rcsp.status.state === "ready");
    await later.ready;
    assertEquals(flaky.server.names, ["DeviceSubscribe"]);
  }, { commandTimeout: 1000, reconnect: { initialDelay: 1, maxDelay: 20 } }));

test("a second reader's ready has its own timeout, which does not affect the first reader", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const first = rcsp.buttonPresses(1);
    await first.ready;
    await flaky.lose(rcsp, { down: true });
    const second = rcsp.buttonPresses(1);
    flaky.clock.advance(1000);
    await assertRejects(() => second.ready, TimeoutError);
    flaky.down = false;
    await pass(flaky, () => rcsp.status.state === "ready");
    await rcsp.call("After");
    flaky.server.send(press(1));
    assertStrictEquals((await first.next()).value?.type, "SinglePress");
    assertEquals(flaky.server.names, ["DeviceSubscribe", "DeviceSubscribe", "After"]);
  }, { commandTimeout: 1000, reconnect: { initialDelay: 1, maxDelay: 20 } }));

test("calls wait for the responses to the subscriptions of a new connection", () => {
  let hold = false;
  return withFlaky((command) => hold ? undefined : ok(command), async (rcsp, flaky) => {
    await rcsp.buttonPresses(1).ready;
    hold = true;
    await flaky.lose(rcsp);
    const call = rcsp.call("Waiting");
    await flaky.retry(rcsp);
    await flaky.server.until(2);
    const other = rcsp.call("Later");
    await turn();
    assertEquals(flaky.server.names.slice(1), ["DeviceSubscribe"]);
    assertStrictEquals(rcsp.stats().queued, 2);
    hold = false;
    flaky.server.send(ok({ trackId: flaky.server.received[1]!.trackId }));
    await Promise.all([call, other]);
    assertEquals(flaky.server.names.slice(1), ["DeviceSubscribe", "Waiting", "Later"]);
  });
});

test("a subscription leaves no timer once it is accepted and its client is closed", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await rcsp.buttonPresses(1).ready;
    const waiting = rcsp.buttonPresses(2);
    await rcsp.close();
    await waiting.ready.catch(() => {});
    assertStrictEquals(flaky.clock.timers, 0);
  }));
