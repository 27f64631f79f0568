import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { ConnectionError, TimeoutError } from "../src/errors.ts";
import type { HandlerContext } from "../src/server/command_context.ts";
import { RcspServer } from "../src/server/server.ts";
import { networkAdapters } from "./support/adapters.ts";
import { command, concat, ERROR, OK, RawClient, until, withServer } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const LONGEST = 2 ** 31 - 1;

/** Resolves with the reason when the signal aborts. */
function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

/** A handler that never settles, and the signals that it got. */
function hanging(): {
  signals: AbortSignal[];
  handler: (_: unknown, c: HandlerContext) => Promise<never>;
} {
  const signals: AbortSignal[] = [];
  const handler = (_: unknown, { signal }: HandlerContext): Promise<never> => {
    signals.push(signal);
    return new Promise(() => {});
  };
  return { signals, handler };
}

const leaving: [how: string, leave: (client: RawClient) => unknown][] = [
  ["closes", (client) => client.close()],
  ["ends its half", (client) => client.socket.closeWrite()],
  ["breaks the protocol", (client) => client.write(new Uint8Array(8))],
  ["is closed by another handler", (client) => client.write(command("2", "Leave"))],
];

for (const [how, leave] of leaving) {
  test(`a handler's signal aborts when its client ${how}`, () =>
    withServer({ closeTimeout: 50 }, async ({ server, join }) => {
      const { signals, handler } = hanging();
      server.handle("Hang", handler).handle("Leave", (_, { client }) => client.close());
      const [client, other] = [await join(), await join()];
      for (const each of [client, other]) await each.write(command("1", "Hang"));
      await until(() => signals.length === 2);
      await leave(client);
      assertInstanceOf(await aborted(signals[0]!), Error);
      assertStrictEquals(signals[1]?.aborted, false, "the signal of another client does not");
      await until(() => server.clients === 1);
    }));
}

for (const { name, connector, listen } of networkAdapters) {
  test(`${name}: a handler's signal aborts when its client disconnects, even while reading is paused`, async () => {
    const server = new RcspServer({ maxQueued: 1, closeTimeout: 50 });
    const address = await server.serve(listen);
    const { signals, handler } = hanging();
    server.handle("Hang", handler);
    const client = new RawClient(await connector(address));
    await client.write(command("1", "Hang"));
    await until(() => signals.length === 1);
    await client.close();
    const reason = await aborted(signals[0]!);
    assertInstanceOf(reason, ConnectionError);
    assertStrictEquals(reason.code, "connection-closed");
    await until(() => server.clients === 0);
    await server.close();
  });
}

test("a half-closed client still gets the response of a handler that continues", () =>
  withServer({}, async ({ server, join, errors }) => {
    const held = Promise.withResolvers<{ Late: true }>();
    const given: AbortSignal[] = [];
    server.handle("Hold", (_, { signal }) => {
      given.push(signal);
      return held.promise;
    });
    const client = await join();
    await client.write(command("1", "Hold"));
    await client.socket.closeWrite();
    await until(() => given.length === 1);
    await aborted(given[0]!);
    held.resolve({ Late: true });
    assertEquals(await client.receiveAll(), [
      { type: OK, body: { TrackId: "1", Response: { Late: true } } },
    ]);
    assertEquals(errors, []);
  }));

test("a half-closed client is closed after closeTimeout without a response", () =>
  withServer({ closeTimeout: 20 }, async ({ server, join, errors }) => {
    server.handle("Hang", hanging().handler).handle("Do", () => {});
    const client = await join();
    await client.write(concat(command("1", "Do"), command("2", "Hang")));
    await client.socket.closeWrite();
    assertEquals((await client.receiveAll()).map(({ body }) => body.TrackId), ["1"]);
    await until(() => server.clients === 0);
    assertEquals(errors, []);
  }));

