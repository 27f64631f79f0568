import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertLessOrEqual,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { LimitError } from "../src/errors.ts";
import { RcspServer, type ServerOptions } from "../src/server/server.ts";
import type { Socket } from "../src/socket/socket.ts";
import { command, concat, EVENT, OK, until, withServer } from "./support/raw_client.ts";
import { sleep, untilStill } from "./support/adapters.ts";
import { test } from "./support/test.ts";

const KiB = 1024;
const TOPIC = { publisher: "P", topic: "T" };
const ARGS = { Publisher: "P", Topic: "T" };

/** A socket that counts what is read from it. */
function counting(socket: Socket, count: { read: number }): Socket {
  return {
    remote: socket.remote,
    closed: socket.closed,
    write: (bytes) => socket.write(bytes),
    closeWrite: () => socket.closeWrite(),
    close: () => socket.close(),
    async read() {
      const chunk = await socket.read();
      count.read += chunk?.length ?? 0;
      return chunk;
    },
  };
}

test("a client that never reads its events is disconnected at maxUnsent while others continue", () =>
  withServer({ maxUnsent: 256 * KiB }, async ({ server, join, errors }) => {
    server.handle("Do", () => {});
    const [mute, good] = [await join(), await join()];
    for (const client of [mute, good]) await client.ask("Subscribe", ARGS);
    const data = { Text: "x".repeat(10 * KiB) };
    let published = 0;
    while (server.clients === 2) {
      assert(++published < 1_000, "it holds more than any bound");
      server.publish({ ...TOPIC, data });
      await good.receive();
    }
    // Twice maxUnsent is more than the server and the socket buffer together.
    assertLessOrEqual(published * 10, 2 * 256);
    assertStrictEquals(errors.length, 1);
    assertInstanceOf(errors[0], LimitError);
    assertEquals([errors[0].limit, errors[0].max], ["maxUnsent", 256 * KiB]);
    assertStrictEquals(server.publish({ ...TOPIC, data }), 1);
    assertStrictEquals((await good.receive()).body["Topic"], "T");
    assertStrictEquals((await good.ask("Do")).type, OK);
  }));

test("publish() does not count a client that it disconnects", () =>
  withServer({ maxUnsent: 1 }, async ({ server, join }) => {
    const client = await join();
    await client.ask("Subscribe", ARGS);
    assertEquals([server.publish(TOPIC), server.publish(TOPIC), server.publish(TOPIC)], [1, 0, 0]);
  }));

test("the server stops reading from a client that never reads its responses", () =>
  withServer({ maxUnsent: 256 * KiB }, async ({ server, joinThrough }) => {
    const count = { read: 0 };
    let calls = 0;
    server.handle("Long", () => ({ Text: "x".repeat(KiB), Calls: ++calls }));
    const client = joinThrough((socket) => counting(socket, count));
    let sent = 0;
    const sending = (async () => {
      for (; sent < 100_000; sent++) await client.write(command(sent, "Long"));
    })().catch(() => {});
    await untilStill(() => count.read + calls);
    // What waits in the socket's 64 KiB, then half of maxUnsent, then a chunk in each direction.
    assertLessOrEqual(calls, 64 + 256 + 64);
    assertLessOrEqual(count.read, 200 * KiB);
    await client.close();
    await sending;
  }));

