import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { createClient, openClient } from "../src/client/create_client.ts";
import { backoff, reconnectPolicy } from "../src/client/reconnect.ts";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import type { ClientStatus } from "../src/client/rcsp_client.ts";
import type { ConnectTrace } from "../src/client/tracing.ts";
import { ConnectionError, LimitError, TimeoutError } from "../src/errors.ts";
import type { Socket } from "../src/socket/socket.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { reach, withFlaky } from "./support/flaky.ts";
import { echo, mute, ok, turn } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const refuse = (): Promise<Socket> => {
  throw new ConnectionError("connection-refused", "Nobody is there");
};

test("a lost connection is replaced, and calls made meanwhile get responses in order", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await rcsp.call("Before");
    await flaky.lose(rcsp);
    const calls = ["A", "B", "C"].map((name) => rcsp.call(name));
    assertStrictEquals(rcsp.stats().queued, 3);
    await flaky.retry(rcsp);
    assertEquals((await Promise.all(calls)).map(({ name }) => name), ["A", "B", "C"]);
    assertEquals(flaky.server.names, ["Before", "A", "B", "C"]);
    assertEquals(rcsp.status.state, "ready");
    assertStrictEquals(rcsp.stats().reconnects, 1);
  }));

test("a command that was sent rejects when its connection ends, and is never sent again", () =>
  withFlaky(({ name }) => name === "Mute" ? undefined : "close", async (rcsp, flaky) => {
    const lost = rcsp.call("Mute");
    await flaky.server.until(1);
    await flaky.lose(rcsp);
    const error = await assertRejects(() => lost, ConnectionError, "was sent but not answered");
    assertStrictEquals(error.sent, true);
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    await turn();
    assertEquals(flaky.server.names, ["Mute"]);
  }));

test("a call that waits for a connection times out by itself, and was not sent", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp, { down: true });
    const call = rcsp.call("Late", undefined, { timeout: 40 });
    flaky.clock.advance(40);
    await assertRejects(() => call, TimeoutError, "could not be sent");
    flaky.down = false;
    await flaky.retry(rcsp);
    await rcsp.call("Next");
    assertEquals(flaky.server.names, ["Next"]);
  }));

test("calls that wait for a connection count toward maxPending", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp, { down: true });
    const calls = [rcsp.call("A"), rcsp.call("B")];
    await assertRejects(() => rcsp.call("C"), LimitError, "'maxPending' (2)");
    flaky.down = false;
    await flaky.retry(rcsp);
    await Promise.all(calls);
    assertEquals(flaky.server.names, ["A", "B"]);
  }, { maxPending: 2 }));

test("an abort removes a queued call before the client reconnects", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp);
    const controller = new AbortController();
    const call = rcsp.call("A", undefined, { signal: controller.signal });
    controller.abort(new Error("enough"));
    await assertRejects(() => call, Error, "enough");
    await flaky.retry(rcsp);
    await rcsp.call("B");
    assertEquals(flaky.server.names, ["B"]);
  }));

test("the delay doubles from 250 ms up to 10 s while the server is away, and the status has the cause", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp, { down: true });
    const delays: number[] = [];
    for (let attempt = 1; attempt <= 8; attempt++) {
      const status = await reach(rcsp, "reconnecting");
      assertStrictEquals(status.attempt, attempt);
      const code = attempt === 1 ? "connection-closed" : "connection-refused";
      assertStrictEquals(status.cause.code, code);
      delays.push(status.delay);
      await flaky.retry(rcsp);
    }
    assertEquals(delays, [125, 250, 500, 1000, 2000, 4000, 5000, 5000]);
  }));

test("backoff() returns between half and all of the doubled delay", () => {
  const policy = reconnectPolicy({ initialDelay: 100, maxDelay: 1000 });
  assertEquals([1, 2, 3, 4, 5, 99].map((n) => backoff(policy, n, () => 0)), [
    50,
    100,
    200,
    400,
    500,
    500,
  ]);
  assertEquals([1, 2, 5].map((n) => backoff(policy, n, () => 0.999)), [100, 200, 1000]);
});

test("the delay grows while a server accepts and ends 200 connections in turn", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    let longest = 0;
    for (let i = 0; i < 200; i++) {
      await flaky.lose(rcsp);
      const { delay } = await reach(rcsp, "reconnecting");
      longest = Math.max(longest, delay);
      await flaky.retry(rcsp);
      await reach(rcsp, "ready");
    }
    assertStrictEquals(longest, 5000);
    await rcsp.call("Alive");
    await flaky.lose(rcsp);
    assertStrictEquals((await reach(rcsp, "reconnecting")).attempt, 1);
  }));

