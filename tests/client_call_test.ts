import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CommandError, type JsonObject, LimitError, type RcspClient } from "../mod.ts";
import {
  echo,
  frame,
  mute,
  ok,
  type Received,
  refusal,
  withScripted,
} from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const SENT: { what: string; call: (rcsp: RcspClient) => Promise<unknown>; json: string }[] = [
  {
    what: "call()",
    call: (rcsp) => rcsp.call("Ping"),
    json: '{"Command":"Ping","TrackId":"1","Version":1}',
  },
  {
    what: "call() with null as arguments",
    call: (rcsp) => rcsp.call("Ping", null),
    json: '{"Command":"Ping","TrackId":"1","Version":1}',
  },
  {
    what: "call() with arguments",
    call: (rcsp) => rcsp.call("Ping", { A: null, B: [1, "ä"], C: undefined, D: { E: true } }),
    json:
      '{"Command":"Ping","TrackId":"1","Version":1,"Arguments":{"A":null,"B":[1,"ä"],"D":{"E":true}}}',
  },
  {
    what: "call() with another version",
    call: (rcsp) => rcsp.call("Ping", undefined, { version: 2 }),
    json: '{"Command":"Ping","TrackId":"1","Version":2}',
  },
  {
    what: "call() with a name that needs escapes",
    call: (rcsp) => rcsp.call('"\n\ud800'),
    json: '{"Command":"\\"\\n\\ud800","TrackId":"1","Version":1}',
  },
  {
    what: "listDevices()",
    call: (rcsp) => rcsp.listDevices(),
    json: '{"Command":"ListDevices","TrackId":"1","Version":1}',
  },
  {
    what: "getDeviceInfo()",
    call: (rcsp) => rcsp.getDeviceInfo(7),
    json: '{"Command":"GetDeviceInfo","TrackId":"1","Version":1,"Arguments":{"DeviceId":7}}',
  },
  {
    what: "setColorLed()",
    call: (rcsp) => rcsp.setColorLed("g", { LedId: "RingLed", Red: 255, Green: 0, Blue: 1 }),
    json: '{"Command":"SetColorLed","TrackId":"1","Version":1,' +
      '"Arguments":{"DeviceId":"g","LedId":"RingLed","Red":255,"Green":0,"Blue":1}}',
  },
];

for (const { what, call, json } of SENT) {
  test(`${what} sends exactly the expected bytes`, () =>
    withScripted((command) => ok(command), async (rcsp, server) => {
      await call(rcsp);
      const body = new TextEncoder().encode(json);
      const header = [0xdc, 1, 8, 1, body.length & 0xff, body.length >> 8, 0, 0];
      assertEquals(server.tap.writes.map((bytes) => [...bytes]), [[...header, ...body]]);
    }));
}

test("call() numbers TrackIds from 1, and a rejected call uses none", () =>
  withScripted(echo, async (rcsp, server) => {
    for (const name of ["A", "B"]) await rcsp.call(name);
    await assertRejects(() => rcsp.call("C", { text: "x".repeat(200) }), LimitError);
    await assertRejects(() => rcsp.call("D", { n: 1n }), TypeError);
    assertEquals(await rcsp.call("E"), { name: "E", id: "3" });
    assertEquals(server.names, ["A", "B", "E"]);
  }, { maxPayload: 200 }));

test("call() rejects invalid commands, and sends nothing", () =>
  withScripted(echo, async (rcsp, server) => {
    const loop: Record<string, unknown> = {};
    loop["loop"] = loop;
    const wrong: (() => Promise<unknown>)[] = [
      () => rcsp.call(5 as unknown as string),
      () => rcsp.call("A", [] as unknown as JsonObject),
      () => rcsp.call("A", "text" as unknown as JsonObject),
      () => rcsp.call("A", new Date() as unknown as JsonObject),
      () => rcsp.call("A", loop),
      () => rcsp.call("A", { toJSON: () => undefined }),
      () => rcsp.call("A", {}, { version: NaN }),
      () => rcsp.call("A", {}, { version: "1" as unknown as number }),
    ];
    for (const call of wrong) await assertRejects(call, TypeError);
    await rcsp.call("Last");
    assertEquals(server.names, ["Last"]);
  }));

test("call() rejects an invalid timeout, and names it", () =>
  withScripted(echo, async (rcsp) => {
    for (const timeout of [0, -1, 1.5, NaN, 2 ** 31]) {
      const error = await assertRejects(() => rcsp.call("A", {}, { timeout }), RangeError);
      assert(error.message.includes("'timeout'"), error.message);
      assert(error.message.endsWith(`current value is ${timeout}`), error.message);
    }
  }));

const RESPONSES: { what: string; body: (trackId: string) => object; response: unknown }[] = [
  { what: "no Response", body: (TrackId) => ({ TrackId }), response: {} },
  {
    what: "Response null",
    body: (TrackId) => ({ TrackId, Response: null }),
    response: {},
  },
  { what: "no TrackId", body: () => ({ Response: { a: 1 } }), response: { a: 1 } },
  {
    what: "TrackId null",
    body: () => ({ TrackId: null, Response: { a: null } }),
    response: { a: null },
  },
  {
    what: "Error null beside Response",
    body: (TrackId) => ({ TrackId, Response: { a: 1 }, Error: null }),
    response: { a: 1 },
  },
  {
    what: "both Response and Error",
    body: (TrackId) => ({ TrackId, Response: { a: 1 }, Error: { Code: 1 } }),
    response: { a: 1 },
  },
  {
    what: "unknown keys and keys in another case",
    body: (TrackId) => ({ TrackId, trackId: "9", response: [], Other: {}, Response: { a: 1 } }),
    response: { a: 1 },
  },
];