test("the server stops reading from a client at maxQueued pending commands, and resumes later", () =>
  withServer({ maxQueued: 10 }, async ({ server, joinThrough, join, errors }) => {
    const count = { read: 0 };
    const held: PromiseWithResolvers<void>[] = [];
    server.handle("Hold", () => {
      held.push(Promise.withResolvers());
      return held.at(-1)!.promise;
    });
    const client = joinThrough((socket) => counting(socket, count));
    const total = 5_000;
    const sending = (async () => {
      for (let id = 0; id < total; id += 100) {
        await client.write(
          concat(...Array.from({ length: 100 }, (_, i) => command(id + i, "Hold"))),
        );
      }
    })();
    sending.catch(() => {});
    await until(() => held.length >= 10);
    await untilStill(() => count.read);
    assertLessOrEqual(count.read, 64 * KiB, "no more than one chunk");
    assertStrictEquals(held.length, 10, "no more handlers run than may be queued");
    const other = await join();
    assertStrictEquals((await other.ask("Nothing")).body.Error?.Code, "UnknownCommand");
    const reading = client.receiveMany(total);
    for (let done = 0; done < total; done++) {
      await until(() => held.length > done);
      assertLessOrEqual(held.length - done, 10);
      held[done]?.resolve();
      if (done % 10 === 9) await Promise.resolve();
    }
    const received = await reading;
    assertEquals(received.map(({ body }) => body.TrackId), received.map((_, i) => String(i)));
    await sending;
    assertEquals(errors, []);
  }));

for (const [turns, atOnce] of [[0, 250], [1, 25], [5, 25]] as const) {
  test(`a client that reads gets ${atOnce} long responses at once, ${turns} turns late`, () =>
    withServer({ maxUnsent: 64 * KiB }, async ({ server, join, errors }) => {
      server.handle("Long", ({ TrackId }) => {
        const answer = { Text: TrackId.padStart(KiB) };
        return turns === 0 ? answer : late(turns).then(() => answer);
      });
      const client = await join();
      const count = 500;
      const sending = (async () => {
        for (let id = 0; id < count; id += atOnce) {
          const batch = Array.from({ length: atOnce }, (_, i) => command(id + i, "Long"));
          await client.write(concat(...batch));
          if (turns > 0) await sleep(0);
        }
      })();
      sending.catch(() => {});
      const received = await client.receiveMany(count);
      await sending;
      assertEquals(received.map(({ body }) => body.TrackId), received.map((_, i) => String(i)));
      assertEquals(errors, []);
    }));
}

async function late(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
}

test("reading from a client resumes after a slow long response behind a fast long one", () =>
  withServer({ maxUnsent: 1_000 }, async ({ server, join, errors }) => {
    const slow = Promise.withResolvers<{ Text: string }>();
    const long = { Text: "x".repeat(600) };
    let calls = 0;
    server.handle("Quick", () => long).handle("Slow", () => (calls++, slow.promise));
    const client = await join();
    await client.write(concat(command("1", "Quick"), command("2", "Slow")));
    assertStrictEquals((await client.receive()).body.TrackId, "1");
    await until(() => calls === 1);
    slow.resolve(long);
    assertStrictEquals((await client.receive()).body.TrackId, "2");
    assertStrictEquals((await client.ask("Quick")).type, OK);
    assertEquals(errors, []);
  }));

test("a client beyond maxClients is closed, and can connect after another has left", () =>
  withServer({ maxClients: 2 }, async ({ server, join }) => {
    server.handle("Do", () => {});
    const [one, two] = [await join(), await join()];
    for (const client of [one, two]) assertStrictEquals((await client.ask("Do")).type, OK);
    assertEquals(await (await join()).receiveAll(), []);
    assertStrictEquals(server.clients, 2);
    assertStrictEquals((await one.ask("Do")).type, OK);
    await one.close();
    await until(() => server.clients === 1);
    assertStrictEquals((await (await join()).ask("Do")).type, OK);
  }));

