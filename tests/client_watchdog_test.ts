import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionError } from "../src/errors.ts";
import { PayloadType } from "../src/wire/header.ts";
import { reach, withFlaky } from "./support/flaky.ts";
import {
  echo,
  event,
  frame,
  mute,
  ok,
  refusal,
  type Script,
  turn,
} from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

test("without a heartbeat an idle client sends nothing", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    flaky.clock.advance(3_600_000);
    await turn();
    assertEquals(flaky.server.names, []);
    assertStrictEquals(rcsp.status.state, "ready");
  }));

test("a heartbeat is sent whenever nothing was received for its interval", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    for (let i = 1; i <= 3; i++) {
      flaky.clock.advance(1000);
      await flaky.server.until(i);
      await turn();
    }
    assertEquals(flaky.server.names, ["ListDevices", "ListDevices", "ListDevices"]);
    assertStrictEquals(rcsp.status.state, "ready");
  }, { heartbeat: 1000 }));

test("anything received postpones the heartbeat", () =>
  withFlaky(echo, async (_, flaky) => {
    for (let i = 0; i < 5; i++) {
      flaky.clock.advance(600);
      flaky.server.send(event({ N: i }));
      await turn();
    }
    assertEquals(flaky.server.names, []);
  }, { heartbeat: 1000 }));

test("an error response counts as a response to a heartbeat", () => {
  const script: Script = (command) => refusal(command, { Code: "Busy" });
  return withFlaky(script, async (rcsp, flaky) => {
    for (let i = 1; i <= 3; i++) {
      flaky.clock.advance(1000);
      await flaky.server.until(i);
      await turn();
    }
    assertStrictEquals(rcsp.status.state, "ready");
  }, { heartbeat: 1000 });
});

test("a heartbeat without a response replaces the connection", () => {
  let answers = false;
  return withFlaky((command) => answers ? ok(command) : undefined, async (rcsp, flaky) => {
    flaky.clock.advance(1000);
    await flaky.server.until(1);
    flaky.clock.advance(200);
    const { cause } = await reach(rcsp, "reconnecting");
    assertStrictEquals(cause.code, "connection-stalled");
    answers = true;
    await flaky.retry(rcsp);
    await rcsp.call("Alive");
  }, { heartbeat: 1000, commandTimeout: 200 });
});

test("with reconnect false a heartbeat without a response closes the client", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    flaky.clock.advance(1000);
    await flaky.server.until(1);
    flaky.clock.advance(200);
    assertStrictEquals((await rcsp.closed)?.code, "connection-stalled");
  }, { heartbeat: 1000, commandTimeout: 200, reconnect: false }));

test("a pending call postpones the heartbeat up to a limit", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const long = rcsp.call("UploadFirmware", undefined, { timeout: 60_000 });
    await flaky.server.until(1);
    for (let i = 0; i < 20; i++) {
      flaky.clock.advance(1000);
      await turn();
    }
    assertEquals(flaky.server.names, ["UploadFirmware"]);
    flaky.server.send(ok({ trackId: "1" }));
    await long;
  }, { heartbeat: 1000, commandTimeout: 20_000 }));

test("a call that is pending for longer than heartbeat + commandTimeout does not hide a dead connection", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const long = rcsp.call("UploadFirmware", undefined, { timeout: 3_600_000 });
    const rejected = assertRejects(() => long, ConnectionError, "a heartbeat was not answered");
    await flaky.server.until(1);
    flaky.clock.advance(1000);
    flaky.clock.advance(1499);
    await turn();
    assertEquals(flaky.server.names, ["UploadFirmware"]);
    flaky.clock.advance(1);
    await flaky.server.until(2);
    assertEquals(flaky.server.names, ["UploadFirmware", "ListDevices"]);
    flaky.clock.advance(500);
    await rejected;
    assertStrictEquals((await reach(rcsp, "reconnecting")).cause.code, "connection-stalled");
  }, { heartbeat: 1000, commandTimeout: 500 }));

test("a series of aborted calls does not hide a dead connection", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    let call = new AbortController();
    for (let i = 0; i < 20 && rcsp.status.state === "ready"; i++) {
      const before = call;
      call = new AbortController();
      rcsp.call("Busy", undefined, { timeout: 60_000, signal: call.signal }).catch(() => {});
      before.abort();
      flaky.clock.advance(500);
      await turn();
    }
    assertStrictEquals((await reach(rcsp, "reconnecting")).cause.code, "connection-stalled");
  }, { heartbeat: 1000, commandTimeout: 500 }));

