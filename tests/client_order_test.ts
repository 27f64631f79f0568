import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { type JsonObject, TimeoutError } from "../mod.ts";
import { echo, event, mute, ok, refusal, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const MANY = 1000;

function manyNames(): string[] {
  return Array.from({ length: MANY }, (_, i) => `Command ${i + 1}`);
}

function expectedEchoes(names: string[]): JsonObject[] {
  return names.map((name, i) => ({ name, id: String(i + 1) }));
}

/** The same bytes as chunks of another size. */
function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

function joined(pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

test("1,000 concurrent calls are sent in one write, and each gets its own response", () =>
  withScripted(echo, async (rcsp, server) => {
    const names = manyNames();
    const answers = await Promise.all(names.map((name) => rcsp.call(name)));
    assertEquals(answers, expectedEchoes(names));
    assertEquals(server.names, names);
    assertStrictEquals(server.tap.writes.length, 1);
  }));

test("calls made while a write is pending are sent together in the next", () =>
  withScripted(echo, async (rcsp, server) => {
    server.tap.holdWrites();
    const first = rcsp.call("First");
    await Promise.resolve();
    await Promise.resolve();
    assertStrictEquals(server.tap.writes.length, 1);
    const others = ["A", "B", "C"].map((name) => rcsp.call(name));
    const { queued: waiting, inFlight: unanswered } = rcsp.stats();
    assertEquals([waiting, unanswered], [3, 1]);
    server.tap.releaseWrites();
    assertEquals(
      await Promise.all([first, ...others]),
      expectedEchoes(["First", "A", "B", "C"]),
    );
    assertStrictEquals(server.tap.writes.length, 2);
  }));

test("calls that exceed one batch are sent in several writes, in order", () =>
  withScripted(echo, async (rcsp, server) => {
    const text = "x".repeat(100_000);
    const names = ["A", "B", "C", "D", "E", "F", "G"];
    const answers = await Promise.all(names.map((name) => rcsp.call(name, { text })));
    assertEquals(answers, expectedEchoes(names));
    assertEquals(server.names, names);
    assert(server.tap.writes.length > 1);
  }));

for (const size of [1, 7, 8, 9, 1_000_000]) {
  test(`responses and events in chunks of ${size} bytes reach their callers`, () =>
    withScripted(mute, async (rcsp, server) => {
      const events = rcsp.events();
      const calls = ["A", "B", "C"].map((name) => rcsp.call(name));
      const refused = assertRejects(() => calls[1]!, "refused");
      await server.until(3);
      const stream = joined([
        event({ n: 1 }),
        ok({ trackId: "1" }, { of: "A" }),
        event({ n: 2 }),
        event({ n: 3 }),
        refusal({ trackId: "2" }, { Code: 5 }),
        ok({ trackId: "3" }, { of: "C" }),
        event({ n: 4 }),
      ]);
      server.send(...cut(stream, size));
      assertEquals(await Promise.all([calls[0], calls[2]]), [{ of: "A" }, { of: "C" }]);
      await refused;
      for (const n of [1, 2, 3, 4]) assertEquals((await events.next()).value?.raw, { n });
      assertStrictEquals(rcsp.stats().bytesReceived, stream.length);
    }));
}

test("a late response is dropped, and the next call gets its own", () =>
  withScripted(mute, async (rcsp, server) => {
    await assertRejects(
      () => rcsp.call("Slow", {}, { timeout: 1 }),
      TimeoutError,
      "did not answer 'Slow' within 1 ms",
    );
    const next = rcsp.call("Next");
    await server.until(2);
    assertStrictEquals(rcsp.stats().inFlight, 2);
    server.send(ok({ trackId: "1" }, { of: "Slow" }), ok({ trackId: "2" }, { of: "Next" }));
    assertEquals(await next, { of: "Next" });
    const { late, timedOut, answered, inFlight: unanswered } = rcsp.stats();
    assertEquals({ late, timedOut, answered, unanswered }, {
      late: 1,
      timedOut: 1,
      answered: 1,
      unanswered: 0,
    });
  }));

test("a late error response is dropped too, even without a TrackId", () =>
  withScripted(mute, async (rcsp, server) => {
    const slow = ["A", "B"].map((name) => rcsp.call(name, {}, { timeout: 1 }));
    await Promise.all(slow.map((call) => assertRejects(() => call, TimeoutError)));
    const next = rcsp.call("Next");
    await server.until(3);
    server.send(refusal({ trackId: "1" }), refusal({ trackId: undefined as unknown as string }));
    server.send(ok({ trackId: "3" }, { of: "Next" }));
    assertEquals(await next, { of: "Next" });
    assertStrictEquals(rcsp.stats().late, 2);
  }));

test("a call that cannot be written in time rejects as unsent, and is never sent", () =>
  withScripted(echo, async (rcsp, server) => {
    server.tap.holdWrites();
    const first = rcsp.call("First");
    await Promise.resolve();
    await Promise.resolve();
    await assertRejects(
      () => rcsp.call("Second", {}, { timeout: 1 }),
      TimeoutError,
      "Command 'Second' could not be sent to",
    );
    server.tap.releaseWrites();
    await first;
    await rcsp.call("Third");
    assertEquals(server.names, ["First", "Third"]);
    assertStrictEquals(rcsp.stats().late, 0);
  }));

test("100,000 events before a response do not delay it, and their buffer is bounded", () =>
  withScripted(mute, async (rcsp, server) => {
    const reported: number[] = [];
    const events = rcsp.events({ buffer: 100, onOverflow: (dropped) => reported.push(dropped) });
    const call = rcsp.call("A");
    await server.until(1);
    const one = event('{"Topic":"T"}');
    const burst = new Uint8Array(one.length * 10_000);
    for (let at = 0; at < burst.length; at += one.length) burst.set(one, at);
    server.send(...Array<Uint8Array>(10).fill(burst), ok({ trackId: "1" }, { of: "A" }));
    assertEquals(await call, { of: "A" });
    assertEquals([events.waiting, events.dropped], [100, 99_900]);
    assertStrictEquals(rcsp.stats().events, 100_000);
    assertStrictEquals(reported.length, 1);
  }));

test("stats() counts commands, responses and bytes", () =>
  withScripted(
    (command) => command.name === "No" ? refusal(command) : ok(command),
    async (rcsp, server) => {
      await rcsp.call("Yes");
      await assertRejects(() => rcsp.call("No"));
      const stats = rcsp.stats();
      assertEquals([stats.sent, stats.answered, stats.failed, stats.inFlight], [2, 1, 1, 0]);
      const bytesSent = server.tap.writes.reduce((sum, { length }) => sum + length, 0);
      assertStrictEquals(stats.bytesSent, bytesSent);
      assertStrictEquals(
        stats.bytesReceived,
        ok({ trackId: "1" }).length + refusal({ trackId: "2" }).length,
      );
    },
  ));
