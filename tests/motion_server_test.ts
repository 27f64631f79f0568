import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ConnectionError, ProtocolError } from "../src/errors.ts";
import type { MotionPrefix } from "../src/motion/frame.ts";
import { createMotionClient, type MotionClient } from "../src/motion/motion_client.ts";
import { MotionServer, type MotionServerOptions } from "../src/motion/motion_server.ts";
import { memoryNetwork, socketPair } from "../src/socket/memory.ts";
import type { Socket } from "../src/socket/socket.ts";
import { encodeDefinition } from "../src/motion/frame.ts";
import { type Adapter, adapters, closeAll, networkAdapters, readAll } from "./support/adapters.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { utf8 } from "./support/frames.ts";
import {
  dataPayload,
  definitionOf,
  feedMotion,
  floats,
  motionFrame,
  type ReceivedMotionFrame,
} from "./support/motion.ts";
import { test } from "./support/test.ts";
import { turn, until } from "./support/wait.ts";

// deno-lint-ignore no-explicit-any -- the definitions of tests are JSON, but not typed as such
const definition = (deviceId: number, ...types: string[]): any => definitionOf(deviceId, ...types);
const data = (deviceId: number, value: number, groupId = 0): Uint8Array =>
  motionFrame(2, dataPayload(deviceId, groupId, 0, floats(value)));

interface Served {
  server: MotionServer;
  errors: unknown[];
  /** Connects a client that a test reads with its own hands. */
  join(): Promise<Socket>;
  /** Connects a client of ours. */
  connect(): Promise<MotionClient>;
}

async function withServer(
  use: (served: Served) => Promise<void>,
  options: MotionServerOptions = {},
  { connector, listen }: Pick<Adapter, "connector" | "listen"> = memoryNetwork(),
): Promise<void> {
  const errors: unknown[] = [];
  const server = new MotionServer({ onError: (error) => errors.push(error), ...options });
  const address = await server.serve(listen);
  const sockets: Socket[] = [];
  const clients: MotionClient[] = [];
  try {
    await use({
      server,
      errors,
      join: async () => {
        const clientsBefore = server.clients;
        const socket = await connector(address);
        sockets.push(socket);
        await until(() => server.clients > clientsBefore);
        return socket;
      },
      connect: async () => {
        const client = await createMotionClient(connector, { ...address });
        clients.push(client);
        return client;
      },
    });
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await closeAll(...sockets);
    await server.close();
  }
}

/** The frames that a client got until the server ended the stream. */
async function framesOf(socket: Socket): Promise<ReceivedMotionFrame[]> {
  const { frames, error } = feedMotion([await readAll(socket)]);
  assertEquals(error, undefined);
  socket.close();
  return frames;
}

/** `define 7`, `7/0 = 5` or `bye 7`. */
function describe({ prefix, payload }: ReceivedMotionFrame): string {
  if (prefix === 1) return `define ${JSON.parse(new TextDecoder().decode(payload)).device_id}`;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const device = view.getUint32(0, true);
  if (prefix === 3) return `bye ${device}`;
  return `${device}/${view.getUint32(4, true)} = ${view.getFloat32(16, true)}`;
}

/** Makes a client that does not read, and sends until its buffers are full. */
async function stuck({ server, join }: Served): Promise<Socket> {
  const socket = await join();
  const filler = motionFrame(2, dataPayload(1, 99, 0, new Uint8Array(64 * 1024)));
  server.define(definition(1, "FLOAT"));
  server.send(filler);
  // A few skips may only mean that the system has not accepted a write yet.
  while (server.stats().skipped < 20) {
    server.send(filler);
    await turn();
  }
  return socket;
}

