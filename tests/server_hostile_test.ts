import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { RcspError } from "../src/errors.ts";
import {
  COMMAND,
  command,
  concat,
  ERROR,
  frame,
  OK,
  until,
  withServer,
} from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const header = (type: number, ...size: number[]): Uint8Array => bytes(0xDC, 1, 8, type, ...size);

const COMMAND_BODY = `{"Command":"Do","TrackId":"1","Version":1}`;

/** Bytes that close their connection. */
const fatal: [what: string, sent: Uint8Array, code: string][] = [
  ["a response ok", frame(2, { TrackId: "1" }), "unexpected-type"],
  ["a response error", frame(3, { TrackId: "1", Error: {} }), "unexpected-type"],
  ["an event", frame(4, { Publisher: "P" }), "unexpected-type"],
  ["marker 0x00", bytes(0, 1, 8, 1, 0, 0, 0, 0), "bad-marker"],
  ["marker 0xDB", bytes(0xDB, 1, 8, 1, 0, 0, 0, 0), "bad-marker"],
  ["header version 2", bytes(0xDC, 2, 8, 1, 0, 0, 0, 0), "bad-version"],
  ["header size 12", bytes(0xDC, 1, 12, 1, 0, 0, 0, 0), "bad-header-size"],
  ["type 0", header(0, 0, 0, 0, 0), "bad-type"],
  ["type 255", header(255, 0, 0, 0, 0), "bad-type"],
  ["a TLS hello", bytes(0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3), "bad-marker"],
  ["HTTP", encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "bad-marker"],
  ["a UTF-8 BOM", concat(bytes(0xEF, 0xBB, 0xBF), frame(COMMAND, COMMAND_BODY)), "bad-marker"],
  ["a claim of 4 GiB", header(COMMAND, 0xFF, 0xFF, 0xFF, 0xFF), "limit-reached"],
  ["a claim of 2 GiB", header(COMMAND, 0, 0, 0, 0x80), "limit-reached"],
  ["a big-endian size", header(COMMAND, 0x0D, 0, 0, 0x0D), "limit-reached"],
  ["one byte beyond maxPayload", header(COMMAND, 0xE9, 0x03, 0, 0), "limit-reached"],
  ["garbage after a good frame", concat(command("1", "Slow"), encode("garbage!")), "bad-marker"],
];

for (const [what, sent, code] of fatal) {
  test(`${what} closes that connection only`, () =>
    withServer({ maxPayload: 1_000 }, async ({ server, join, errors }) => {
      server.handle("Do", () => ({ Done: true }));
      server.handle("Slow", () => new Promise(() => {}));
      const [bad, good] = [await join(), await join()];
      assertStrictEquals((await good.ask("Do")).type, OK);
      await bad.write(sent);
      assertEquals(await bad.receiveAll(), []);
      await until(() => server.clients === 1);
      assertStrictEquals(errors.length, 1);
      assertInstanceOf(errors[0], RcspError);
      assertStrictEquals(errors[0].code, code);
      assertStrictEquals((await good.ask("Do")).type, OK);
      assertStrictEquals((await (await join()).ask("Do")).type, OK);
    }));
}

test("a frame truncated at any byte closes that connection only, and is reported", () =>
  withServer({}, async ({ server, join, errors }) => {
    server.handle("Do", () => ({ Done: true }));
    const good = await join();
    const whole = command("1", "Do");
    for (let length = 1; length < whole.length; length++) {
      const bad = await join();
      await bad.write(whole.subarray(0, length));
      await bad.socket.closeWrite();
      assertEquals(await bad.receiveAll(), []);
      assertStrictEquals(errors.length, length);
      assertStrictEquals((errors.at(-1) as RcspError).code, "cut-frame");
    }
    assertStrictEquals((await good.ask("Do")).type, OK);
  }));

test("a client that disconnects between frames is not an error", () =>
  withServer({}, async ({ server, join, errors }) => {
    server.handle("Do", () => {});
    for (const leave of ["close", "closeWrite"] as const) {
      const client = await join();
      assertStrictEquals((await client.ask("Do")).type, OK);
      await client.socket[leave]();
      await until(() => server.clients === 0);
    }
    assertEquals(errors, []);
  }));

const deep = (levels: number): string => `{"Deep":${"[".repeat(levels)}${"]".repeat(levels)}}`;

