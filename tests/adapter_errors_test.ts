import { assert, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { connect, createServer, type Socket as NetSocket } from "node:net";
import { ConnectionError, type ConnectionErrorCode } from "../src/errors.ts";
import type { Address, Socket } from "../src/socket/socket.ts";
import {
  type Adapter,
  adapters,
  closeAll,
  decode,
  encode,
  hasIpv6,
  networkAdapters,
  sleep,
  untilStill,
} from "./support/adapters.ts";
import { test } from "./support/test.ts";
import { turn } from "./support/wait.ts";

for (const adapter of adapters) {
  const { name, connector, listen: openListener, listenQueued: listen } = adapter;

  test(`${name}: connecting to a closed port rejects with connection-refused`, async () => {
    const address = await freeAddress(adapter);
    await assertCode(
      () => connector(address),
      "connection-refused",
      `Cannot connect to 127.0.0.1:${address.port}: connection refused`,
    );
  });

  test(`${name}: the error for localhost names the host that the caller passed`, async () => {
    const { port } = await freeAddress(adapter);
    await assertCode(
      () => connector({ host: "localhost", port }),
      "connection-refused",
      `Cannot connect to localhost:${port}: connection refused`,
    );
  });

  test(`${name}: listening on a port in use rejects with address-in-use`, async () => {
    const listener = await listen();
    const { port } = listener.address;
    try {
      await assertCode(
        () => listen({ port }),
        "address-in-use",
        `Cannot listen on 127.0.0.1:${port}: port already in use`,
      );
    } finally {
      listener.close();
    }
  });

  // Memory has any address; Deno's node:net reports an invalid argument.
  if (name !== "memory" && !(name === "node" && "Deno" in globalThis)) {
    test(`${name}: listening on an address of another machine rejects with address-not-available`, async () => {
      await assertCode(
        () => listen({ host: "192.0.2.1", port: 0 }),
        "address-not-available",
        "Cannot listen on 192.0.2.1:0: this machine has no such address",
      );
    });
  }

  for (const port of [0, 65_536, -1, 1.5, NaN, "abc", "80", undefined]) {
    test(`${name}: connecting to port ${JSON.stringify(port)} (${port}) rejects with a RangeError`, async () => {
      const error = await assertRejects(
        () => connector({ host: "127.0.0.1", port: port as number }),
        RangeError,
      );
      assertStrictEquals(
        error.message,
        `Cannot connect as 'port' must be an integer from 1 to 65535: current value is ${port}`,
      );
    });
  }

  for (const port of [65_536, -1, 1.5, "abc"]) {
    test(`${name}: listening on port ${port} rejects with a RangeError`, async () => {
      const error = await assertRejects(() => listen({ port: port as number }), RangeError);
      assertStrictEquals(
        error.message,
        `Cannot listen as 'port' must be an integer from 0 to 65535: current value is ${port}`,
      );
    });
  }

  test(`${name}: a host that is empty or not a string rejects with a TypeError`, async () => {
    for (const host of ["", undefined, 7] as string[]) {
      const wanted = "Cannot connect as 'host' must be a host name or an IP address";
      await assertRejects(() => connector({ host, port: 1 }), TypeError, wanted);
    }
    await assertRejects(() => listen({ host: "" }), TypeError, "Cannot listen as 'host' must be");
  });

  test(`${name}: an already aborted signal opens nothing`, async () => {
    const listener = await listen();
    const reason = new Error("no more");
    const thrown = await assertRejects(() =>
      connector(listener.address, { signal: AbortSignal.abort(reason) })
    );
    assertStrictEquals(thrown, reason);
    let accepted = false;
    listener.accept().then(() => accepted = true);
    await sleep(20);
    await listener.close();
    assertStrictEquals(accepted, false);
  });

  test(`${name}: an abort while connecting rejects with its reason and leaves no socket`, async () => {
    const accepted: Socket[] = [];
    const listener = await openListener({}, (socket) => void accepted.push(socket));
    const abortLater: ((abort: () => void) => void)[] = [
      (abort) => abort(),
      (abort) => queueMicrotask(abort),
      (abort) => setTimeout(abort, 0),
    ];
    for (const later of [...abortLater, ...abortLater, ...abortLater]) {
      const controller = new AbortController();
      const reason = new Error("too late");
      const connecting = connector(listener.address, { signal: controller.signal });
      const aborted = new Promise<void>((resolve) =>
        later(() => (controller.abort(reason), resolve()))
      );
      try {
        await closeAll(await connecting); // connected before the abort
      } catch (thrown) {
        assertStrictEquals(thrown, reason);
      }
      await aborted;
    }
    await untilStill(() => accepted.length);
    for (const socket of accepted) assertStrictEquals(await readToEnd(socket), null);
    await listener.close();
    await closeAll(...accepted);
  });

  test(`${name}: an abort in the moment of the opening leaves no socket either`, async () => {
    const accepted: Socket[] = [];
    const listener = await openListener({}, (socket) => void accepted.push(socket));
    for (let opened = 0, aborted = 0; aborted < 100 && opened < 5_000;) {
      const controller = new AbortController();
      const connecting = connector(listener.address, { signal: controller.signal });
      setTimeout(() => controller.abort(), 0);
      try {
        await closeAll(await connecting);
        opened++;
      } catch {
        aborted++;
      }
    }
    await untilStill(() => accepted.length);
    for (const socket of accepted) assertStrictEquals(await readToEnd(socket), null);
    await listener.close();
    await closeAll(...accepted);
  });

  test(`${name}: a failed attempt leaves no listener on its signal`, async () => {
    const { signal } = new AbortController();
    const listening = countListeners(signal);
    const address = await freeAddress(adapter);
    await assertCode(() => connector(address, { signal }), "connection-refused");
    assertStrictEquals(listening(), 0);
  });

  test(`${name}: an abort after connecting changes nothing, and its listener is removed`, async () => {
    const listener = await listen();
    const controller = new AbortController();
    const listening = countListeners(controller.signal);
    const [client, server] = await Promise.all([
      connector(listener.address, { signal: controller.signal }),
      listener.accept(),
    ]);
    assertStrictEquals(listening(), 0);
    controller.abort();
    await client.write(encode("still there"));
    assertStrictEquals(decode(await server!.read()), "still there");
    listener.close();
    await closeAll(client, server!);
  });
}

for (const adapter of networkAdapters) {
  const { name, connector, listenQueued: listen } = adapter;

  test(`${name}: connecting to an unknown host rejects with host-not-found`, async () => {
    await assertCode(
      () => connector({ host: "host.invalid", port: 1 }),
      "host-not-found",
      "Cannot connect to host.invalid:1: host not found",
    );
  });

  test(`${name}: listening on the address of another machine rejects with a ConnectionError`, async () => {
    const error = await assertRejects(() => listen({ host: "192.0.2.1" }), ConnectionError);
    assert(error.message.startsWith("Cannot listen on 192.0.2.1:0"), error.message);
    assertInstanceOf(error.cause, Error);
  });

  test(`${name}: localhost reaches a server that listens on IPv4 only`, async () => {
    await assertReaches(adapter, "127.0.0.1", "localhost");
  });

  test(`${name}: listen() and connect() work on an IPv6 address`, async () => {
    if (hasIpv6) await assertReaches(adapter, "::1", "::1");
  });

  test(`${name}: an IPv6 address in brackets is the same address`, async () => {
    if (!hasIpv6) return;
    await assertReaches(adapter, "[::1]", "::1");
    await assertReaches(adapter, "::1", "[::1]");
  });

  test(`${name}: localhost reaches a server that listens on IPv6 only`, async () => {
    if (hasIpv6) await assertReaches(adapter, "::1", "localhost");
  });

  for (const side of ["client", "server"] as const) {
    const on = (title: string, use: (socket: Socket, peer: NetSocket) => Promise<void>): void =>
      test(`${name}: ${side}: ${title}`, () => withPeer(adapter, side, use));

    on("a reset rejects the pending read, later reads and writes", async (socket, peer) => {
      const reading = socket.read();
      peer.resetAndDestroy();
      const error = await assertCode(() => reading, "connection-reset");
      assertStrictEquals(
        error.message,
        `Lost connection to ${socket.remote}: connection reset by the other side`,
      );
      assertInstanceOf(error.cause, Error);
      assertStrictEquals(await assertCode(() => socket.read(), "connection-reset"), error);
      assertStrictEquals(
        await assertCode(() => socket.write(encode("x")), "connection-reset"),
        error,
      );
      await socket.closeWrite();
      await socket.closed;
      socket.close();
      assertStrictEquals(await socket.read(), null);
    });

    on("a reset rejects the pending write", async (socket, peer) => {
      peer.pause();
      const writing = socket.write(new Uint8Array(64 * 1024 * 1024));
      const rejected = assertCode(() => writing, "connection-reset");
      await sleep(50);
      peer.resetAndDestroy();
      await rejected;
      await assertCode(() => socket.write(encode("x")), "connection-reset");
      await assertCode(() => socket.read(), "connection-reset");
      await socket.closed;
    });

    on("bytes that arrived before a reset are read first", async (socket, peer) => {
      const reading = socket.read();
      await send(peer, "first");
      assertStrictEquals(decode(await reading), "first");
      await send(peer, "second");
      await turn(20); // for the runtime to receive the bytes
      peer.resetAndDestroy();
      await turn(20);
      assertStrictEquals(decode(await socket.read()), "second");
      await assertCode(() => socket.read(), "connection-reset");
      await socket.closed;
    });

    on(
      "a reset while no read or write is pending is reported by the next one",
      async (socket, peer) => {
        peer.resetAndDestroy();
        await sleep(50);
        await assertCode(() => socket.read(), "connection-reset");
        await socket.closed;
      },
    );

    on("a reset that no call observes causes no unhandled error", async (socket, peer) => {
      peer.resetAndDestroy();
      await sleep(50);
      await closeAll(socket);
    });

    on("bytes that arrived before the end are read first", async (socket, peer) => {
      peer.end("bye");
      await sleep(50);
      assertStrictEquals(decode(await socket.read()), "bye");
      assertStrictEquals(await socket.read(), null);
      assertStrictEquals(await socket.read(), null);
    });
  }
}

/** Rejects unless the function rejects with this code, and with this message if one is given. */
async function assertCode(
  fn: () => Promise<unknown>,
  code: ConnectionErrorCode,
  message?: string,
): Promise<ConnectionError> {
  const error = await assertRejects(fn, ConnectionError);
  assertStrictEquals(error.code, code);
  if (message !== undefined) assertStrictEquals(error.message, message);
  return error;
}

/** A port that was just closed. */
async function freeAddress({ listen }: Adapter): Promise<Address> {
  const listener = await listen({}, (socket) => socket.close());
  await listener.close();
  return listener.address;
}

/** An aborted connection may end or be reset. */
async function readToEnd(socket: Socket): Promise<Uint8Array | null> {
  try {
    return await socket.read();
  } catch (error) {
    assertInstanceOf(error, ConnectionError);
    return null;
  }
}

/** Counts the listeners added to a signal from now on. */
function countListeners(signal: AbortSignal): () => number {
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    count++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    count--;
    removeEventListener.apply(signal, args);
  };
  return () => count;
}