test("close() aborts the signals at once, and does not wait for closeTimeout if handlers stop", () =>
  withServer({ closeTimeout: LONGEST }, async ({ server, join, errors }) => {
    let started = 0;
    server.handle("Heed", async (_, { signal }) => {
      started++;
      await aborted(signal);
      signal.throwIfAborted();
    });
    server.handle("AnswerAll", async (_, { signal }) => {
      started++;
      await aborted(signal);
      return { Last: true };
    });
    const client = await join();
    await client.write(concat(command("1", "Heed"), command("2", "AnswerAll")));
    await until(() => started === 2);
    const closing = server.close();
    const answers = await client.receiveAll();
    assertEquals(answers.map(({ type }) => type), [ERROR, OK]);
    assertEquals(answers[1]?.body.Response, { Last: true });
    await client.close();
    await closing;
    assertEquals(errors, [], "a handler that stops on abort is not an error");
  }));

for (const what of ["the reason", "an AbortError"]) {
  test(`a handler that rejects with ${what} after its client disconnected is not an error`, () =>
    withServer({}, async ({ server, join, errors }) => {
      let ended = 0;
      let started = 0;
      server.handle("Heed", async (_, { signal }) => {
        started++;
        const reason = await aborted(signal);
        ended++;
        throw what === "the reason" ? reason : new DOMException("stopped", "AbortError");
      });
      const client = await join();
      await client.write(concat(command("1", "Heed"), command("2", "Heed")));
      await until(() => started === 2);
      await client.socket.closeWrite();
      assertEquals((await client.receiveAll()).map(({ type }) => type), [ERROR, ERROR]);
      await until(() => server.clients === 0);
      assertEquals([ended, errors.length], [2, 0]);
    }));
}

test("an AbortError of a handler whose signal has not aborted is an error like any other", () =>
  withServer({}, async ({ server, join, errors }) => {
    const error = new DOMException("stopped", "AbortError");
    server.handle("Do", () => Promise.reject(error));
    assertStrictEquals((await (await join()).ask("Do")).type, ERROR);
    assertEquals(errors, [error]);
  }));

test("a handler that exceeds handlerTimeout gets an error response, and its late result is dropped", () =>
  withServer({ handlerTimeout: 20, maxUnsent: 1_000 }, async ({ server, join, errors }) => {
    const held = Promise.withResolvers<{ Late: string }>();
    const given: AbortSignal[] = [];
    server.handle("Hold", (_, { signal }) => {
      given.push(signal);
      return held.promise;
    });
    server.handle("Do", () => Promise.resolve());
    const client = await join();
    await client.write(concat(command("a", "Hold"), command("b", "Do")));
    const [refused, done] = await client.receiveMany(2);
    assertEquals(refused, {
      type: ERROR,
      body: {
        TrackId: "a",
        Error: { Code: "Timeout", Message: "'Hold' timed out after 20 ms" },
      },
    });
    assertEquals(done, { type: OK, body: { TrackId: "b" } });
    const [error] = errors;
    assertInstanceOf(error, TimeoutError);
    assertStrictEquals(error.timeout, 20);
    assertStrictEquals(given[0]?.reason, error);
    held.resolve({ Late: "x".repeat(10_000) });
    assertEquals(await client.ask("Do"), { type: OK, body: { TrackId: "1" } });
    assertEquals(await client.ask("Do"), { type: OK, body: { TrackId: "2" } }, "it takes no room");
    assertStrictEquals(errors.length, 1);
  }));

test("after handlerTimeout an error of the handler is reported, but not the signal's own reason", () =>
  withServer({ handlerTimeout: 10 }, async ({ server, join, errors }) => {
    const late = new Error("late");
    server.handle("Heed", async (_, { signal }) => {
      throw await aborted(signal);
    });
    server.handle("Fail", async (_, { signal }) => {
      await aborted(signal);
      throw late;
    });
    const client = await join();
    for (const name of ["Heed", "Fail"]) {
      assertStrictEquals((await client.ask(name)).body.Error?.Code, "Timeout");
    }
    await until(() => errors.length === 3);
    assertEquals(errors.map((error) => error instanceof TimeoutError), [true, true, false]);
    assertStrictEquals(errors[2], late);
  }));