for (const adapter of adapters) {
  test(`clients get the definitions, then the data, and disconnects (${adapter.name})`, () =>
    withServer(
      async ({ server, connect }) => {
        server.define(definition(7, "FLOAT"));
        const [first, second] = [await connect(), await connect()];
        server.define(JSON.stringify(definition(8, "FLOAT")));
        for (const client of [first, second]) await until(() => client.devices().length === 2);
        assertEquals(server.send(data(8, 1.5)), 2);
        for (const client of [first, second]) {
          await until(() => client.stats().samples === 1);
          const sample = client.devices()[1]!.sample("test")!;
          assertEquals([...sample.values(sample.group.streams[0]!)], [1.5]);
        }
        assertEquals([server.disconnect(7), server.disconnect(7)], [true, false]);
        for (const client of [first, second]) await until(() => client.devices().length === 1);
        const late = await connect();
        await until(() => late.devices().length === 1);
        assertEquals(late.devices()[0]!.id, 8);
        assertEquals(server.stats(), { ...server.stats(), frames: 1, skipped: 0, refused: 0 });
      },
      {},
      adapter,
    ));

  test(`a client that never reads does not delay the others (${adapter.name})`, () =>
    withServer(
      async (served) => {
        const { server, connect } = served;
        const socket = await stuck(served);
        const client = await connect();
        await until(() => client.devices().length === 1);
        let sent = 0;
        while (client.stats().samples < 50) {
          server.send(data(1, ++sent));
          await turn();
        }
        assertEquals(server.clients, 2);
        socket.close();
        await until(() => server.clients === 1);
      },
      {},
      adapter,
    ));

  test(`close() ends the streams after what was sent (${adapter.name})`, () =>
    withServer(
      async ({ server, join }) => {
        const socket = await join();
        server.define(definition(7, "FLOAT"));
        for (let value = 1; value <= 100; value++) server.send(data(7, value));
        const closing = server.close();
        const frames = await framesOf(socket);
        assertEquals([frames.length, describe(frames.at(-1)!)], [101, "7/0 = 100"]);
        await closing;
        assertEquals([server.clients, server.addresses], [0, []]);
        assertEquals([server.define(definition(8)), server.send(data(8, 1))], [0, 0]);
        await assertRejects(() => server.serve(adapter.listen), TypeError, "closed");
      },
      {},
      adapter,
    ));
}

for (const adapter of networkAdapters) {
  test(`clients that send bytes or reset their connection end alone (${adapter.name})`, () =>
    withServer(
      async ({ server, errors, connect, join }) => {
        server.define(definition(7, "FLOAT"));
        const good = await connect();
        await until(() => good.devices().length === 1);
        const sender = await join();
        await sender.write(utf8("GET / HTTP/1.1\r\n\r\n"));
        await until(() => server.clients === 1);
        assertEquals(errors.length, 1);
        assertInstanceOf(errors[0], ProtocolError);
        for (let i = 0; i < 10; i++) {
          // With data that it has not read, and more on the way.
          const resetting = connectTcp(server.addresses[0]!);
          await once(resetting, "connect");
          await until(() => server.clients === 2);
          server.send(data(7, i));
          resetting.resetAndDestroy();
          await until(() => server.send(data(7, i)) === 1);
        }
        assert(errors.slice(1).every((error) => error instanceof ConnectionError), `${errors}`);
        const { samples } = good.stats();
        server.send(data(7, 77));
        await until(() => good.stats().samples > samples);
        assertEquals(good.stats().reconnects, 0);
      },
      {},
      adapter,
    ));
}

test("frames sent in one turn all arrive, in order", () =>
  withServer(async ({ server, join }) => {
    const socket = await join();
    server.define(definition(7, "FLOAT"));
    for (const value of [1, 2, 3]) server.send(data(7, value));
    server.disconnect(7);
    server.define(definition(7, "FLOAT"));
    server.send(data(7, 4));
    void server.close();
    assertEquals((await framesOf(socket)).map(describe), [
      "define 7",
      "7/0 = 1",
      "7/0 = 2",
      "7/0 = 3",
      "bye 7",
      "define 7",
      "7/0 = 4",
    ]);
  }));

test("a slow client gets the newest frame of each device and group, and skips are counted", () =>
  withServer(async (served) => {
    const { server } = served;
    const socket = await stuck(served);
    const { skipped } = server.stats();
    for (let value = 1; value <= 1000; value++) {
      for (const device of [1, 2]) {
        for (const group of [0, 1]) server.send(data(device, value, group));
      }
    }
    assertEquals(server.stats().skipped - skipped, 4 * 999);
    void server.close();
    const last = (await framesOf(socket)).slice(-4).map(describe);
    assertEquals(last.sort(), ["1/0 = 1000", "1/1 = 1000", "2/0 = 1000", "2/1 = 1000"]);
  }));

