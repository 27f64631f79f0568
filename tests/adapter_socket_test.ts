import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionError } from "../src/errors.ts";
import type { Socket } from "../src/socket/socket.ts";
import {
  decode,
  encode,
  firstWrong,
  pairs,
  pattern,
  readAll,
  sleep,
  untilStill,
  withJoined,
} from "./support/adapters.ts";
import { test } from "./support/test.ts";

const MiB = 1024 * 1024;
/** Far more than two sockets and the kernel's buffers hold. */
const TOO_MUCH = 64 * MiB;
const ODD_SIZES = [1, 7, 1_460, 65_537, 3, 300_001, 8_191];

for (const pair of pairs) {
  const on = (name: string, use: Parameters<typeof withJoined>[1]): void =>
    test(`${pair.name}: ${name}`, () => withJoined(pair, use));

  on("8 MiB in odd sizes are echoed unchanged, even if both sides read slowly", async (joined) => {
    const { client, server } = joined;
    const size = 8 * MiB + 13;
    const echoing = echoSlowly(server);
    const sending = sendInOddSizes(client, size);
    let received = 0;
    for (let chunks = 0;; chunks++) {
      const chunk = await client.read();
      if (chunk === null) break;
      assert(chunk.length > 0);
      // The view must not change until the next read, whatever arrives meanwhile.
      if (chunks % 16 === 0) await sleep(2);
      assertStrictEquals(firstWrong(chunk, received), -1);
      received += chunk.length;
    }
    assertStrictEquals(received, size);
    await Promise.all([sending, echoing, client.closed, server.closed]);
  });

  on("one write of 8 MiB arrives complete", async ({ client, server }) => {
    const size = 8 * MiB + 1;
    const sending = server.write(pattern(size)).then(() => server.closeWrite());
    await sleep(20);
    const received = await readAll(client);
    await sending;
    assertStrictEquals(received.length, size);
    assertStrictEquals(firstWrong(received), -1);
  });

  on(
    "a client's writes wait while the server does not read",
    ({ client, server }) => assertHeldUp(client, server),
  );

  on(
    "a server's writes wait while the client does not read",
    ({ client, server }) => assertHeldUp(server, client),
  );

  on("a chunk is a plain Uint8Array", async ({ client, server }) => {
    for (const [from, to] of [[client, server], [server, client]] as const) {
      await from.write(encode("ring"));
      const chunk = await to.read();
      assertStrictEquals(chunk?.constructor, Uint8Array);
      assertStrictEquals(decode(chunk), "ring");
    }
  });

  on("the bytes may change after write() has resolved", async ({ client, server }) => {
    const bytes = pattern(300_000);
    const reading = readAll(server);
    await client.write(bytes);
    bytes.fill(0);
    await client.closeWrite();
    const received = await reading;
    assertStrictEquals(received.length, 300_000);
    assertStrictEquals(firstWrong(received), -1);
  });

  on("an empty write sends nothing", async ({ client, server }) => {
    await client.write(new Uint8Array(0));
    await client.closeWrite();
    assertStrictEquals(await server.read(), null);
  });

  on(
    "the server can still write after the client has ended its side",
    ({ client, server }) => assertHalfClose(client, server),
  );

  on(
    "the client can still write after the server has ended its side",
    ({ client, server }) => assertHalfClose(server, client),
  );

  on("closeWrite() waits for the previous write, and may be called again", async (joined) => {
    const { client, server } = joined;
    const size = 8 * MiB;
    const writing = client.write(pattern(size));
    const ending = client.closeWrite();
    const error = await assertRejects(() => client.write(encode("late")));
    // The first write may have been taken at once; either way nothing more goes out.
    assert(error instanceof TypeError || error instanceof ConnectionError);
    assertStrictEquals((await readAll(server)).length, size);
    await Promise.all([writing, ending, client.closeWrite()]);
    await assertRefused(client, "this side has ended");
  });

  on(
    "close() resolves the pending read and every later one with null",
    async ({ client, server }) => {
      for (const socket of [client, server]) {
        const reading = socket.read();
        socket.close();
        assertStrictEquals(await reading, null);
        assertStrictEquals(await socket.read(), null);
        await socket.closed;
      }
    },
  );

  on("close() rejects the pending write", async ({ client, server }) => {
    const writing = client.write(new Uint8Array(TOO_MUCH));
    const rejected = assertRejects(() => writing, ConnectionError, "the connection is closed");
    await server.read();
    client.close();
    assertStrictEquals((await rejected).code, "connection-closed");
    await client.closed;
  });

  on("close() may be called twice, and later writes reject", async ({ client, server }) => {
    for (const socket of [client, server]) {
      socket.close();
      socket.close();
      await socket.closed;
      socket.close();
      await assertRefused(socket, "the connection is closed");
      await socket.closeWrite();
    }
  });

  on("bytes written before close() arrive, then the end", async ({ client, server }) => {
    await client.write(encode("last words"));
    client.close();
    assertStrictEquals(decode(await readAll(server)), "last words");
    assertStrictEquals(await server.read(), null);
    await client.closed;
  });

  on(
    "a second read() while one is pending rejects with a TypeError",
    async ({ client, server }) => {
      const reading = client.read();
      await assertRejects(
        () => client.read(),
        TypeError,
        "Cannot read: another read() is pending on",
      );
      await server.write(encode("one"));
      assertStrictEquals(decode(await reading), "one");
    },
  );

  on(
    "a second write() while one is pending rejects with a TypeError",
    async ({ client, server }) => {
      const writing = client.write(new Uint8Array(TOO_MUCH));
      const rejected = assertRejects(() => writing, ConnectionError);
      await assertRejects(
        () => client.write(encode("two")),
        TypeError,
        "Cannot write: another write() is pending on",
      );
      await server.read();
      client.close();
      await rejected;
    },
  );

  on("writing to a closed peer rejects with connection-reset", async ({ client, server }) => {
    server.close();
    await server.closed;
    const error = await assertRejects(async () => {
      while (true) {
        await client.write(new Uint8Array(1_000));
        await sleep(1);
      }
    }, ConnectionError);
    assertStrictEquals(error.code, "connection-reset");
    await client.closeWrite();
  });
}

