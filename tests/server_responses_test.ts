import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { CommandError, LimitError } from "../src/errors.ts";
import type { Handler } from "../src/server/command_context.ts";
import { command, concat, ERROR, frame, OK, withServer } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const INTERNAL = { Code: "InternalError", Message: "Internal server error" };
const SECRET = "/home/someone/password.txt";

function circular(key = "self"): Record<string, never> {
  const object: Record<string, unknown> = {};
  object["self"] = object;
  if (key === "toJSON") object["toJSON"] = (): unknown => object;
  return object as Record<string, never>;
}

/** A handler that violates the type `Handler`, as one in plain JavaScript can. */
function giving(value: unknown): Handler {
  return (() => value) as Handler;
}

const results: [what: string, handler: Handler, response: Record<string, unknown> | undefined][] = [
  ["undefined", () => {}, undefined],
  ["null", () => null, undefined],
  ["an empty object", () => ({}), {}],
  ["an object", () => ({ Count: 1, Deep: { Nothing: null } }), {
    Count: 1,
    Deep: { Nothing: null },
  }],
  ["an object that looks like an answer", () => ({ TrackId: "x", Error: 1 }), {
    TrackId: "x",
    Error: 1,
  }],
  ["an object with a key 'then'", () => ({ then: "later" }), { then: "later" }],
  [
    "an object whose toJSON gives an object",
    giving({ secret: SECRET, toJSON: () => ({ At: new Date(0) }) }),
    { At: "1970-01-01T00:00:00.000Z" },
  ],
  ["an object whose toJSON gives null", giving({ toJSON: () => null }), undefined],
  ["an object whose toJSON gives undefined", giving({ toJSON: () => undefined }), undefined],
  ["an object with a key 'toJSON'", () => ({ toJSON: "later" }), { toJSON: "later" }],
  ["text beyond ASCII", () => ({ Text: "zwölf 🧤 \u2028" }), { Text: "zwölf 🧤 \u2028" }],
  ["a promise of undefined", async () => {}, undefined],
  ["a promise of null", () => Promise.resolve(null), undefined],
  ["a promise of an object", () => Promise.resolve({ Count: 2 }), { Count: 2 }],
];

for (const [what, handler, response] of results) {
  test(`a handler that returns ${what} sends a success response`, () =>
    withServer({}, async ({ server, join, errors }) => {
      server.handle("Do", handler);
      const client = await join();
      const expected = response === undefined ? {} : { Response: response };
      assertEquals(await client.ask("Do"), { type: OK, body: { TrackId: "1", ...expected } });
      assertEquals(errors, []);
    }));
}

const failures: [what: string, handler: Handler][] = [
  ["gives an array", giving([1])],
  ["gives a string", giving(SECRET)],
  ["gives a number", giving(0)],
  ["gives a BigInt", giving({ Big: 1n })],
  ["gives a circular object", () => circular()],
  [
    "gives an object whose getter throws",
    giving({
      get Value(): never {
        throw new Error(SECRET);
      },
    }),
  ],
  ["gives a String object", giving(new String("{}"))],
  ["gives a Date", giving(new Date(0))],
  ["promises a Date", giving(Promise.resolve(new Date(0)))],
  ["gives an object whose toJSON gives a number", giving({ toJSON: () => 7 })],
  ["gives an object whose toJSON gives an array", giving({ toJSON: () => [] })],
  ["gives an object whose toJSON gives text", giving({ toJSON: () => `{"A":1}` })],
  [
    "gives an object whose toJSON throws",
    giving({
      toJSON(): never {
        throw new Error(SECRET);
      },
    }),
  ],
  ["gives an object whose toJSON gives itself", () => circular("toJSON")],
  ["promises an array", giving(Promise.resolve([1]))],
  ["promises a circular object", () => Promise.resolve(circular())],
  ["throws an error", () => {
    throw new Error(SECRET);
  }],
  ["rejects with undefined", () => Promise.reject()],
  ["rejects with an error", () => Promise.reject(new TypeError(SECRET))],
  ["rejects with a string", () => Promise.reject(SECRET)],
  ["throws a CommandError whose code JSON cannot say", () => {
    throw new CommandError({ Code: 5n, Message: "no" });
  }],
  [
    "rejects with a CommandError whose code JSON cannot say",
    () => Promise.reject(new CommandError({ Code: 5n, Message: "no" })),
  ],
];

for (const [what, handler] of failures) {
  test(`a handler that ${what} sends an internal error without details`, () =>
    withServer({}, async ({ server, join, errors }) => {
      server.handle("Do", handler).handle("Then", () => ({}));
      const client = await join();
      await client.write(concat(command("a", "Do"), command("b", "Then")));
      assertEquals(await client.receiveMany(2), [
        { type: ERROR, body: { TrackId: "a", Error: INTERNAL } },
        { type: OK, body: { TrackId: "b", Response: {} } },
      ]);
      assertStrictEquals(errors.length, 1);
    }));
}

