import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { memoryNetwork, socketPair } from "../src/socket/memory.ts";
import { ConnectionError } from "../src/errors.ts";
import { RcspServer } from "../src/server/server.ts";
import type { Listen, Socket } from "../src/socket/socket.ts";
import { command, concat, OK, RawClient, until, withServer } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const ARGS = { Publisher: "P", Topic: "T" };

/** Listens without a network: the test decides who connects and what fails. */
class FakeListener {
  closed = false;
  onSocket: ((socket: Socket) => void) | undefined;
  onError: ((error: ConnectionError) => void) | undefined;
  readonly listen: Listen = (_address, onSocket, onError) => {
    this.onSocket = onSocket;
    this.onError = onError;
    const close = () => Promise.resolve(void (this.closed = true));
    return Promise.resolve({ address: { host: "memory", port: 1 }, close });
  };
}

test("close() sends pending responses, slow ones too, and accepts no more commands", () =>
  withServer({}, async ({ server, join, errors }) => {
    const slow = Promise.withResolvers<{ Done: boolean }>();
    let calls = 0;
    server.handle("Slow", () => (calls++, slow.promise)).handle("Do", () => (calls++, undefined));
    const client = await join();
    await client.write(concat(command("1", "Slow"), command("2", "Do")));
    await until(() => calls === 2);
    const closing = server.close();
    await client.write(command("3", "Do"));
    slow.resolve({ Done: true });
    const received = await client.receiveAll();
    assertEquals(received.map(({ body }) => body.TrackId), ["1", "2"]);
    assertEquals(received.map(({ type }) => type), [OK, OK]);
    await client.close();
    await closing;
    assertStrictEquals(calls, 2);
    assertStrictEquals(server.clients, 0);
    assertEquals(errors, []);
  }));

test("close() sends a long response to a client that reads late", () =>
  withServer({}, async ({ server, join }) => {
    const Text = "x".repeat(2 * 1024 * 1024);
    server.handle("Long", () => ({ Text }));
    const client = await join();
    await client.write(command("1", "Long"));
    // The server must have seen the command before it closes.
    const first = await client.socket.read();
    assert(first !== null);
    const closing = server.close();
    let size = first.length;
    for (;;) {
      const chunk = await client.socket.read();
      if (chunk === null) break;
      size += chunk.length;
    }
    assert(size > Text.length);
    await client.close();
    await closing;
  }));

test("close() closes the listeners and may be called again", () =>
  withServer({}, async ({ server, address }) => {
    const { connector, listen } = memoryNetwork();
    const other = await server.serve(listen);
    assertEquals(server.addresses, [address, other]);
    const client = new RawClient(await connector(other));
    assertStrictEquals((await client.ask("Nothing")).body.TrackId, "1");
    const closing = server.close();
    assertStrictEquals(server.close(), closing);
    await client.close();
    await closing;
    await server.close();
    await server[Symbol.asyncDispose]();
    assertEquals(server.addresses, []);
    const refused = await connector(other).catch((error: unknown) => error);
    assertInstanceOf(refused, ConnectionError);
    assertStrictEquals(refused.code, "connection-refused");
  }));

const stubborn: [what: string, begin: (client: RawClient) => Promise<unknown>][] = [
  ["does not leave", (client) => client.ask("Do")],
  ["does not read", async (client) => {
    await client.write(concat(...Array<Uint8Array>(200).fill(command("1", "Long"))));
    await client.socket.read();
  }],
  ["waits for a handler that never ends", (client) => client.write(command("1", "Hang"))],
  ["has ended its half and waits for a handler", async (client) => {
    await client.write(command("1", "Hang"));
    await client.socket.closeWrite();
  }],
  ["is within a frame", (client) => client.write(command("1", "Do").subarray(0, 20))],
];

for (const [what, begin] of stubborn) {
  test(`close() disconnects a client that ${what} after closeTimeout`, () =>
    withServer({ closeTimeout: 50 }, async ({ server, join }) => {
      server.handle("Do", () => {}).handle("Hang", () => new Promise(() => {}));
      server.handle("Long", () => ({ Text: "x".repeat(10_000) }));
      const client = await join();
      await client.ask("Do");
      await begin(client);
      await server.close();
      await client.receiveAll();
      await until(() => server.clients === 0);
    }));
}

test("close() does not wait for closeTimeout if the clients disconnect", async () => {
  const server = new RcspServer({ closeTimeout: 2 ** 31 - 1 });
  const [near, far] = socketPair();
  server.accept(far);
  const client = new RawClient(near);
  await client.ask("Subscribe", ARGS);
  const closing = server.close();
  assertStrictEquals(server.publish({ publisher: "P", topic: "T" }), 0);
  assertStrictEquals(await client.next(), null);
  await client.close();
  await closing;
});

test("close() of a server without clients and listeners resolves", async () => {
  await new RcspServer().close();
});

test("a closed server rejects serve() and accept(), and leaves nothing open", async () => {
  const server = new RcspServer();
  await server.close();
  await assertRejects(() => server.serve(memoryNetwork().listen), TypeError, "closed");
  const [near, far] = socketPair();
  server.accept(far);
  await far.closed;
  assertStrictEquals(await near.read(), null);
  near.close();
  assertStrictEquals(server.clients, 0);
});

test("a server that is closed while it starts to listen leaves no listener", async () => {
  const server = new RcspServer();
  const fake = new FakeListener();
  const serving = server.serve(fake.listen);
  await server.close();
  await serving;
  assert(fake.closed);
  assertEquals(server.addresses, []);
});

test("a failed accept is reported, and the server continues", async () => {
  const errors: unknown[] = [];
  const server = new RcspServer({ onError: (error, client) => errors.push(error, client) });
  const [near, far] = socketPair();
  const fake = new FakeListener();
  await server.serve(fake.listen);
  const failure = new ConnectionError("connection-failed", "full");
  fake.onError!(failure);
  fake.onSocket!(far);
  const client = new RawClient(near);
  assertStrictEquals((await client.ask("Nothing")).body.Error?.Code, "UnknownCommand");
  assertEquals(errors, [failure, undefined]);
  await client.close();
  await server.close();
});

test("close() waits until a previously disconnected client's socket has closed", async () => {
  const server = new RcspServer();
  const [near, far] = socketPair();
  const gone = Promise.withResolvers<void>();
  let closed = false;
  server.accept({
    remote: far.remote,
    closed: gone.promise,
    read: () => far.read(),
    write: (bytes) => far.write(bytes),
    closeWrite: () => far.closeWrite(),
    close: () => far.close(),
  });
  await near.write(new Uint8Array(8));
  assertStrictEquals(await near.read(), null);
  const closing = server.close().then(() => closed = true);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assertStrictEquals(closed, false);
  gone.resolve();
  await closing;
  near.close();
});

test("a handler may close its client without affecting others", () =>
  withServer({}, async ({ server, join, errors }) => {
    let gone = false;
    server.handle("Leave", async (_, { client }) => {
      client.close();
      await client.closed;
      gone = true;
      return { Late: true };
    });
    const [leaves, stays] = [await join(), await join()];
    await leaves.write(concat(command("1", "Leave"), command("2", "Leave")));
    assertEquals(await leaves.receiveAll(), []);
    await until(() => gone && server.clients === 1);
    assertStrictEquals((await stays.ask("Nothing")).body.TrackId, "1");
    assertEquals(errors, []);
  }));