test("handlerTimeout applies to onSubscribe, and the subscriptions behind it continue", () => {
  const held: PromiseWithResolvers<void>[] = [];
  const onSubscribe = (): Promise<void> => {
    held.push(Promise.withResolvers<void>());
    return held.at(-1)!.promise;
  };
  return withServer({ onSubscribe, handlerTimeout: 20 }, async ({ server, join }) => {
    const client = await join();
    const topic = { Publisher: "P", Topic: "T" };
    assertStrictEquals((await client.ask("Subscribe", topic)).body.Error?.Code, "Timeout");
    const second = client.ask("Subscribe", { ...topic, Topic: "U" });
    await until(() => held.length === 2);
    held[1]?.resolve();
    assertStrictEquals((await second).type, OK);
    held[0]?.resolve();
    await Promise.resolve();
    assertStrictEquals((await client.ask("Nothing")).type, ERROR);
    assertStrictEquals(server.publish({ publisher: "P", topic: "T" }), 0);
    assertStrictEquals(server.publish({ publisher: "P", topic: "U" }), 1);
  });
});

test("handlerTimeout leaves no timer, whichever ends first", () =>
  withServer({ handlerTimeout: LONGEST, closeTimeout: 50 }, async ({ server, join }) => {
    const { signals, handler } = hanging();
    server.handle("Hang", handler).handle("Do", () => Promise.resolve({}));
    server.handle("Fail", () => Promise.reject(new Error("no")));
    const [leaves, stays] = [await join(), await join()];
    for (const client of [leaves, stays]) {
      assertStrictEquals((await client.ask("Do")).type, OK);
      assertStrictEquals((await client.ask("Fail")).type, ERROR);
      await client.write(command("1", "Hang"));
    }
    await until(() => signals.length === 2);
    await leaves.close();
    await until(() => server.clients === 1);
    // The other timer ends with the server; Deno's sanitizer would find either.
  }));

for (const maxQueued of [1024, 1]) {
  test(`disconnected clients do not count toward maxClients, with maxQueued ${maxQueued}`, () =>
    withServer({ maxClients: 5, maxQueued, closeTimeout: LONGEST }, async ({ server, join }) => {
      const { signals, handler } = hanging();
      server.handle("Hang", handler).handle("Do", () => {});
      const leaving = await Promise.all(Array.from({ length: 5 }, join));
      await Promise.all(leaving.map((client) => client.write(command("1", "Hang"))));
      await until(() => signals.length === 5);
      await Promise.all(leaving.map((client) => client.close()));
      await until(() => signals.every((signal) => signal.aborted));
      const staying = await Promise.all(Array.from({ length: 5 }, join));
      for (const client of staying) assertStrictEquals((await client.ask("Do")).type, OK);
      assertEquals(await (await join()).receiveAll(), [], "a seat that is taken is not free");
      await until(() => server.clients === 5);
    }));
}

test("a client that waits for its response stays connected, whatever its handler does", () =>
  withServer({ maxClients: 1 }, async ({ server, join }) => {
    const held = Promise.withResolvers<void>();
    server.handle("Hold", () => held.promise);
    const client = await join();
    await client.write(command("1", "Hold"));
    await until(() => server.clients === 1);
    assertEquals(await (await join()).receiveAll(), []);
    held.resolve();
    assertStrictEquals((await client.receive()).type, OK);
  }));

test("a half-closed client gets its response as long as maxClients is not reached", () =>
  withServer({ maxClients: 2, closeTimeout: LONGEST }, async ({ server, join }) => {
    const held = Promise.withResolvers<void>();
    const given: AbortSignal[] = [];
    server.handle("Hold", (_, { signal }) => {
      given.push(signal);
      return held.promise;
    }).handle("Do", () => {});
    const [first, second] = [await join(), await join()];
    for (const client of [first, second]) {
      await client.write(command("1", "Hold"));
      await client.socket.closeWrite();
    }
    await until(() => given.length === 2 && given.every((signal) => signal.aborted));
    assertStrictEquals((await (await join()).ask("Do")).type, OK);
    assertEquals(await first.receiveAll(), [], "the one that came first made room");
    held.resolve();
    assertEquals((await second.receiveAll()).map(({ type }) => type), [OK]);
  }));