test("maxAttempts closes the client, and rejects everything that waits", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp, { down: true });
    const call = rcsp.call("A");
    const rejected = assertRejects(() => call, ConnectionError, "was not sent");
    const events = rcsp.events();
    await flaky.retry(rcsp);
    await flaky.retry(rcsp);
    const cause = await rcsp.closed;
    assertStrictEquals(cause?.code, "connection-refused");
    const error = await rejected;
    assertStrictEquals(error.sent, false);
    assertStrictEquals(error.code, "connection-refused");
    await assertRejects(() => events.next(), ConnectionError, "Nobody is there");
    assertStrictEquals(flaky.dials, 3);
    assertStrictEquals(flaky.clock.timers, 0);
  }, { reconnect: { maxAttempts: 2 } }));

test("decide() gets attempt and cause, and false closes the client", async () => {
  const seen: unknown[] = [];
  const decide = (attempt: number, cause: { code: string }): boolean => {
    seen.push([attempt, cause.code]);
    return attempt < 2;
  };
  await withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp, { down: true });
    await flaky.retry(rcsp);
    await rcsp.closed;
    assertEquals(seen, [[1, "connection-closed"], [2, "connection-refused"]]);
  }, { reconnect: { decide } });
});

test("an error thrown by decide() closes the client with that error", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    flaky.server.hangUp();
    const cause = await rcsp.closed;
    assertInstanceOf(cause, ConnectionError);
    assert(cause.message.includes("no idea"), cause.message);
  }, {
    reconnect: {
      decide: () => {
        throw new Error("no idea");
      },
    },
  }));

test("decide() may close the client", () => {
  let client: RcspClient | undefined;
  const decide = (): boolean => {
    client!.close();
    return true;
  };
  return withFlaky(echo, async (rcsp, flaky) => {
    client = rcsp;
    flaky.server.hangUp();
    assertStrictEquals(await rcsp.closed, undefined);
    await turn();
    assertStrictEquals(rcsp.status.state, "closed");
    assertStrictEquals(flaky.clock.timers, 0);
    await assertRejects(() => rcsp.call("A"), ConnectionError, "client is closed");
  }, { reconnect: { decide } });
});

test("a reader of statuses() may close the client on a lost connection, and no timer is left", () => {
  let client: RcspClient | undefined;
  const connect = {
    hasSubscribers: true,
    publish(message: unknown) {
      if ((message as ConnectTrace).status.state === "reconnecting") client!.close();
    },
  };
  return withFlaky(echo, async (rcsp, flaky) => {
    client = rcsp;
    flaky.server.hangUp();
    await rcsp.closed;
    await turn();
    assertStrictEquals(flaky.clock.timers, 0);
  }, { tracing: { connect } });
});

test("attempts without a delay count too", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    for (let i = 0; i < 4; i++) {
      flaky.server.hangUp();
      await turn();
      flaky.clock.advance(1);
      await turn();
    }
    assertStrictEquals((await rcsp.closed)?.code, "connection-closed");
  }, { reconnect: { initialDelay: 0, maxDelay: 0, maxAttempts: 3 } }));

test("close() during the delay ends it, leaves no timer, and stops connecting", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp);
    const call = rcsp.call("A");
    const rejected = assertRejects(() => call, ConnectionError, "The client was closed");
    await Promise.all([rcsp.close(), rcsp.close()]);
    await rejected;
    assertStrictEquals(flaky.clock.timers, 0);
    assertStrictEquals(flaky.dials, 1);
    assertStrictEquals(await rcsp.closed, undefined);
  }));

test("close() while connecting closes a socket that opens later", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    await flaky.lose(rcsp);
    const { status } = rcsp;
    assert(status.state === "reconnecting");
    flaky.clock.advance(status.delay);
    await rcsp.close();
    await turn();
    assertStrictEquals(flaky.clock.timers, 0);
    await flaky.server.tap.closed;
  }));

test("a failed first connection rejects at once by default, and is retried with firstConnect", async () => {
  const clock = new FakeClock();
  await assertRejects(() => openClient(refuse, {}, { clock }), ConnectionError, "Nobody");
  assertStrictEquals(clock.timers, 0);
  let dials = 0;
  await withFlaky(echo, async (_, flaky) => {
    const connecting = openClient(
      (address, options) => {
        return ++dials < 3 ? refuse() : flaky.server.connector(address, options);
      },
      { reconnect: { firstConnect: true } },
      flaky.surroundings,
    );
    for (let i = 0; i < 3; i++) {
      await turn();
      flaky.clock.advance(500);
    }
    const rcsp = await connecting;
    assertStrictEquals(dials, 3);
    assertEquals(rcsp.status, { state: "ready", reconnects: 0, gap: 0 });
    await rcsp.close();
  });
});