for (const { what, body, response } of RESPONSES) {
  test(`call() accepts a response with ${what}`, () =>
    withScripted(({ trackId }) => frame(2, body(trackId)), async (rcsp) => {
      assertEquals<unknown>(await rcsp.call("A"), response);
    }));
}

const NO_MESSAGE = "the server gave no message";
const ERRORS: { error: unknown; code: unknown; message: string | undefined; text: string }[] = [
  { error: { Code: "E1", Message: "No" }, code: "E1", message: "No", text: "A failed [E1]: No" },
  { error: { Code: 404, Message: "No" }, code: 404, message: "No", text: "A failed [404]: No" },
  { error: { Code: 0, Message: "" }, code: 0, message: "", text: "A failed [0]: " },
  { error: { Code: null, Message: "No" }, code: undefined, message: "No", text: "A failed: No" },
  { error: { Message: "No" }, code: undefined, message: "No", text: "A failed: No" },
  {
    error: { Code: { a: 1 } },
    code: { a: 1 },
    message: undefined,
    text: `A failed [{"a":1}]: ${NO_MESSAGE}`,
  },
  {
    error: { Message: null },
    code: undefined,
    message: undefined,
    text: `A failed: ${NO_MESSAGE}`,
  },
  { error: { Message: [1] }, code: undefined, message: undefined, text: `A failed: ${NO_MESSAGE}` },
  { error: {}, code: undefined, message: undefined, text: `A failed: ${NO_MESSAGE}` },
  { error: null, code: undefined, message: undefined, text: `A failed: ${NO_MESSAGE}` },
  { error: undefined, code: undefined, message: undefined, text: `A failed: ${NO_MESSAGE}` },
];

for (const { error, code, message, text } of ERRORS) {
  test(`call() rejects with a CommandError for Error ${JSON.stringify(error)}`, () =>
    withScripted((command: Received) => refusal(command, error), async (rcsp) => {
      const caught = await assertRejects(() => rcsp.call("A"), CommandError);
      assertEquals([caught.code, caught.command, caught.trackId], ["command-failed", "A", "1"]);
      assertEquals([caught.errorCode, caught.errorMessage], [code, message]);
      assertStrictEquals(caught.message, text);
      assertStrictEquals(rcsp.stats().failed, 1);
    }));
}

test("call() accepts an error response that names no command, and one with a Response", () => {
  const bodies = [{ Error: { Code: 1 } }, { TrackId: null, Error: {}, Response: { a: 1 } }];
  return withScripted(() => frame(3, bodies.shift()!), async (rcsp) => {
    for (const name of ["A", "B"]) await assertRejects(() => rcsp.call(name), CommandError, name);
  });
});

test("call() returns a response with the keys of every object unchanged", () => {
  const text = '{"then":1,"__proto__":{"polluted":true},"toJSON":"x","constructor":null,' +
    '"hasOwnProperty":[],"valueOf":0}';
  return withScripted(
    ({ trackId }) => frame(2, `{"TrackId":"${trackId}","Response":${text}}`),
    async (rcsp) => {
      for (const response of [await rcsp.call("A"), await rcsp.getDeviceInfo(1)]) {
        assertStrictEquals(JSON.stringify(Object.entries(response)), entriesOf(text));
        assertStrictEquals(Object.getPrototypeOf(response), Object.prototype);
        assertStrictEquals(({} as JsonObject)["polluted"], undefined);
      }
    },
  );
});

function entriesOf(text: string): string {
  return JSON.stringify(Object.entries(JSON.parse(text)));
}

test("call() rejects at maxPending, and works again after responses", () =>
  withScripted(mute, async (rcsp, server) => {
    const calls = ["A", "B", "C"].map((name) => rcsp.call(name));
    const error = await assertRejects(
      () => rcsp.call("D"),
      LimitError,
      "Cannot send command 'D' as 'maxPending' (3) is reached: wait for responses",
    );
    assertEquals([error.code, error.limit, error.max], ["limit-reached", "maxPending", 3]);
    await server.until(3);
    await assertRejects(() => rcsp.call("D"), LimitError);
    server.send(ok({ trackId: "1" }));
    await calls[0];
    const fourth = rcsp.call("E");
    await assertRejects(() => rcsp.call("F"), LimitError);
    server.send(...["2", "3", "4"].map((trackId) => ok({ trackId }, { trackId })));
    assertEquals(await fourth, { trackId: "4" });
    assertEquals(server.names, ["A", "B", "C", "E"]);
  }, { maxPending: 3 }));

test("call() applies maxPayload to the exact number of bytes", () => {
  const command = (text: string): string =>
    `{"Command":"A","TrackId":"1","Version":1,"Arguments":{"T":"${text}"}}`;
  const fits = "ä".repeat(30);
  const maxPayload = new TextEncoder().encode(command(fits)).length;
  return withScripted(echo, async (rcsp, server) => {
    const error = await assertRejects(
      () => rcsp.call("A", { T: `${fits}x` }),
      LimitError,
      `Cannot send command 'A' as its body of ${maxPayload + 1} bytes is longer than 'maxPayload'`,
    );
    assertEquals([error.limit, error.max], ["maxPayload", maxPayload]);
    await rcsp.call("A", { T: fits });
    assertEquals(server.received.map(({ text }) => text), [command(fits)]);
  }, { maxPayload });
});