test("anything received keeps a connection with a long call alive", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const long = rcsp.call("UploadFirmware", undefined, { timeout: 60_000 });
    await flaky.server.until(1);
    for (let i = 0; i < 10; i++) {
      flaky.clock.advance(1400);
      flaky.server.send(event({ N: i }));
      await turn();
    }
    assertEquals(flaky.server.names, ["UploadFirmware"]);
    flaky.server.send(ok({ trackId: "1" }));
    await long;
  }, { heartbeat: 1000, commandTimeout: 500 }));

test("the heartbeat detects a server that lets every call time out", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    for (let i = 0; i < 20 && rcsp.status.state === "ready"; i++) {
      rcsp.call("Busy", undefined, { timeout: 1500 }).catch(() => {});
      flaky.clock.advance(1000);
      await turn();
    }
    assertStrictEquals((await reach(rcsp, "reconnecting")).cause.code, "connection-stalled");
  }, { heartbeat: 1000, commandTimeout: 500 }));

test("a frame that stalls replaces the connection", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const call = rcsp.call("A", undefined, { timeout: 60_000 });
    const rejected = assertRejects(() => call, ConnectionError, "a frame got no further");
    await flaky.server.until(1);
    flaky.server.send(ok({ trackId: "1" }).subarray(0, 11));
    await turn();
    flaky.clock.advance(9_999);
    await turn();
    assertStrictEquals(rcsp.status.state, "ready");
    flaky.clock.advance(1);
    await rejected;
    assertStrictEquals((await reach(rcsp, "reconnecting")).cause.code, "connection-stalled");
  }));

test("a slow frame is awaited as long as bytes keep coming", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const call = rcsp.call("A", undefined, { timeout: 3_600_000 });
    await flaky.server.until(1);
    for (const byte of ok({ trackId: "1" }, { slow: true })) {
      flaky.server.send(Uint8Array.of(byte));
      await turn();
      flaky.clock.advance(900);
    }
    assertEquals(await call, { slow: true });
  }, { partialFrameTimeout: 1000 }));

test("a complete frame leaves no timer of a partial one", () =>
  withFlaky(mute, async (rcsp, flaky) => {
    const bytes = frame(PayloadType.Event, { N: 1 });
    flaky.server.send(bytes.subarray(0, 5));
    await turn();
    flaky.server.send(bytes.subarray(5));
    await turn();
    flaky.clock.advance(20_000);
    await turn();
    assertStrictEquals(rcsp.status.state, "ready");
    assertStrictEquals(flaky.clock.timers, 0);
  }));

test("a queue full of abandoned commands replaces the connection", () => {
  let answers = false;
  return withFlaky((command) => answers ? ok(command) : undefined, async (rcsp, flaky) => {
    const calls = ["A", "B"].map((name) => rcsp.call(name, undefined, { timeout: 50 }));
    const settled = Promise.allSettled(calls);
    await flaky.server.until(2);
    flaky.clock.advance(50);
    await settled;
    answers = true;
    const call = rcsp.call("C");
    const { cause } = await reach(rcsp, "reconnecting");
    assertStrictEquals(cause.code, "connection-stalled");
    await flaky.retry(rcsp);
    assertEquals(await call, {});
  }, { maxPending: 2 });
});

for (
  const [why, reconnect] of Object.entries({
    "reconnect is false": false as const,
    "decide says no": { decide: () => false },
  })
) {
  test(`a call that finds the queue stuck rejects at once if ${why}, and leaves no timer`, () =>
    withFlaky(mute, async (rcsp, flaky) => {
      const calls = ["A", "B"].map((name) => rcsp.call(name, undefined, { timeout: 50 }));
      const settled = Promise.allSettled(calls);
      await flaky.server.until(2);
      flaky.clock.advance(50);
      await settled;
      const error = await assertRejects(
        () => rcsp.call("C"),
        ConnectionError,
        "Cannot send command 'C' as the client is closed: The server has gone silent",
      );
      assertStrictEquals(error.sent, false);
      assertStrictEquals((await rcsp.closed)?.code, "connection-stalled");
      assertEquals([flaky.clock.timers, rcsp.stats().queued], [0, 0]);
    }, { maxPending: 2, reconnect }));

  test(`a subscription that finds the queue stuck ends at once if ${why}, and leaves no timer`, () =>
    withFlaky(mute, async (rcsp, flaky) => {
      const calls = ["A", "B"].map((name) => rcsp.call(name, undefined, { timeout: 50 }));
      const settled = Promise.allSettled(calls);
      await flaky.server.until(2);
      flaky.clock.advance(50);
      await settled;
      const subscription = rcsp.subscribe({ publisher: "P", topic: "T" });
      await assertRejects(() => subscription.ready, ConnectionError, "The server has gone silent");
      await rcsp.closed;
      assertStrictEquals(flaky.clock.timers, 0);
    }, { maxPending: 2, reconnect }));
}