/** Bodies that get an error response, after which the connection stays open. */
const badBodies: [what: string, body: string | Uint8Array][] = [
  ["nothing", ""],
  ["white space", " \n"],
  ["null", "null"],
  ["a number", "1"],
  ["a string", `"x"`],
  ["an array", `[${COMMAND_BODY}]`],
  ["half an object", "{"],
  ["a trailing comma", `{"Command":"Do","TrackId":"1","Version":1,}`],
  ["two objects", COMMAND_BODY + COMMAND_BODY],
  ["a BOM", `\ufeff${COMMAND_BODY}`],
  ["a byte that is not UTF-8", concat(encode(`{"Command":"`), bytes(0xC0, 0x80), encode(`"}`))],
  ["a lone surrogate in UTF-8", concat(encode(`{"a":"`), bytes(0xED, 0xA0, 0x80), encode(`"}`))],
  ["depth 100", deep(100)],
  ["depth 10,000", deep(10_000)],
  ["depth 1,000,000", deep(1_000_000)],
  ["no keys", "{}"],
  ["a command that is a number", `{"Command":5,"TrackId":"1","Version":1}`],
  ["command null", `{"Command":null,"TrackId":"1","Version":1}`],
  ["keys of another case", `{"command":"Do","trackId":"1","version":1}`],
  ["no command but one in __proto__", `{"__proto__":${COMMAND_BODY}}`],
  ["a TrackId that is a number", `{"Command":"Do","TrackId":1,"Version":1}`],
  ["no TrackId", `{"Command":"Do","Version":1}`],
  ["a Version that is text", `{"Command":"Do","TrackId":"1","Version":"1"}`],
  ["arguments that are an array", `{"Command":"Do","TrackId":"1","Version":1,"Arguments":[]}`],
  ["arguments that are text", `{"Command":"Do","TrackId":"1","Version":1,"Arguments":"x"}`],
];

for (const [what, body] of badBodies) {
  test(`a command whose body is ${what} gets an error response, and the connection stays open`, () =>
    withServer({}, async ({ server, join, errors }) => {
      let calls = 0;
      server.handle("Do", () => ({ Calls: ++calls }));
      const client = await join();
      await client.write(concat(frame(COMMAND, body), command("next", "Do")));
      const [refused, answered] = await client.receiveMany(2);
      assertStrictEquals(refused?.type, ERROR);
      assertStrictEquals(refused.body.Error?.Code, "BadCommand");
      assertStrictEquals(typeof refused.body.Error?.Message, "string");
      assertEquals(answered?.body, { TrackId: "next", Response: { Calls: 1 } });
      assertEquals(errors, [], "it is the client's mistake, and the client gets an error response");
    }));
}

test("a response echoes the TrackId only if it could be read", () =>
  withServer({}, async ({ join }) => {
    const client = await join();
    const trackIdOf = async (body: string): Promise<unknown> => {
      await client.write(frame(COMMAND, body));
      const answer = (await client.receive()).body;
      return "TrackId" in answer ? answer.TrackId : "left out";
    };
    assertStrictEquals(await trackIdOf(`{"TrackId":"1"`), "left out");
    assertStrictEquals(await trackIdOf(`{"TrackId":1}`), "left out");
    assertStrictEquals(await trackIdOf(`{"TrackId":null}`), "left out");
    assertStrictEquals(await trackIdOf(`{"Command":5,"TrackId":"7","Version":1}`), "7");
    assertStrictEquals(await trackIdOf(`{"Command":"Do","TrackId":"8"}`), "8");
    const long = "9".repeat(1024 * 1024);
    assert(await trackIdOf(`{"Command":"Do","TrackId":"${long}","Version":1}`) === long);
  }));

test("a half-closed client gets its pending responses, then the end", () =>
  withServer({}, async ({ server, join, errors }) => {
    const slow = Promise.withResolvers<void>();
    server.handle("Slow", () => slow.promise).handle("Do", () => ({ Done: true }));
    const client = await join();
    await client.write(concat(command("1", "Slow"), command("2", "Do")));
    await client.socket.closeWrite();
    assertStrictEquals((await (await join()).ask("Do")).type, OK);
    slow.resolve();
    const received = await client.receiveAll();
    assertEquals(received.map(({ body }) => body.TrackId), ["1", "2"]);
    assertEquals(errors, []);
    await until(() => server.clients === 1);
  }));
