import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import { main } from "../cli/main.ts";
import { connect } from "../mod.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { testIo } from "./support/cli_io.ts";
import { command, concat, EVENT, frame, OK, RawClient, until } from "./support/raw_client.ts";
import { entries, type Entry, pair, read, withProxy } from "./support/recordings.ts";
import { test } from "./support/test.ts";
import type { Socket } from "../src/socket/socket.ts";

test("record passes bytes on at once, also those of half a frame", async () => {
  await withProxy(async (proxied) => {
    const [client, driver] = await pair(proxied);
    const bytes = command(1, "ListDevices");
    for (const byte of bytes) {
      await client.write(Uint8Array.of(byte));
      assertEquals(await driver.read(), Uint8Array.of(byte));
    }
    await client.closeWrite();
    assertEquals(await driver.read(), null);
    await driver.write(frame(OK, { TrackId: "1" }));
    assertEquals((await read(client, 8)).length, 8 + 15);
    driver.close();
    assertEquals(await client.read(), null);
    await until(() => proxied.io.err.includes("Client 1 disconnected"));
    assertEquals(entries(proxied.io).slice(1).map(({ type }: Entry) => type), ["command", "ok"]);
  });
});

const bodies: [what: string, payload: string | Uint8Array, key: string, value: unknown][] = [
  ["is not JSON", "{", "hex", "7b"],
  ["is empty", "", "hex", ""],
  ["is not UTF-8", Uint8Array.of(0x22, 0xff, 0x22), "hex", "22ff22"],
  ["has a BOM", "\ufeff{}", "hex", "efbbbf7b7d"],
  ["is not an object", "5", "body", 5],
  ["has white space", '{\r\n\t"a" :\n1 }\n', "body", { a: 1 }],
  ["steers a terminal", '{"a":"\x9b31m\u202e\u2028"}', "body", { a: "\x9b31m\u202e\u2028" }],
];

for (const [what, payload, key, value] of bodies) {
  test(`record keeps a body that ${what}`, async () => {
    await withProxy(async (proxied) => {
      const [client, driver] = await pair(proxied);
      const bytes = frame(EVENT, payload);
      await driver.write(bytes);
      assertEquals(await read(client, bytes.length), bytes);
      await proxied.end();
      const [, entry, ...more] = entries(proxied.io);
      assertEquals([entry[key], entry.type, more], [value, "event", []]);
      assertEquals(/[^\P{C}\n]|[\u2028\u2029]/u.test(String(proxied.io.files.get("out"))), false);
    });
  });
}

test("record keeps every digit and every key of a body", async () => {
  await withProxy(async (proxied) => {
    const [client, driver] = await pair(proxied);
    const body = '{"id":9007199254740993,"big":1e400,"a":1,"a":2,"__proto__":{"x":-0}}';
    await driver.write(frame(EVENT, body));
    await client.read();
    await proxied.end();
    assertStringIncludes(String(proxied.io.files.get("out")), `"body":${body}}`);
  });
});

