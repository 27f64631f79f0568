import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { createClient, type RcspClient } from "../mod.ts";
import { ConnectionError, LimitError } from "../src/errors.ts";
import { RcspServer, type ServerOptions } from "../src/server/server.ts";
import { Simulator } from "../simulator.ts";
import { type Pair, pairs } from "./support/adapters.ts";
import { command, concat, frame, OK, RawClient, until } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

interface Room {
  server: RcspServer;
  errors: unknown[];
  join(): Promise<RcspClient>;
  joinRaw(): Promise<RawClient>;
}

async function withServer(
  pair: Pair,
  options: ServerOptions,
  use: (room: Room) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = [];
  const server = new RcspServer({ onError: (error) => errors.push(error), ...options });
  const address = await server.serve(pair.listen);
  const leaving: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(client: T): T => {
    leaving.push(client);
    return client;
  };
  const room = {
    server,
    errors,
    join: async () => keep(await createClient(pair.connector, { ...address, reconnect: false })),
    joinRaw: async () => keep(new RawClient(await pair.connector(address))),
  };
  try {
    await use(room);
  } finally {
    await Promise.all(leaving.map((client) => client.close()));
    await server.close();
  }
}

for (const pair of pairs) {
  const on = (
    name: string,
    use: (room: Room) => Promise<void>,
    options: ServerOptions = {},
  ): void => test(`${pair.name}: ${name}`, () => withServer(pair, options, use));

  on(
    "a thousand concurrent calls of five clients get their own responses",
    async ({ server, join }) => {
      server.handle("Echo", ({ Arguments }) => Arguments);
      const clients = await Promise.all(Array.from({ length: 5 }, join));
      await Promise.all(clients.map(async (rcsp, name) => {
        const turns = Array.from({ length: 200 }, (_, turn) => turn);
        const answers = await Promise.all(turns.map((turn) => rcsp.call("Echo", { name, turn })));
        assertEquals(answers, turns.map((turn) => ({ name, turn })));
      }));
    },
  );

  on("bodies of a megabyte pass in both directions", async ({ server, join }) => {
    server.handle("Echo", ({ Arguments }) => Arguments);
    const rcsp = await join();
    const Text = "zwölf 🧤".repeat(100_000);
    const echoes = await Promise.all([0, 1, 2].map((turn) => rcsp.call("Echo", { Text, turn })));
    assert(echoes.every((echo, turn) => echo["Text"] === Text && echo["turn"] === turn));
  });

  on("events reach the subscribers, between responses", async ({ server, join }) => {
    const topic = { publisher: "P", topic: "T" };
    server.handle("Publish", ({ Arguments }) => ({
      Reached: server.publish({ ...topic, data: Arguments }),
    }));
    const [hears, asks] = [await join(), await join()];
    const events = hears.subscribe(topic);
    await events.ready;
    for (let turn = 0; turn < 100; turn++) {
      assertEquals(await asks.call("Publish", { turn }), { Reached: 1 });
    }
    for (let turn = 0; turn < 100; turn++) {
      assertEquals((await events.next()).value?.data, { turn });
    }
    await events.unsubscribe();
    assertEquals(await asks.call("Publish"), { Reached: 0 });
  });

  on(
    "a half-closed client gets its pending responses, then the end",
    async ({ server, joinRaw }) => {
      const slow = Promise.withResolvers<void>();
      server.handle("Slow", () => slow.promise).handle("Do", () => ({ Done: true }));
      const [client, other] = [await joinRaw(), await joinRaw()];
      await client.write(concat(command("1", "Slow"), command("2", "Do")));
      await client.socket.closeWrite();
      assertStrictEquals((await other.ask("Do")).type, OK);
      slow.resolve();
      assertEquals((await client.receiveMany(2)).map(({ body }) => body.TrackId), ["1", "2"]);
      assertStrictEquals(await client.next(), null);
      await until(() => server.clients === 1);
    },
  );

  on(
    "a client that does not send RCSP is disconnected, and others stay connected",
    async ({ server, joinRaw, errors }) => {
      const [bad, good] = [await joinRaw(), await joinRaw()];
      await bad.write(frame(9, "{}"));
      assertEquals(await bad.receiveAll(), []);
      await until(() => server.clients === 1);
      assertStrictEquals((await good.ask("Nothing")).body.TrackId, "1");
      assertStrictEquals(errors.length, 1);
    },
  );

  on("clients that disconnect during their responses do not affect others", async (room) => {
    const { server, join, joinRaw } = room;
    const Text = "x".repeat(10_000);
    server.handle("Long", ({ TrackId }) => TrackId.endsWith("0") ? later({ Text }) : { Text });
    const stays = await join();
    for (let turn = 0; turn < 10; turn++) {
      const leaves = await joinRaw();
      await leaves.write(concat(...Array.from({ length: 50 }, (_, id) => command(id, "Long"))));
      if (turn % 2 === 0) await leaves.receive();
      const call = stays.call("Long");
      await leaves.close();
      assertEquals(await call, { Text });
    }
    await until(() => server.clients === 1);
    assertEquals(await stays.call("Long"), { Text });
  });

  on("a client that does not read its events is disconnected at maxUnsent", async (room) => {
    const { server, errors, joinRaw } = room;
    const mute = await joinRaw();
    await mute.ask("Subscribe", { Publisher: "P", Topic: "T" });
    const data = { Text: "x".repeat(64 * 1024) };
    // The kernel's buffers hold bytes beyond the limit, but never 64 MiB.
    for (let sent = 0; server.clients === 1; sent++) {
      assert(sent < 1_000, "64 MiB wait for a client that does not read");
      server.publish({ publisher: "P", topic: "T", data });
      if (sent % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assertStrictEquals(errors.length, 1);
    assertInstanceOf(errors[0], LimitError);
  }, { maxUnsent: 1024 * 1024 });

  on(
    "close() sends the pending responses and disconnects the clients",
    async ({ server, join }) => {
      const slow = Promise.withResolvers<{ Done: boolean }>();
      let begun = 0;
      server.handle("Slow", () => (begun++, slow.promise));
      const clients = [await join(), await join()];
      const answers = Promise.all(clients.map((rcsp) => rcsp.call("Slow")));
      answers.catch(() => {});
      await until(() => begun === 2);
      const closing = server.close();
      slow.resolve({ Done: true });
      assertEquals(await answers, [{ Done: true }, { Done: true }]);
      await closing;
      for (const rcsp of clients) assertInstanceOf(await rcsp.closed, ConnectionError);
      assertStrictEquals(server.clients, 0);
    },
  );

  test(`${pair.name}: a client understands the simulator in chunks of one byte`, async () => {
    const simulator = new Simulator({ faults: { slice: 1 }, latency: [0, 3] });
    await simulator.serve(pair.listen);
    const rcsp = await createClient(pair.connector, { ...simulator.address, reconnect: false });
    const presses = rcsp.buttonPresses(2);
    await presses.ready;
    assertStrictEquals(simulator.press(2, "LongPress"), 1);
    const [devices, next] = await Promise.all([rcsp.listDevices(), presses.next()]);
    assertStrictEquals(devices.length, 4);
    assertStrictEquals(next.value?.type, "LongPress");
    await rcsp.close();
    await simulator.close();
  });
}

async function later<T>(value: T): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  return value;
}