for (const maxQueued of [1024, 1]) {
  test(`close() does not wait for disconnected clients, with maxQueued ${maxQueued}`, () =>
    withServer({ maxQueued, closeTimeout: LONGEST }, async ({ server, join }) => {
      const { signals, handler } = hanging();
      server.handle("Hang", handler);
      const [before, meanwhile] = [await join(), await join()];
      for (const client of [before, meanwhile]) await client.write(command("1", "Hang"));
      await until(() => signals.length === 2);
      await before.close();
      await until(() => signals.some((signal) => signal.aborted));
      const closing = server.close();
      await meanwhile.close();
      await closing;
      assertStrictEquals(server.clients, 0);
    }));
}

/** Collects what `use` logs with console.error(). */
async function shownIn(use: () => Promise<void>): Promise<string[]> {
  const { error } = console;
  const shown: string[] = [];
  console.error = (...parts: unknown[]): void => void shown.push(parts.join(" "));
  try {
    await use();
  } finally {
    console.error = error;
  }
  return shown;
}

test("without onError the first error of each handler is logged to the console", async () => {
  const shown = await shownIn(() =>
    withServer({ onError: undefined, handlerTimeout: 10 }, async ({ server, join }) => {
      server.handle("Fail", () => {
        throw new Error("inside \x1b[2J");
      });
      server.handle("Reject", () => Promise.reject(Object.create(null)));
      server.handle("Hang", hanging().handler);
      const client = await join();
      for (const name of ["Fail", "Reject", "Fail", "Nothing", "Reject", "Hang"]) {
        assertStrictEquals((await client.ask(name)).type, ERROR);
      }
    })
  );
  assertStrictEquals(shown.length, 3);
  const [fail = "", reject = "", hang = ""] = shown;
  assert(fail.startsWith("RCSP server: handler of 'Fail' failed: Error: inside \\u001b[2J"), fail);
  assert(fail.includes("'onError'"), fail);
  assert(reject.startsWith("RCSP server: handler of 'Reject' failed: "), reject);
  assert(hang.includes("'handlerTimeout'"), hang);
});

test("errors of handleUnknown() are logged once, whatever names a client sends", async () => {
  const shown = await shownIn(() =>
    withServer({ onError: undefined }, async ({ server, join }) => {
      server.handleUnknown(({ Command }) => Promise.reject(new Error(`no ${Command}`)));
      const client = await join();
      for (const name of ["A", "B", "C"]) assertStrictEquals((await client.ask(name)).type, ERROR);
    })
  );
  assertStrictEquals(shown.length, 1);
  assert(shown[0]!.startsWith("RCSP server: handler of 'A' failed: Error: no A"), shown[0]);
});

test("with onError nothing is logged to the console", async () => {
  const shown = await shownIn(() =>
    withServer({}, async ({ server, join, errors }) => {
      server.handle("Fail", () => Promise.reject(new Error("inside")));
      assertStrictEquals((await (await join()).ask("Fail")).type, ERROR);
      assertStrictEquals(errors.length, 1);
    })
  );
  assertEquals(shown, []);
});

test("handleUnknown() gets the commands without a handler of their own", async () => {
  await withServer({}, async ({ server, join }) => {
    server.handle("Known", () => ({ own: true }));
    server.handleUnknown(({ Command, Arguments }) => ({ Command, Arguments }));
    const client = await join();
    assertEquals((await client.ask("Known")).body.Response, { own: true });
    assertEquals((await client.ask("Other", { a: 1 })).body.Response, {
      Command: "Other",
      Arguments: { a: 1 },
    });
    const { body } = await client.ask("Subscribe", {});
    assertEquals(body.Error?.Code, "BadArguments");
  });
});
