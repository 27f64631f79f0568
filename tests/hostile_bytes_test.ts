/**
 * Frames that declare more than they send, at the size limit, in single bytes: decoder, client and
 * server.
 */

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { ProtocolError, type RcspError } from "../src/errors.ts";
import { LIMITS } from "../src/limits.ts";
import { FrameDecoder } from "../src/wire/decoder.ts";
import { assertProtocolError, header } from "./support/frames.ts";
import { COMMAND, OK, until, withServer } from "./support/raw_client.ts";
import { mute, ok, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const { maxPayload } = LIMITS;

test("a frame of maximum size in chunks of one byte arrives complete", () => {
  const decoder = new FrameDecoder();
  let sum = -1;
  const take = (_type: number, payload: Uint8Array): void => {
    sum = payload.reduce((before, byte) => before + byte, 0) / payload.length;
  };
  decoder.push(header(2, maxPayload), take);
  const piece = Uint8Array.of(7);
  for (let at = 0; at < maxPayload; at++) {
    if (at % (1024 * 1024) === 0) assertStrictEquals(sum, -1, "it came before its last byte");
    decoder.push(piece, take);
  }
  assertStrictEquals(sum, 7);
  decoder.end();
});

test("a header that declares the limit, a few bytes, then the end is cut-frame at any byte", () => {
  for (const sent of [0, 1, 5_000]) {
    const decoder = new FrameDecoder();
    decoder.push(header(2, maxPayload), () => {});
    decoder.push(new Uint8Array(sent), () => {});
    const error = assertProtocolError(() => decoder.end(), "cut-frame");
    assertEquals(error.received, `${sent}, then the end`);
  }
});

test("a server that declares the limit and ends makes the call reject with cut-frame", () =>
  withScripted(mute, async (rcsp, server) => {
    const call = rcsp.call("A").catch((error) => error);
    await server.until(1);
    server.send(header(2, maxPayload), new Uint8Array(100));
    server.hangUp();
    assertInstanceOf(await call, ProtocolError);
    assertStrictEquals((await call).code, "cut-frame");
    assertStrictEquals(await rcsp.closed, await call);
  }));

test("a client that declares the limit and sends single bytes does not affect another client", () =>
  withServer({}, async ({ server, join, errors }) => {
    server.handle("Do", () => {});
    const [slow, good] = [await join(), await join()];
    await slow.write(header(COMMAND, maxPayload));
    for (let i = 0; i < 200; i++) {
      await slow.write(Uint8Array.of(0x20));
      assertStrictEquals((await good.ask("Do")).type, OK);
    }
    assertStrictEquals(server.clients, 2);
    await slow.socket.closeWrite();
    await until(() => server.clients === 1);
    assertEquals(errors.map((error) => (error as RcspError).code), ["cut-frame"]);
    assertStrictEquals((await good.ask("Do")).type, OK);
  }));

test("responses and events in chunks of one byte are delivered up to the garbage that follows them", () =>
  withScripted(mute, async (rcsp, server) => {
    const calls = Promise.allSettled([rcsp.call("A"), rcsp.call("B")]);
    await server.until(2);
    const bytes = [...ok({ trackId: "1" }, { of: "A" }), ...new TextEncoder().encode("garbage!")];
    server.send(...bytes.map((byte) => Uint8Array.of(byte)));
    const [first, second] = await calls;
    assertEquals(first, { status: "fulfilled", value: { of: "A" } });
    assert(second?.status === "rejected" && second.reason instanceof ProtocolError);
    assertStrictEquals(second.reason.code, "bad-marker");
  }));