async function echoSlowly(socket: Socket): Promise<void> {
  let chunks = 0;
  for (let chunk = await socket.read(); chunk !== null; chunk = await socket.read()) {
    if (chunks++ % 16 === 0) await sleep(2);
    await socket.write(chunk);
  }
  await socket.closeWrite();
}

async function sendInOddSizes(socket: Socket, size: number): Promise<void> {
  for (let sent = 0, turn = 0; sent < size; turn++) {
    const piece = pattern(Math.min(ODD_SIZES[turn % ODD_SIZES.length] ?? 1, size - sent), sent);
    await socket.write(piece);
    sent += piece.length;
  }
  await socket.closeWrite();
}

/** By bytes, not by time: what a writer gets rid of has a bound, and all of it arrives later. */
async function assertHeldUp(writer: Socket, reader: Socket): Promise<void> {
  const piece = new Uint8Array(256 * 1024);
  let taken = 0;
  let enough = false;
  const sending = (async () => {
    while (taken < TOO_MUCH && !enough) {
      await writer.write(piece);
      taken += piece.length;
    }
    await writer.closeWrite();
  })();
  const held = await untilStill(() => taken);
  assert(held < TOO_MUCH / 2, `${held} bytes were taken though nobody reads`);
  enough = true;
  let received = 0;
  for (let chunk = await reader.read(); chunk !== null; chunk = await reader.read()) {
    received += chunk.length;
  }
  await sending;
  assertStrictEquals(received, taken);
}

async function assertHalfClose(first: Socket, second: Socket): Promise<void> {
  await first.write(encode("question"));
  await first.closeWrite();
  assertStrictEquals(decode(await readAll(second)), "question");
  assertStrictEquals(await second.read(), null);
  await sleep(10);
  await second.write(encode("answer"));
  assertStrictEquals(decode(await first.read()), "answer");
  await assertRefused(first, "this side has ended");
  await second.closeWrite();
  assertStrictEquals(await first.read(), null);
  // Without close(): both are closed because both sides have ended.
  assertEquals(await Promise.all([first.closed, second.closed]), [undefined, undefined]);
}

async function assertRefused(socket: Socket, reason: string): Promise<void> {
  const error = await assertRejects(() => socket.write(encode("x")), ConnectionError, reason);
  assertStrictEquals(error.code, "connection-closed");
}
