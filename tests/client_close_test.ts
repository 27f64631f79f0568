import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ConnectionError, type JsonObject } from "../mod.ts";
import { echo, mute, ok, turn, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

interface Ending {
  code: string;
  sent: boolean;
  message: string;
}

/** How each call ended; every one of them must be a ConnectionError. */
async function endings(calls: Promise<JsonObject>[]): Promise<Ending[]> {
  return (await Promise.allSettled(calls)).map((result) => {
    assert(result.status === "rejected");
    const { reason } = result;
    assert(reason instanceof ConnectionError, `${reason}`);
    return { code: reason.code, sent: reason.sent, message: reason.message };
  });
}

test("close() may be called any number of times, and closed resolves with undefined", () =>
  withScripted(echo, async (rcsp, server) => {
    await Promise.all([rcsp.close(), rcsp.close(), rcsp[Symbol.asyncDispose]()]);
    await rcsp.close();
    assertStrictEquals(await rcsp.closed, undefined);
    await server.tap.closed;
  }));

test("Symbol.asyncDispose closes the client", () =>
  withScripted(echo, async (rcsp, server) => {
    await rcsp[Symbol.asyncDispose]();
    await server.tap.closed;
    assertStrictEquals(await rcsp.closed, undefined);
  }));

test("close() rejects calls in flight and queued calls, with the right 'sent'", () =>
  withScripted(mute, async (rcsp, server) => {
    const sent = ["A", "B"].map((name) => rcsp.call(name));
    await server.until(2);
    server.tap.holdWrites();
    const written = rcsp.call("C");
    await turn();
    const waiting = rcsp.call("D");
    const rejections = endings([...sent, written, waiting]);
    await rcsp.close();
    const code = "connection-closed";
    const cause = "The client was closed";
    assertEquals(await rejections, [
      { code, sent: true, message: `Command 'A' was sent but not answered: ${cause}` },
      { code, sent: true, message: `Command 'B' was sent but not answered: ${cause}` },
      { code, sent: true, message: `Command 'C' was sent but not answered: ${cause}` },
      { code, sent: false, message: `Command 'D' was not sent: ${cause}` },
    ]);
    assertEquals([rcsp.stats().queued, rcsp.stats().inFlight], [0, 0]);
  }));

test("a call is not sent if close() is called in the same turn", () =>
  withScripted(echo, async (rcsp, server) => {
    const rejections = endings([rcsp.call("A")]);
    await rcsp.close();
    assertStrictEquals((await rejections)[0]?.sent, false);
    assertEquals([server.names, server.tap.writes.length], [[], 0]);
  }));

test("close() in the continuation of a call settles the other calls", () =>
  withScripted(mute, async (rcsp, server) => {
    const first = rcsp.call("A").then(() => rcsp.close());
    const rejections = endings([rcsp.call("B"), rcsp.call("C")]);
    await server.until(2);
    server.send(ok({ trackId: "1" }));
    await first;
    assertEquals((await rejections).map(({ sent }) => sent), [true, true]);
  }));

test("close() in the continuation of a call closes the client even if more responses have come", () =>
  withScripted(mute, async (rcsp, server) => {
    const first = rcsp.call("A").then(() => rcsp.close());
    const second = rcsp.call("B");
    await server.until(2);
    const answers = [ok({ trackId: "1" }), ok({ trackId: "2" }, { of: "B" })];
    server.send(new Uint8Array(answers.flatMap((answer) => [...answer])));
    assertEquals(await second, { of: "B" });
    await first;
    assertStrictEquals(await rcsp.closed, undefined);
  }));

test("close() ends subscriptions without an error, after the buffered events", () =>
  withScripted(echo, async (rcsp) => {
    const events = rcsp.events();
    const presses = rcsp.buttonPresses(1);
    await presses.ready;
    const read = presses.next();
    await rcsp.close();
    const end = { done: true, value: undefined } as const;
    assertEquals([await read, await presses.next(), await events.next()], [end, end, end]);
    await presses.return();
  }));

test("close() rejects the ready of a subscription that the server has not accepted", () =>
  withScripted(mute, async (rcsp, server) => {
    const presses = rcsp.buttonPresses(1);
    const ready = presses.ready.then(() => "accepted", () => "not accepted");
    await server.until(1);
    await rcsp.close();
    assertStrictEquals(await ready, "not accepted");
  }));

test("a closed client rejects calls and subscriptions", () =>
  withScripted(echo, async (rcsp) => {
    await rcsp.close();
    const error = await assertRejects(
      () => rcsp.call("A"),
      ConnectionError,
      "Cannot send command 'A' as the client is closed: The client was closed",
    );
    assertEquals([error.code, error.sent], ["connection-closed", false]);
    await assertRejects(() => rcsp.listDevices(), ConnectionError);
    await assertRejects(() => rcsp.setColorLed(1, { LedId: "L", Red: 0, Green: 0, Blue: 0 }));
    for (const subscribe of [() => rcsp.events(), () => rcsp.buttonPresses(1)]) {
      assertThrows(subscribe, ConnectionError, "Cannot subscribe as the client is closed");
    }
  }));

test("all calls reject when the server ends the connection, and closed resolves with the cause", () =>
  withScripted(({ name }) => name === "Last" ? "close" : undefined, async (rcsp) => {
    const events = rcsp.events();
    const rejections = await endings(["A", "Last"].map((name) => rcsp.call(name)));
    assertEquals(rejections.map(({ code, sent }) => [code, sent]), [
      ["connection-closed", true],
      ["connection-closed", true],
    ]);
    const cause = await rcsp.closed;
    assert(cause instanceof ConnectionError);
    assert(cause.message.endsWith("was ended by the server"), cause.message);
    assertStrictEquals(await assertRejects(() => events.next()), cause);
    await assertRejects(() => rcsp.call("B"), ConnectionError, "was ended by the server");
    await rcsp.close();
  }));

test("responses that came before the end of the connection reach their callers", () =>
  withScripted((command) => ok(command, { of: command.name }), async (rcsp, server) => {
    const calls = ["A", "B"].map((name) => rcsp.call(name));
    await server.until(2);
    server.hangUp();
    assertEquals(await Promise.all(calls), [{ of: "A" }, { of: "B" }]);
    assert(await rcsp.closed instanceof ConnectionError);
  }));

test("a failed write closes the client, and calls reject with the right 'sent'", () =>
  withScripted(mute, async (rcsp, server) => {
    server.tap.holdWrites();
    const calls = ["A", "B"].map((name) => rcsp.call(name));
    await turn();
    const rejections = endings([...calls, rcsp.call("C")]);
    // The write that is held goes on into a connection that is gone.
    server.hangUp();
    await rcsp.closed;
    assertEquals((await rejections).map(({ sent }) => sent), [true, true, false]);
  }));

test("calls after the end reject at once, including those made while others are being rejected", () =>
  withScripted(mute, async (rcsp, server) => {
    const again = rcsp.call("A").catch(() => rcsp.call("B"));
    const rejections = endings([again]);
    await server.until(1);
    server.hangUp();
    assertEquals((await rejections).map(({ sent }) => sent), [false]);
    assertEquals(server.names, ["A"]);
  }));

test("a call whose arguments close the client rejects, and is never sent", () =>
  withScripted(echo, async (rcsp, server) => {
    const args = { toJSON: () => rcsp.close().then(() => ({})) };
    const rejections = await endings([rcsp.call("A", args)]);
    assertEquals(rejections.map(({ sent }) => sent), [false]);
    await rcsp.close();
    assertEquals([server.names, rcsp.stats().queued], [[], 0]);
  }));
