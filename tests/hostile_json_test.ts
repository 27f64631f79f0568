/** Oversized bodies and invalid TrackIds, sent to a client with two commands in flight. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { LimitError, ProtocolError, RcspError, TimeoutError } from "../src/errors.ts";
import { parseBody } from "../src/message/json.ts";
import { frame, mute, ok, turn, withScripted } from "./support/scripted_server.ts";
import { utf8 } from "./support/frames.ts";
import { test } from "./support/test.ts";

test("a body with a million keys is accepted", () => {
  const keys = Array.from({ length: 1_000_000 }, (_, i) => `"k${i}":${i}`);
  const body = parseBody(utf8(`{${keys.join(",")}}`), 1);
  assertStrictEquals(Object.keys(body).length, 1_000_000);
  assertStrictEquals(body["k999999"], 999_999);
});

const BIG: {
  what: string;
  response: string;
  check: (response: Record<string, unknown>) => boolean;
}[] = [
  {
    what: "a string of 10 MB",
    response: JSON.stringify({ a: "é".repeat(5_000_000) }),
    check: ({ a }) => a === "é".repeat(5_000_000),
  },
  {
    what: "100,000 keys",
    response: `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":${i}`).join(",")}}`,
    check: (response) => Object.keys(response).length === 100_000,
  },
];

for (const { what, response, check } of BIG) {
  test(`a response with ${what} reaches its caller, and the next call works`, () =>
    withScripted(
      ({ trackId, name }) =>
        name === "Big"
          ? frame(2, `{"TrackId":"${trackId}","Response":${response}}`)
          : ok({ trackId }, { small: true }),
      async (rcsp) => {
        assert(check(await rcsp.call("Big")));
        assertEquals(await rcsp.call("Small"), { small: true });
      },
    ));
}

for (const depth of [100, 10_000, 1_000_000]) {
  test(`a response of depth ${depth} rejects with a LimitError, and ends the connection`, () =>
    withScripted(
      () => frame(2, `{"Response":{"a":${"[".repeat(depth)}${"]".repeat(depth)}}}`),
      async (rcsp) => {
        const error = await assertRejects(() => rcsp.call("A"), LimitError);
        assertStrictEquals(error.limit, "maxDepth");
        assertStrictEquals(await rcsp.closed, error);
      },
    ));
}

/** TrackIds of the response to the second command, after the response to the first. */
const MARKS: { what: string; trackId: unknown; code: string }[] = [
  { what: "of a command that was answered before", trackId: "1", code: "out-of-step" },
  { what: "of a command that was never sent", trackId: "3", code: "out-of-step" },
  { what: "in another spelling", trackId: " 2", code: "out-of-step" },
  { what: "of a megabyte", trackId: "2".repeat(1024 * 1024), code: "out-of-step" },
  { what: "that is the number 2", trackId: 2, code: "bad-shape" },
  { what: "that is true", trackId: true, code: "bad-shape" },
  { what: "that is an object", trackId: { toString: "2" }, code: "bad-shape" },
  { what: "that is an array", trackId: ["2"], code: "bad-shape" },
];

for (const { what, trackId, code } of MARKS) {
  test(`a TrackId ${what} is ${code}, and the message is short`, () =>
    withScripted(mute, async (rcsp, server) => {
      const calls = [rcsp.call("A"), rcsp.call("B")];
      await server.until(2);
      server.send(ok({ trackId: "1" }, { of: "A" }), frame(2, { TrackId: trackId }));
      assertEquals(await calls[0], { of: "A" });
      const error = await assertRejects(() => calls[1]!, ProtocolError);
      assertStrictEquals(error.code, code);
      assert(error.message.length < 200, "a foreign text is not repeated at length");
    }));
}

test("a second response to a command that had timed out is out-of-step, and is dropped", () =>
  withScripted(mute, async (rcsp, server) => {
    await assertRejects(() => rcsp.call("A", undefined, { timeout: 1 }), TimeoutError);
    const next = rcsp.call("B");
    await server.until(2);
    const late = ok({ trackId: "1" }, { of: "A" });
    server.send(late);
    await turn();
    assertStrictEquals(rcsp.stats().late, 1);
    server.send(late);
    const error = await assertRejects(() => next, RcspError);
    assertInstanceOf(error, ProtocolError);
    assertStrictEquals(error.code, "out-of-step");
  }));