test("two hundred concurrent clients, half of them mute, are all served", () =>
  withServer({}, async ({ server, join, errors }) => {
    server.handle("Echo", ({ Arguments }) => Arguments);
    const clients = await Promise.all(Array.from({ length: 200 }, join));
    const mute = clients.filter((_, i) => i % 2 === 0);
    const talking = clients.filter((_, i) => i % 2 === 1);
    // Some mute clients have begun a frame, others have sent commands and do not read the
    // responses.
    await Promise.all(mute.map(async (client, i) => {
      if (i % 4 === 1) await client.write(command("1", "Echo").subarray(0, i % 30 + 1));
      if (i % 4 === 2) await client.write(concat(...Array(20).fill(command("1", "Echo"))));
    }));
    await Promise.all(talking.map(async (client, name) => {
      for (let turn = 1; turn <= 20; turn++) {
        const { body } = await client.ask("Echo", { name, turn });
        assertEquals(body, { TrackId: String(turn), Response: { name, turn } });
      }
    }));
    assertStrictEquals(server.clients, 200);
    await Promise.all(clients.map((client) => client.close()));
    await until(() => server.clients === 0);
    // Only clients that disconnected inside a frame are reported.
    assertStrictEquals(errors.length, 25);
  }));

const wrong: [options: ServerOptions, error: typeof RangeError | typeof TypeError][] = [
  [{ maxClients: 0 }, RangeError],
  [{ maxPayload: 2 ** 32 }, RangeError],
  [{ maxDepth: 1.5 }, RangeError],
  [{ maxQueued: NaN }, RangeError],
  [{ maxUnsent: -1 }, RangeError],
  [{ closeTimeout: 2 ** 31 }, RangeError],
  [{ dialect: { trackId: "" } }, TypeError],
  [{ dialect: { unknown: "x" } as never }, TypeError],
];

for (const [options, error] of wrong) {
  test(`a server with ${JSON.stringify(options)} throws a ${error.name}`, () => {
    assertThrows(() => new RcspServer(options), error, Object.keys(options)[0]);
  });
}

test("responses that become ready together do not disconnect a client that reads them", () =>
  withServer({ maxUnsent: 10_000 }, async ({ server, join, errors }) => {
    const slow = Promise.withResolvers<void>();
    server.handle("Slow", () => slow.promise);
    server.handle("Large", () => ({ text: "x".repeat(4_000) }));
    const client = await join();
    await client.send("Slow");
    for (let i = 0; i < 10; i++) await client.send("Large");
    await until(() => server.clients === 1);
    slow.resolve();
    const answers = await client.receiveMany(11);
    assertEquals(answers.map(({ body }) => body.TrackId), answers.map((_, i) => String(i + 1)));
    assertEquals(errors, []);
  }));

test("responses that wait behind a slow one are limited in bytes", () =>
  withServer({ maxUnsent: 10_000 }, async ({ server, join }) => {
    const slow = Promise.withResolvers<void>();
    let carriedOut = 0;
    server.handle("Slow", () => slow.promise);
    server.handle("Large", () => {
      carriedOut++;
      return { text: "x".repeat(4_000) };
    });
    const client = await join();
    await client.send("Slow");
    for (let i = 0; i < 100; i++) await client.send("Large");
    await until(() => carriedOut > 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertLessOrEqual(carriedOut, 3);
    slow.resolve();
    assertStrictEquals((await client.receiveMany(101)).length, 101);
    assertStrictEquals(carriedOut, 100);
  }));

test("a command that had to wait for events to be read need not wait for a slow one too", () =>
  withServer({ maxUnsent: 256 * KiB }, async ({ server, join }) => {
    const slow = Promise.withResolvers<void>();
    let calls = 0;
    server.handle("Slow", () => slow.promise).handle("Do", () => void calls++);
    const client = await join();
    await client.ask("Subscribe", ARGS);
    await client.send("Slow");
    // More than the socket holds and half of maxUnsent together, but less than all of it.
    const count = 22;
    for (let i = 0; i < count; i++) {
      assertStrictEquals(server.publish({ ...TOPIC, data: { Text: "x".repeat(10 * KiB) } }), 1);
    }
    await client.send("Do");
    const events = await client.receiveMany(count);
    assert(events.every(({ type }) => type === EVENT));
    await until(() => calls === 1);
    slow.resolve();
    assertEquals((await client.receiveMany(2)).map(({ type }) => type), [OK, OK]);
  }));