const refusals: [what: string, error: CommandError, expected: unknown][] = [
  ["a code of text", new CommandError({ Code: "Busy", Message: "later" }), {
    Code: "Busy",
    Message: "later",
  }],
  ["a code that is a number", new CommandError({ Code: 404, Message: "" }), {
    Code: 404,
    Message: "",
  }],
  ["code 0", new CommandError({ Code: 0 }), { Code: 0, Message: null }],
  ["neither code nor message", new CommandError({}), { Code: null, Message: null }],
];

for (const [what, error, expected] of refusals) {
  test(`a CommandError with ${what} becomes the response, thrown or rejected`, () =>
    withServer({}, async ({ server, join, errors }) => {
      server.handle("Throw", () => {
        throw error;
      });
      server.handle("Reject", () => Promise.reject(error));
      const client = await join();
      for (const name of ["Throw", "Reject"]) {
        const { type, body } = await client.ask(name);
        assertStrictEquals(type, ERROR);
        assertEquals(body.Error, expected as never);
      }
      assertEquals(errors, [], "a refusal is not an error of the server");
    }));
}

const LONG = "x".repeat(1024 * 1024);

for (const name of ["Nothing", "__proto__", "constructor", "toString", "", "listdevices", LONG]) {
  test(`command '${name.slice(0, 20)}' of ${name.length} letters is unknown until a handler is added`, () =>
    withServer({}, async ({ server, join, errors }) => {
      server.handle("ListDevices", () => ({}));
      const client = await join();
      const { type, body } = await client.ask(name);
      assertStrictEquals(type, ERROR);
      assertStrictEquals(body.TrackId, "1");
      assertStrictEquals(body.Error?.Code, "UnknownCommand");
      assert(String(body.Error?.Message).length < 100, "the name is not echoed at length");
      server.handle(name, ({ Command }) => ({ Length: Command.length }));
      assertEquals((await client.ask(name)).body.Response, { Length: name.length });
      assertEquals(errors, []);
    }));
}

test("a handler gets the command with its arguments, empty if they are missing or null", () =>
  withServer({}, async ({ server, join }) => {
    server.handle("Echo", ({ Command, TrackId, Version, Arguments }, { client }) => ({
      Command,
      TrackId,
      Version,
      Arguments,
      Polluted: "polluted" in {},
      Remote: client.remote,
    }));
    const client = await join();
    const echo = async (rest: string): Promise<unknown> => {
      await client.write(frame(1, `{"Command":"Echo","TrackId":"é","Version":2${rest}}`));
      return (await client.receive()).body.Response?.["Arguments"];
    };
    assertEquals(await echo(""), {});
    assertEquals(await echo(`,"Arguments":null`), {});
    assertEquals(await echo(`,"Arguments":{"A":null,"B":[1]}`), { A: null, B: [1] });
    const odd = await echo(`,"Arguments":{"__proto__":{"polluted":1},"constructor":2}`);
    assertEquals(Object.keys(odd as object), ["__proto__", "constructor"]);
    assertEquals((await client.ask("Echo")).body.Response, {
      Command: "Echo",
      TrackId: "1",
      Version: 1,
      Arguments: {},
      Polluted: false,
      Remote: "memory",
    });
  }));

test("a second handler for a name replaces the first", () =>
  withServer({}, async ({ server, join }) => {
    assertStrictEquals(server.handle("Do", () => ({ Turn: 1 })), server);
    server.handle("Do", () => ({ Turn: 2 }));
    assertEquals((await (await join()).ask("Do")).body.Response, { Turn: 2 });
  }));

test("a response longer than maxPayload becomes an internal error, and is reported", () =>
  withServer({ maxPayload: 1_000 }, async ({ server, join, errors }) => {
    server.handle("Long", () => ({ Text: "é".repeat(490) }));
    server.handle("Fits", () => ({ Text: "é".repeat(400) }));
    const client = await join();
    assertEquals((await client.ask("Long")).body.Error, INTERNAL);
    assertInstanceOf(errors[0], LimitError);
    assertStrictEquals(errors[0].limit, "maxPayload");
    assertStrictEquals((await client.ask("Fits")).type, OK);
  }));

test("error codes and the path of TrackId are those of the dialect", () => {
  const dialect = {
    trackId: "Meta.Track",
    errorCodes: { unknownCommand: "E1", internal: "E2", badCommand: "E3", badArguments: "E4" },
  };
  return withServer({ dialect }, async ({ server, join }) => {
    server.handle("Fail", () => {
      throw new Error(SECRET);
    });
    server.handle("Do", () => ({ Done: true }));
    const client = await join();
    const code = async (name: string): Promise<unknown> =>
      (await client.ask(name)).body.Error?.Code;
    assertStrictEquals(await code("Nothing"), "E1");
    assertStrictEquals(await code("Fail"), "E2");
    assertStrictEquals(await code("Subscribe"), "E4");
    await client.write(frame(1, "{"));
    assertStrictEquals((await client.receive()).body.Error?.Code, "E3");
    assertEquals((await client.ask("Do")).body, { Meta: { Track: "4" }, Response: { Done: true } });
    server.handle("Do", giving({ toJSON: () => 7 }));
    assertStrictEquals(await code("Do"), "E2");
  });
});