const foreign: [what: string, good: number, bytes: Uint8Array][] = [
  ["from the first byte", 0, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
  ["after good frames", 2, Uint8Array.of(0xdc, 1, 9, 1, 0, 0, 0, 0, 1, 2, 3)],
  ["with a size beyond the limit", 1, Uint8Array.of(0xdc, 1, 8, 1, 255, 255, 255, 255, 7)],
];

for (const [what, good, bytes] of foreign) {
  for (const size of [1, 3, 1_000]) {
    test(`record continues raw where it is not RCSP ${what}, in pieces of ${size}`, async () => {
      await withProxy(async (proxied) => {
        const [client, driver] = await pair(proxied);
        const frames = Array.from({ length: good }, (_, i) => command(i, "A"));
        const all = concat(...frames, bytes, bytes);
        for (let at = 0; at < all.length; at += size) {
          const piece = all.subarray(at, at + size);
          await client.write(piece);
          assertEquals(await read(driver, piece.length), piece);
        }
        await proxied.end();
        const found = entries(proxied.io).slice(1);
        assertEquals(found.filter(({ type }: Entry) => type === "command").length, good);
        const hex = found.filter(({ type }: Entry) => type === "bytes")
          .map((entry: Entry) => entry.hex).join("");
        const expected = Array.from(
          concat(bytes, bytes),
          (byte) => byte.toString(16).padStart(2, "0"),
        ).join("");
        assertEquals(hex, expected);
        assertStringIncludes(proxied.io.err, "Client 1: from the client comes no RCSP");
      });
    });
  }
}

test("record reports a frame that the end of the connection cut", async () => {
  await withProxy(async (proxied) => {
    const [client, driver] = await pair(proxied);
    await client.write(command(1, "ListDevices").subarray(0, 20));
    await driver.read();
    client.close();
    assertEquals(await driver.read(), null);
    driver.close();
    await until(() => proxied.io.err.includes("Client 1 disconnected"));
    await proxied.end();
    const [, entry] = entries(proxied.io);
    assertEquals([entry.type, entry.received, entry.direction], ["cut", 20, "out"]);
  });
});

test("record closes the client where there is no driver, and continues", async () => {
  await withProxy(async (proxied) => {
    const lost = await proxied.join();
    assertEquals(await lost.read(), null);
    await until(() => proxied.io.err.includes("connection refused"));
    const [client, driver] = await pair(proxied);
    await client.write(command(1, "A"));
    assertEquals((await driver.read())!.length, command(1, "A").length);
  });
});

test("record holds a driver back whose client does not read", async () => {
  await withProxy(async (proxied) => {
    const [client, driver] = await pair(proxied);
    const event = frame(EVENT, { text: "x".repeat(60_000) });
    let written = 0;
    const flood = (async () => {
      for (; written < 1_000; written++) await driver.write(event);
    })().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
    assertLess(written, 20);
    client.close();
    await flood;
  });
});

test("record holds connections back while its file does not take more", async () => {
  const { connector, listen } = memoryNetwork();
  const gate = Promise.withResolvers<void>();
  const io = testIo({
    connector,
    listen,
    createFile: () =>
      Promise.resolve({ write: () => gate.promise, close: () => Promise.resolve() }),
  });
  const ending = main(["record", "out", "--listen", "50000"], io);
  await io.until(({ err }) => err.includes("Recording"));
  const accepted = Promise.withResolvers<Socket>();
  const listener = await listen({ port: 45451 }, accepted.resolve);
  const client = await connector({ host: "x", port: 50_000 });
  const driver = await accepted.promise;
  let seen = 0;
  const reading = (async () => {
    for (let chunk = await client.read(); chunk; chunk = await client.read()) seen += chunk.length;
  })();
  const event = frame(EVENT, { text: "x".repeat(60_000) });
  const flood = (async () => {
    for (let i = 0; i < 1_000; i++) await driver.write(event);
  })().catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertLess(seen, 10_000_000);
  gate.resolve();
  await until(() => seen > 20_000_000);
  io.interrupt();
  await ending;
  await Promise.all([reading, flood]);
  listener.close();
});

test("record relays a client of 10 MB bodies and one in small pieces side by side", async () => {
  await withProxy(async (proxied) => {
    const simulator = new Simulator();
    simulator.server.handle("Echo", ({ Arguments }) => Arguments);
    await simulator.serve(proxied.listen, { port: 45451 });
    const big = await connect({ connector: proxied.connector, port: 50_000, reconnect: false });
    const small = new RawClient(await proxied.join());
    const text = "é".repeat(5_000_000);
    const [echoed] = await Promise.all([
      big.call("Echo", { text }),
      (async () => {
        for (const byte of command(1, "ListDevices")) await small.write(Uint8Array.of(byte));
        assertEquals((await small.receive()).type, OK);
      })(),
    ]);
    assertEquals(echoed["text"] === text, true);
    await big.close();
    await small.close();
    await proxied.end();
    await simulator.close();
    assertEquals(entries(proxied.io).length, 5);
  });
});
