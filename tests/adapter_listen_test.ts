import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { connect } from "node:net";
import * as ofRuntime from "../adapters/runtime.ts";
import { ConnectionError } from "../src/errors.ts";
import type { Socket } from "../src/socket/socket.ts";
import {
  adapters,
  closeAll,
  decode,
  encode,
  hasIpv6,
  networkAdapters,
  sleep,
  toAdapter,
  withJoined,
} from "./support/adapters.ts";
import { run, runtime, runtimeCommand } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const EXIT_CHILD = new URL("./support/socket_exit_child.ts", import.meta.url);

for (const { name, connector, listen: openListener, listenQueued: listen } of adapters) {
  test(`${name}: listen() defaults to 127.0.0.1 and a free port`, async () => {
    const [one, two] = await Promise.all([listen(), listen({})]);
    for (const { address } of [one, two]) {
      assertStrictEquals(address.host, "127.0.0.1");
      assert(Number.isInteger(address.port) && address.port > 0 && address.port <= 65_535);
    }
    assert(one.address.port !== two.address.port);
    one.close();
    two.close();
  });

  test(`${name}: a port is free again after close()`, async () => {
    const first = await listen();
    await first.close();
    const second = await listen({ port: first.address.port });
    assertEquals(second.address, first.address);
    await first.close();
    const [client, server] = await Promise.all([connector(second.address), second.accept()]);
    await second.close();
    await closeAll(client, server);
  });

  test(`${name}: after close() new connections are refused, and open ones stay open`, async () => {
    const listener = await listen();
    const [first, accepted] = await Promise.all([connector(listener.address), listener.accept()]);
    await listener.close();
    const error = await assertRejects(() => connector(listener.address), ConnectionError);
    assertStrictEquals(error.code, "connection-refused");
    await first.write(encode("alive"));
    assertStrictEquals(decode(await accepted.read()), "alive");
    await closeAll(first, accepted);
  });

  test(`${name}: 50 concurrent clients each get their own bytes`, async () => {
    const echoing: Promise<void>[] = [];
    const listener = await openListener({}, (socket) => void echoing.push(echo(socket)));
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const client = await connector(listener.address);
      await client.write(encode(`client ${i}`));
      assertStrictEquals(decode(await client.read()), `client ${i}`);
      await client.closeWrite();
      assertStrictEquals(await client.read(), null);
      await client.closed;
    }));
    await Promise.all([listener.close(), ...echoing]);
  });

  test(`${name}: bytes that a client sends before it is accepted are kept`, async () => {
    const listener = await listen();
    const client = await connector(listener.address);
    await client.write(encode("early"));
    await client.closeWrite();
    await sleep(20);
    const server = await listener.accept();
    assertStrictEquals(decode(await server.read()), "early");
    assertStrictEquals(await server.read(), null);
    listener.close();
    await closeAll(client, server);
  });
}

for (const { name, connector, listen: openListener, listenQueued: listen } of networkAdapters) {
  test(`${name}: 100 clients that reset at once do not affect another client`, async () => {
    const accepted: Socket[] = [];
    const ends: Promise<string>[] = [];
    const served = Promise.withResolvers<void>();
    const listener = await openListener({}, (socket) => {
      accepted.push(socket);
      ends.push(endOf(socket).then((end) => (end === "there" && served.resolve(), end)));
    });
    const { host, port } = listener.address;
    await Promise.all(Array.from({ length: 100 }, () => resetAtOnce(host, port)));
    const client = await connector(listener.address);
    await client.write(encode("alive"));
    await served.promise;
    await listener.close();
    assertStrictEquals((await Promise.all(ends)).filter((end) => end === "there").length, 1);
    await closeAll(client, ...accepted);
  });

  test(`${name}: listen() accepts localhost`, async () => {
    const listener = await listen({ host: "localhost" });
    assert(["localhost", "127.0.0.1", "::1"].includes(listener.address.host));
    listener.close();
  });

  test(`${name}: an IPv6 listener reports its address without brackets`, async () => {
    if (!hasIpv6) return;
    for (const host of ["::1", "[::1]"]) {
      const listener = await listen({ host });
      assertStrictEquals(listener.address.host, "::1");
      listener.close();
    }
  });

  for (const end of ["close", "closeWrite"]) {
    test(`${name}: a process can exit after ${end}()`, async () => {
      const command = runtimeCommand(EXIT_CHILD.pathname, name, end);
      const { code, stdout, stderr } = await run(command);
      assertEquals({ code, stdout, stderr }, { code: 0, stdout: "all closed\n", stderr: "" });
    });
  }
}

test("adapters/runtime.ts picks the runtime's own adapter", async () => {
  await withJoined(toAdapter(runtime, ofRuntime), async ({ client, server }) => {
    await client.write(encode("picked"));
    assertStrictEquals(decode(await server.read()), "picked");
  });
  await assertRejects(() => ofRuntime.connector({ host: "localhost", port: 0 }), RangeError);
  await assertRejects(() => ofRuntime.listen({ port: -1 }, () => {}), RangeError);
});

async function echo(socket: Socket): Promise<void> {
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
    await socket.write(chunk);
  }
  await socket.closeWrite();
}

function resetAtOnce(host: string, port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.on("connect", () => socket.resetAndDestroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

/** A socket that was not accepted ends or is reset, depending on the system. */
async function endOf(socket: Socket): Promise<string> {
  try {
    return await socket.read() === null ? "gone" : "there";
  } catch {
    return "gone";
  }
}