async function assertReaches(adapter: Adapter, server: string, client: string): Promise<void> {
  const listener = await adapter.listenQueued({ host: server });
  const { port } = listener.address;
  const [socket, accepted] = await Promise.all([
    adapter.connector({ host: client, port }),
    listener.accept(),
  ]);
  const host = server.includes(":") ? "[::1]" : "127.0.0.1";
  assertStrictEquals(socket.remote, `${host}:${port}`);
  assert(accepted !== null);
  assert(accepted.remote.startsWith(`${host}:`));
  await socket.write(encode("hello"));
  assertStrictEquals(decode(await accepted.read()), "hello");
  listener.close();
  await closeAll(socket, accepted);
}

/**
 * Connects a socket of the adapter, on either side, to a plain node:net socket that can be reset.
 */
async function withPeer(
  { connector, listenQueued: listen }: Adapter,
  side: "client" | "server",
  use: (socket: Socket, peer: NetSocket) => Promise<void>,
): Promise<void> {
  let joined: [Socket, NetSocket];
  let stop: () => void;
  if (side === "client") {
    const server = createServer({ allowHalfOpen: true });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const coming = new Promise<NetSocket>((resolve) => server.once("connection", resolve));
    joined = await Promise.all([connector({ host: "127.0.0.1", port }), coming]);
    stop = () => server.close();
  } else {
    const listener = await listen();
    const { host, port } = listener.address;
    const peer = connect({ host, port, allowHalfOpen: true });
    const came = new Promise<void>((resolve) => peer.once("connect", () => resolve()));
    const [socket] = await Promise.all([listener.accept(), came]);
    joined = [socket!, peer];
    stop = () => listener.close();
  }
  const [socket, peer] = joined;
  peer.on("error", () => {});
  const peerGone = new Promise<void>((resolve) => peer.once("close", () => resolve()));
  try {
    await use(socket, peer);
  } finally {
    stop();
    peer.destroy();
    await Promise.all([closeAll(socket), peerGone]);
  }
}

function send(peer: NetSocket, text: string): Promise<void> {
  return new Promise((resolve) => peer.write(text, () => resolve()));
}