test("a slow client gets a new definition before its data, without the data of the old one", () =>
  withServer(async (served) => {
    const { server } = served;
    const socket = await stuck(served);
    server.send(data(1, 5));
    server.define(definition(1, "FLOAT"));
    server.send(data(1, 6));
    server.define(definition(2, "FLOAT"));
    server.disconnect(1);
    server.define(definition(1, "FLOAT"));
    server.send(data(1, 7));
    void server.close();
    assertEquals((await framesOf(socket)).slice(-4).map(describe), [
      "bye 1",
      "define 1",
      "1/0 = 7",
      "define 2",
    ]);
  }));

test("send() copies a Buffer too: it may be changed while it waits for a slow client", () =>
  withServer(async (served) => {
    const { server } = served;
    const socket = await stuck(served);
    const frame = Buffer.from(data(9, 1));
    server.send(frame);
    frame.set(data(9, 2));
    void server.close();
    assertEquals((await framesOf(socket)).slice(-1).map(describe), ["9/0 = 1"]);
  }));

test("a device that comes and goes while a client does not read leaves nothing for it", () =>
  withServer(async (served) => {
    const { server } = served;
    const socket = await stuck(served);
    for (let device = 100; device < 10_100; device++) {
      server.define(definition(device, "FLOAT"));
      server.send(data(device, 1));
      server.disconnect(device);
    }
    void server.close();
    assert((await framesOf(socket)).map(describe).every((frame) => !frame.includes("100")));
  }));

test("data of ever new groups does not grow beyond maxUnsent", () =>
  withServer(async (served) => {
    const { server } = served;
    const socket = await stuck(served);
    const { skipped } = server.stats();
    for (let group = 1000; group < 21_000; group++) server.send(data(3, 1, group));
    // The frames of 28 bytes that fit, beside the filler that waits.
    const kept = 20_000 - (server.stats().skipped - skipped);
    assert(kept > 0 && kept * 28 <= 256 * 1024, `${kept}`);
    void server.close();
    assertEquals((await framesOf(socket)).filter(({ payload }) => payload[0] === 3).length, kept);
  }, { maxUnsent: 256 * 1024 }));

test("frames of one turn beyond maxUnsent are sent as the newest only", () =>
  withServer(async ({ server, join }) => {
    const socket = await join();
    for (let value = 1; value <= 10_000; value++) server.send(data(1, value));
    void server.close();
    const frames = await framesOf(socket);
    assertEquals(frames.length, 10_000 - server.stats().skipped);
    assert(server.stats().skipped > 9_000);
    assertEquals(describe(frames.at(-1)!), "1/0 = 10000");
  }, { maxUnsent: 1024 }));