test("a signal aborts the wait for a first connection", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const { signal } = controller;
  const connecting = openClient(refuse, { signal, reconnect: { firstConnect: true } }, {
    clock,
  });
  const rejected = assertRejects(() => connecting, Error, "enough");
  await turn();
  assertStrictEquals(clock.timers, 1);
  controller.abort(new Error("enough"));
  await rejected;
  assertStrictEquals(clock.timers, 0);
});

test("a first connection that fails maxAttempts times rejects with the last cause", async () => {
  const clock = new FakeClock();
  const reconnect = { firstConnect: true, maxAttempts: 1 };
  const connecting = openClient(refuse, { reconnect }, { clock });
  const rejected = assertRejects(() => connecting, ConnectionError, "Nobody");
  await turn();
  clock.advance(250);
  await rejected;
});

test("statuses() yields the current status and every change, then ends", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const seen: ClientStatus[] = [];
    const watching = (async () => {
      for await (const status of rcsp.statuses()) seen.push(status);
    })();
    await flaky.lose(rcsp, { down: true });
    await flaky.retry(rcsp);
    flaky.down = false;
    await flaky.retry(rcsp);
    await reach(rcsp, "ready");
    await rcsp.close();
    await watching;
    assertEquals(seen.map(({ state }) => state), [
      "ready",
      "reconnecting",
      "reconnecting",
      "ready",
      "closed",
    ]);
    assertEquals(seen[3], { state: "ready", reconnects: 1, gap: 125 + 250 });
    assertEquals(seen[4], { state: "closed", cause: undefined });
    const after: ClientStatus[] = [];
    for await (const status of rcsp.statuses()) after.push(status);
    assertEquals(after, [{ state: "closed", cause: undefined }]);
  }));

test("bytes that an old socket still delivers are dropped", async () => {
  const sockets: { deliver: (bytes: Uint8Array) => void }[] = [];
  const clock = new FakeClock();
  const connector = (): Promise<Socket> => {
    const gone = Promise.withResolvers<void>();
    let reading = Promise.withResolvers<Uint8Array | null>();
    sockets.push({
      deliver: (bytes) => {
        const { resolve } = reading;
        reading = Promise.withResolvers();
        resolve(bytes);
      },
    });
    return Promise.resolve({
      read: () => reading.promise,
      write: () => Promise.resolve(),
      closeWrite: () => Promise.resolve(),
      close: gone.resolve,
      closed: gone.promise,
      remote: "test",
    });
  };
  const rcsp = await openClient(connector, {}, { clock, random: () => 0 });
  const first = rcsp.call("First", undefined, { timeout: 60_000 });
  const rejected = assertRejects(() => first, ConnectionError);
  await turn();
  sockets[0]!.deliver(new Uint8Array([0xdc, 1, 8]));
  await turn();
  // The frame stalls, so the connection is dropped while its read is still pending.
  clock.advance(10_000);
  await rejected;
  clock.advance(250);
  await reach(rcsp, "ready");
  const second = rcsp.call("Second");
  await turn();
  sockets[0]!.deliver(ok({ trackId: "2" }, { from: "the old one" }));
  await turn();
  sockets[1]!.deliver(ok({ trackId: "2" }, { from: "the new one" }));
  assertEquals(await second, { from: "the new one" });
  await rcsp.close();
});

for (
  const [name, reconnect] of Object.entries({
    initialDelay: { initialDelay: -1 },
    maxDelay: { maxDelay: 2 ** 31 },
    maxAttempts: { maxAttempts: 0 },
  })
) {
  test(`connect() rejects a reconnect.${name} out of range`, async () => {
    await assertRejects(
      () => createClient(refuse, { reconnect }),
      RangeError,
      `'reconnect.${name}'`,
    );
  });
}

test("with reconnect false a lost connection closes the client", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const call = rcsp.call("A");
    const rejected = assertRejects(() => call, ConnectionError);
    await flaky.server.until(1);
    flaky.server.hangUp();
    await rejected;
    assertStrictEquals((await rcsp.closed)?.code, "connection-closed");
    assertEquals(rcsp.status.state, "closed");
    assertStrictEquals(flaky.dials, 1);
  }, { reconnect: false }));
