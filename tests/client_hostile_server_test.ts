import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionError, LimitError, ProtocolError, RcspError, TimeoutError } from "../mod.ts";
import { event, frame, mute, ok, turn, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

function body(type: 2 | 3 | 4, ...values: number[]): Uint8Array {
  return bytes(0xdc, 1, 8, type, values.length, 0, 0, 0, ...values);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

const [first, second, third] = ["1", "2", "3"].map((trackId) => ok({ trackId }, { of: trackId }));
const swapped = ok({ trackId: "2" });

/** Sent while two commands are pending. */
const HOSTILE: {
  what: string;
  send: (Uint8Array | undefined)[];
  code: string;
  /** How many of the two commands get their own response first. */
  answered?: number;
  offset?: number;
}[] = [
  { what: "two answers for one command", send: [first, first], code: "out-of-step", answered: 1 },
  { what: "swapped answers", send: [swapped, first], code: "out-of-step" },
  { what: "the answer to a later command", send: [third], code: "out-of-step" },
  { what: "a stray TrackId", send: [ok({ trackId: "x\u001b".repeat(99) })], code: "out-of-step" },
  { what: "a TrackId in another spelling", send: [ok({ trackId: "01" })], code: "out-of-step" },
  { what: "a TrackId that is a number", send: [frame(2, { TrackId: 1 })], code: "bad-shape" },
  {
    what: "an answer too many",
    send: [first, second, third],
    code: "unexpected-response",
    answered: 2,
  },
  {
    what: "a nameless answer too many",
    send: [first, second, frame(3, "{}")],
    code: "unexpected-response",
    answered: 2,
  },
  { what: "a command", send: [frame(1, { Command: "A" })], code: "unexpected-type" },
  { what: "Response as an array", send: [frame(2, { Response: [] })], code: "bad-shape" },
  { what: "Response as text", send: [frame(2, { Response: "ok" })], code: "bad-shape" },
  { what: "Error as text", send: [frame(3, { Error: "no" })], code: "bad-shape" },
  { what: "Error as an array", send: [frame(3, { Error: [1] })], code: "bad-shape" },
  { what: "marker 0", send: [bytes(0, 1, 8, 2, 2, 0, 0, 0)], code: "bad-marker", offset: 0 },
  {
    what: "HTTP after a good frame",
    send: [first, text("HTTP/1.1 400 Bad Request\r\n\r\n")],
    code: "bad-marker",
    answered: 1,
    offset: first?.length ?? 0,
  },
  { what: "version 2", send: [bytes(0xdc, 2, 8, 2, 2, 0, 0, 0)], code: "bad-version", offset: 0 },
  { what: "header size 9", send: [bytes(0xdc, 1, 9, 2, 2, 0, 0, 0)], code: "bad-header-size" },
  { what: "type 0", send: [bytes(0xdc, 1, 8, 0, 2, 0, 0, 0)], code: "bad-type" },
  { what: "type 5", send: [bytes(0xdc, 1, 8, 5, 2, 0, 0, 0)], code: "bad-type" },
  {
    what: "a size of nearly 4 GiB",
    send: [bytes(0xdc, 1, 8, 2, 255, 255, 255, 255)],
    code: "limit-reached",
  },
  {
    what: "a size in the wrong byte order",
    send: [bytes(0xdc, 1, 8, 4, 2, 0, 0, 1)],
    code: "limit-reached",
  },
  { what: "an empty body", send: [frame(2, "")], code: "bad-json" },
  { what: "half an object", send: [frame(2, '{"TrackId":"1"')], code: "bad-json" },
  { what: "two objects", send: [frame(2, "{}{}")], code: "bad-json" },
  { what: "a byte order mark", send: [frame(2, "\ufeff{}")], code: "bad-json" },
  { what: "an array", send: [frame(2, "[]")], code: "bad-json" },
  { what: "null", send: [frame(3, "null")], code: "bad-json" },
  { what: "bytes that are no UTF-8", send: [body(2, 0x7b, 0xc0, 0x80, 0x7d)], code: "bad-utf8" },
  { what: "a surrogate in UTF-8", send: [body(3, 0x22, 0xed, 0xa0, 0x80, 0x22)], code: "bad-utf8" },
  {
    what: "a body nested too deep",
    send: [frame(2, `{"Response":{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}}`)],
    code: "limit-reached",
  },
];

for (const { what, send, code, answered = 0, offset } of HOSTILE) {
  test(`${what} from the server: the client closes with ${code}`, () =>
    withScripted(mute, async (rcsp, server) => {
      const calls = Promise.allSettled([rcsp.call("A"), rcsp.call("B")]);
      await server.until(2);
      server.send(...send.map((piece) => piece ?? bytes()));
      const cause = await rcsp.closed;
      assert(cause instanceof (code === "limit-reached" ? LimitError : ProtocolError), `${cause}`);
      assertStrictEquals(cause.code, code);
      if (offset !== undefined) assertStrictEquals((cause as ProtocolError).offset, offset);
      for (const [i, result] of (await calls).entries()) {
        if (i < answered) {
          assertEquals(result, { status: "fulfilled", value: { of: String(i + 1) } });
        } else {
          assertEquals(result, { status: "rejected", reason: cause });
        }
      }
      const after = await assertRejects(() => rcsp.call("C"), ConnectionError);
      assertEquals([after.cause, after.sent], [cause, false]);
      await server.tap.closed;
    }));
}

test("a queued call rejects with 'sent' false when the stream breaks", () =>
  withScripted(mute, async (rcsp, server) => {
    const sent = assertRejects(() => rcsp.call("A"), ProtocolError);
    await server.until(1);
    server.tap.holdWrites();
    const written = assertRejects(() => rcsp.call("B"), ProtocolError);
    await turn();
    const waiting = assertRejects(() => rcsp.call("C"), ConnectionError);
    server.send(bytes(0));
    server.send(bytes(1, 2, 3, 4, 5, 6, 7));
    assertStrictEquals(await sent, await written);
    const { code, cause, message } = await waiting;
    assertEquals([code, (await waiting).sent, cause], ["connection-closed", false, await sent]);
    assert(message.startsWith("Command 'C' was not sent: "), message);
  }));

test("a response before any command was sent closes the client", () =>
  withScripted(mute, async (rcsp, server) => {
    await turn();
    server.send(ok({ trackId: "1" }));
    const cause = await rcsp.closed;
    assert(cause instanceof ProtocolError);
    assertStrictEquals(cause.code, "unexpected-response");
  }));

for (const size of [1, 8, 20]) {
  test(`${size} bytes of a response, then the end: cut-frame`, () =>
    withScripted(mute, async (rcsp, server) => {
      const call = assertRejects(() => rcsp.call("A"), ProtocolError, "then the end");
      await server.until(1);
      server.send(ok({ trackId: "1" }, { of: "A" }).subarray(0, size));
      server.hangUp();
      const error = await call;
      assertEquals([error.code, error.offset], ["cut-frame", 0]);
      assertStrictEquals(await rcsp.closed, error);
    }));
}

test("half a response, then a reset: the call rejects with 'sent' true", () =>
  withScripted(mute, async (rcsp, server) => {
    const call = assertRejects(() => rcsp.call("A"), ConnectionError);
    await server.until(1);
    server.send(ok({ trackId: "1" }).subarray(0, 12));
    await turn();
    const reset = new ConnectionError("connection-reset", "Reset");
    server.tap.breakReading(reset);
    const error = await call;
    assertEquals([error.code, error.sent, error.cause], ["connection-reset", true, reset]);
    assertStrictEquals(await rcsp.closed, reset);
  }));

test("any other read failure becomes the cause of a ConnectionError", () =>
  withScripted(mute, async (rcsp, server) => {
    const odd = new Error("odd");
    server.tap.breakReading(odd);
    const cause = await rcsp.closed;
    assert(cause instanceof ConnectionError);
    assertEquals([cause.code, cause.cause], ["connection-closed", odd]);
  }));

test("half a response, then nothing: the call times out, and the late rest is still matched", () =>
  withScripted(mute, async (rcsp, server) => {
    const call = rcsp.call("A", {}, { timeout: 20 });
    await server.until(1);
    const answer = ok({ trackId: "1" }, { of: "A" });
    server.send(answer.subarray(0, 12));
    await assertRejects(() => call, TimeoutError, "did not answer 'A'");
    const next = rcsp.call("B");
    await server.until(2);
    server.send(answer.subarray(12), ok({ trackId: "2" }, { of: "B" }));
    assertEquals(await next, { of: "B" });
  }));

test("no response reaches a wrong caller, whatever is lost, duplicated, swapped or corrupted", async () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  const outcomes = { answered: 0, ended: 0 };
  for (let round = 0; round < 300; round++) {
    await withScripted(mute, async (rcsp, server) => {
      const names = ["A", "B", "C", "D", "E", "F"];
      const calls = Promise.allSettled(names.map((name) => rcsp.call(name)));
      await server.until(names.length);
      const frames = names.map((of, i) => ok({ trackId: String(i + 1) }, { of }));
      const at = random(frames.length);
      const spoil = [
        () => frames.splice(at, 1),
        () => frames.splice(at, 0, frames[at]!),
        () => frames.splice(random(frames.length), 0, ...frames.splice(at, 1)),
        () => frames[at]![random(8)]! ^= 1 << random(8),
        () => frames.splice(at, 0, event({ Topic: "T" })),
      ];
      spoil[round % spoil.length]!();
      server.send(...frames);
      server.hangUp();
      const cause = await rcsp.closed;
      assert(cause instanceof RcspError);
      for (const [i, result] of (await calls).entries()) {
        if (result.status === "fulfilled") {
          outcomes.answered++;
          assertEquals(result.value, { of: names[i] ?? "" });
        } else {
          outcomes.ended++;
          assert(result.reason instanceof RcspError, `${result.reason}`);
        }
      }
    });
  }
  assert(outcomes.answered > 100 && outcomes.ended > 100, JSON.stringify(outcomes));
});