const intruders: [what: string, bytes: Uint8Array, said: RegExp][] = [
  ["one byte", Uint8Array.of(0), /sends nothing, received 1 bytes \(00\)/],
  ["HTTP", utf8("GET / HTTP/1.1\r\n\r\n"), /received 18 bytes \(47 45 54/],
  ["RCSP", Uint8Array.of(0xdc, 1, 8, 1, 0, 0, 0, 0), /which may be RCSP.*45451/],
];
for (const [what, bytes, said] of intruders) {
  test(`a client that sends ${what} is disconnected, and reported to onError`, () =>
    withServer(async ({ server, join, errors }) => {
      const [bad, good] = [await join(), await join()];
      await bad.write(bytes);
      await until(() => server.clients === 1);
      assertEquals(errors.length, 1);
      assertInstanceOf(errors[0], ProtocolError);
      assert(said.test(errors[0].message), errors[0].message);
      assertEquals(server.send(data(1, 1)), 1);
      void server.close();
      assertEquals((await framesOf(good)).map(describe), ["1/0 = 1"]);
    }));
}

test("a client that ends its half is closed, without an error", () =>
  withServer(async ({ server, join, errors }) => {
    const socket = await join();
    await socket.closeWrite();
    await until(() => server.clients === 0);
    assertEquals([await socket.read(), errors], [null, []]);
  }));

test("a connection that breaks while it is written to is reported once", () =>
  withServer(async (served) => {
    const { server, errors } = served;
    const socket = await stuck(served);
    socket.close();
    await until(() => server.clients === 0);
    for (let value = 1; value <= 10; value++) server.send(data(1, value));
    assert(errors.length <= 1, `${errors}`);
    if (errors.length === 1) assertInstanceOf(errors[0], ConnectionError);
  }));

test("clients beyond maxClients are closed and counted", () =>
  withServer(async ({ server, join }) => {
    await join();
    const [near, far] = socketPair();
    server.accept(far);
    assertEquals(await near.read(), null);
    await closeAll(near);
    assertEquals([server.clients, server.stats().refused], [1, 1]);
  }, { maxClients: 1 }));

test("close() disconnects a client that never reads after closeTimeout", async () => {
  const clock = new FakeClock();
  await withServer(async (served) => {
    const socket = await stuck(served);
    let isClosed = false;
    const closing = served.server.close().then(() => isClosed = true);
    clock.advance(499);
    assertEquals([isClosed, clock.timers], [false, 1]);
    clock.advance(1);
    await closing;
    assertEquals([served.server.clients, clock.timers], [0, 0]);
    socket.close();
  }, { closeTimeout: 500, clock } as MotionServerOptions);
});

test("strings and bytes are sent unchanged; without a device_id only to those who are there", () =>
  withServer(async ({ server, join }) => {
    const texts = [
      `{ "groups": [], "device_id": 7.0, "exact": 1.50 }`,
      `{"device_id":"seven"}`,
      "not JSON",
    ];
    const early = await join();
    for (const text of texts) server.define(text);
    server.define(Uint8Array.of(0xff, 0xfe));
    await Promise.resolve();
    const late = await join();
    void server.close();
    const payloads = async (socket: Socket): Promise<Uint8Array[]> =>
      (await framesOf(socket)).map(({ payload }) => payload);
    const [all, kept] = await Promise.all([payloads(early), payloads(late)]);
    assertEquals(all, [...texts.map(utf8), Uint8Array.of(0xff, 0xfe)]);
    assertEquals(kept, [utf8(texts[0]!)]);
  }));

test("define() and send() refuse what no client could read", () => {
  const server = new MotionServer();
  assertThrows(
    () => server.define({ groups: [] }),
    TypeError,
    "'device_id' must be an integer",
  );
  assertThrows(() => server.define({ device_id: -1 }), TypeError, "current value is -1");
  const good = data(1, 1);
  const bad = [new Uint8Array(0), good.subarray(0, 23), good.subarray(0, 27), motionFrame(3, good)];
  for (const frame of bad) assertThrows(() => server.send(frame), TypeError, "whole data frame");
  assertEquals([server.send(good), server.stats().frames], [0, 1]);
  assertThrows(() => new MotionServer({ maxClients: 0 }), RangeError, "maxClients");
});

test("send() copies the frame", () =>
  withServer(async ({ server, join }) => {
    const socket = await join();
    const frame = data(1, 1);
    server.send(frame);
    frame.fill(0);
    void server.close();
    assertEquals((await framesOf(socket)).map(describe), ["1/0 = 1"]);
  }));

test("onFrame of a client gets each frame as it came, before it is decoded", () =>
  withServer(async ({ server }) => {
    const { connector, listen } = memoryNetwork();
    const address = await server.serve(listen);
    const seen: [MotionPrefix, Uint8Array, number][] = [];
    const client = await createMotionClient(connector, {
      ...address,
      onFrame: (prefix, payload, receivedAt) => {
        seen.push([prefix, payload.slice(), receivedAt]);
        if (prefix === 1) assertEquals(client?.devices() ?? [], []);
      },
    });
    const text = JSON.stringify(definition(7, "FLOAT"));
    const before = performance.timeOrigin + performance.now();
    server.define(text);
    server.send(data(7, 2.5));
    server.disconnect(7);
    await until(() => client.stats().disconnects === 1);
    assertEquals(seen.map(([prefix]) => prefix), [1, 2, 3]);
    assertEquals(seen[0]![1], encodeDefinition(text).subarray(8));
    assertEquals(seen[1]![1], data(7, 2.5).subarray(8));
    const after = performance.timeOrigin + performance.now();
    for (const [, , receivedAt] of seen) assert(receivedAt >= before && receivedAt <= after);
    await client.close();
  }));

test("a client that is closed from within a listener takes nothing more", () =>
  withServer(async ({ server, connect }) => {
    const client = await connect();
    client.on("sample", () => void client.close());
    server.define(definition(7, "FLOAT"));
    server.send(data(7, 1));
    server.define(definition(8, "FLOAT"));
    await client.closed;
    assertEquals([client.stats().samples, client.devices()], [1, []]);
  }));
