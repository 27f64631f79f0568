import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { memoryNetwork, socketPair } from "../src/socket/memory.ts";
import { ConnectionError } from "../src/errors.ts";
import { closeAll, decode, encode, listenQueued, readAll, sleep } from "./support/adapters.ts";
import { test } from "./support/test.ts";

const KiB = 1024;

test("socketPair() connects two sockets in both directions", async () => {
  const [near, far] = socketPair();
  await near.write(encode("to far"));
  await far.write(encode("to near"));
  assertStrictEquals(decode(await far.read()), "to far");
  assertStrictEquals(decode(await near.read()), "to near");
  assertEquals([near.remote, far.remote], ["memory", "memory"]);
  await closeAll(near, far);
});

test("socketPair() buffers a copy of up to 64 KiB before a write has to wait", async () => {
  const [near, far] = socketPair();
  const bytes = encode("first");
  await near.write(bytes);
  bytes.fill(0);
  await near.write(new Uint8Array(63 * KiB));
  let waits = true;
  const writing = near.write(new Uint8Array(200 * KiB)).then(() => waits = false);
  await sleep(5);
  assert(waits);
  assertStrictEquals(decode(await far.read()), "first");
  const ending = near.closeWrite();
  assertStrictEquals((await readAll(far)).length, 263 * KiB);
  await Promise.all([writing, ending]);
  await closeAll(near, far);
});

test("a write whose bytes were all read resolves, even if the reader then closes", async () => {
  const [near, far] = socketPair();
  const writing = near.write(new Uint8Array(64 * KiB));
  await far.read();
  far.close();
  await writing;
  await closeAll(near);
});

test("a pending write rejects when the other side closes", async () => {
  const [near, far] = socketPair();
  const writing = near.write(new Uint8Array(200 * KiB));
  far.close();
  const error = await assertRejects(() => writing, ConnectionError);
  assertStrictEquals(error.code, "connection-reset");
  assertStrictEquals(await assertRejects(() => near.read()), error);
  await closeAll(near);
});

test("each memoryNetwork() has ports of its own", async () => {
  const [one, two] = [memoryNetwork(), memoryNetwork()];
  const listener = await listenQueued(one.listen, { port: 45_451 });
  assertEquals(listener.address, { host: "127.0.0.1", port: 45_451 });
  const error = await assertRejects(() => two.connector(listener.address), ConnectionError);
  assertStrictEquals(error.code, "connection-refused");
  await (await two.listen({ port: 45_451 }, () => {})).close();
  const client = await one.connector({ host: "anywhere.invalid", port: 45_451 });
  const server = await listener.accept();
  assertStrictEquals(client.remote, "anywhere.invalid:45451");
  listener.close();
  await closeAll(client, server);
});
