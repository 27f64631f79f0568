import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { connect } from "node:net";
import * as ofRuntime from "../adapters/runtime.ts";
import { AcceptQueue } from "../adapters/accept_queue.ts";
import type { Socket } from "../src/socket.ts";
import {
  adapters,
  closeAll,
  decode,
  encode,
  hasIpv6,
  networkAdapters,
  sleep,
  withJoined,
} from "./support/adapters.ts";
import { run, runtime, runtimeCommand } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const EXIT_CHILD = new URL("./support/socket_exit_child.ts", import.meta.url);

for (const { name, connector, listen } of adapters) {
  test(`${name}: a listener is on 127.0.0.1 and a free port unless told`, async () => {
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
    first.close();
    const second = await listen({ port: first.address.port });
    assertEquals(second.address, first.address);
    first.close();
    const accepting = second.accept();
    const client = await connector(second.address);
    const server = await accepting;
    assert(server !== null);
    second.close();
    await closeAll(client, server);
  });

  test(`${name}: close() gives null to all that wait for a client, and to later ones`, async () => {
    const listener = await listen();
    const waiting = [listener.accept(), listener.accept()];
    await sleep(5);
    listener.close();
    assertEquals(await Promise.all(waiting), [null, null]);
    assertStrictEquals(await listener.accept(), null);
    listener.close();
    assertStrictEquals(await listener.accept(), null);
  });

  test(`${name}: close() closes those that nobody accepted, not those that were`, async () => {
    const listener = await listen();
    const first = await connector(listener.address);
    const accepted = await listener.accept();
    const second = await connector(listener.address);
    assert(accepted !== null);
    await sleep(20); // the second client is in the queue, of the adapter or of the system
    listener.close();
    assertStrictEquals(await endOf(second), "gone");
    await first.write(encode("alive"));
    assertStrictEquals(decode(await accepted.read()), "alive");
    await closeAll(first, second, accepted);
  });

  test(`${name}: 50 clients at once are told apart`, async () => {
    const listener = await listen();
    const serving = (async () => {
      for (let socket = await listener.accept(); socket; socket = await listener.accept()) {
        void echo(socket);
      }
    })();
    await Promise.all(Array.from({ length: 50 }, async (_, i) => {
      const client = await connector(listener.address);
      await client.write(encode(`client ${i}`));
      assertStrictEquals(decode(await client.read()), `client ${i}`);
      await client.closeWrite();
      assertStrictEquals(await client.read(), null);
      await client.closed;
    }));
    listener.close();
    await serving;
  });

  test(`${name}: what a client sends before it is accepted is kept`, async () => {
    const listener = await listen();
    const client = await connector(listener.address);
    await client.write(encode("early"));
    await client.closeWrite();
    await sleep(20);
    const server = await listener.accept();
    assert(server !== null);
    assertStrictEquals(decode(await server.read()), "early");
    assertStrictEquals(await server.read(), null);
    listener.close();
    await closeAll(client, server);
  });
}

for (const { name, connector, listen } of networkAdapters) {
  test(`${name}: 100 clients that reset at once do no harm`, async () => {
    const listener = await listen();
    const { host, port } = listener.address;
    const accepted: Socket[] = [];
    const ends: Promise<string>[] = [];
    const served = Promise.withResolvers<void>();
    const accepting = (async () => {
      for (let socket = await listener.accept(); socket; socket = await listener.accept()) {
        accepted.push(socket);
        ends.push(endOf(socket).then((end) => (end === "there" && served.resolve(), end)));
      }
    })();
    await Promise.all(Array.from({ length: 100 }, () => resetAtOnce(host, port)));
    const client = await connector(listener.address);
    await client.write(encode("alive"));
    await served.promise;
    listener.close();
    await accepting;
    assertStrictEquals((await Promise.all(ends)).filter((end) => end === "there").length, 1);
    await closeAll(client, ...accepted);
  });

  test(`${name}: localhost can be listened on`, async () => {
    const listener = await listen({ host: "localhost" });
    assert(["localhost", "127.0.0.1", "::1"].includes(listener.address.host));
    listener.close();
  });

  test(`${name}: an IPv6 listener tells its address without brackets`, async () => {
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

test("the runtime's own adapter is picked", async () => {
  await withJoined({ name: runtime, ...ofRuntime }, async ({ client, server }) => {
    await client.write(encode("picked"));
    assertStrictEquals(decode(await server.read()), "picked");
  });
  await assertRejects(() => ofRuntime.connector({ host: "localhost", port: 0 }), RangeError);
  await assertRejects(() => ofRuntime.listen({ port: -1 }), RangeError);
});

test("AcceptQueue gives a failure to whoever waits, or to the next, and goes on", async () => {
  const queue = new AcceptQueue();
  let stops = 0;
  const listener = queue.toListener({ host: "127.0.0.1", port: 1 }, () => stops++);
  const waiting = listener.accept();
  queue.fail(new Error("one"));
  await assertRejects(() => waiting, Error, "one");
  queue.fail(new Error("two"));
  await assertRejects(() => listener.accept(), Error, "two");
  const again = listener.accept();
  listener.close();
  listener.close();
  assertStrictEquals(await again, null);
  assertStrictEquals(stops, 1);
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

/** A socket that nobody accepted ends or is reset, as the system likes. */
async function endOf(socket: Socket): Promise<string> {
  try {
    return await socket.read() === null ? "gone" : "there";
  } catch {
    return "gone";
  }
}
