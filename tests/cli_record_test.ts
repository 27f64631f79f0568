import { assert, assertEquals, assertLess, assertMatch, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { memoryNetwork } from "../adapters/memory.ts";
import { main } from "../cli/main.ts";
import { connect } from "../mod.ts";
import { listen } from "../server.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import type { Connector, Listen, Socket } from "../src/socket.ts";
import { assertFails, rcsp, type TestIo, testIo, withDriver } from "./support/cli_io.ts";
import { command, concat, EVENT, frame, OK, RawClient, until } from "./support/raw_client.ts";
import { run, runtimeCommand, start } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));

// deno-lint-ignore no-explicit-any -- lines are looked at key by key
type Entry = any;

function entries(io: TestIo, file = "out"): Entry[] {
  const text = file === "-" ? io.out : String(io.files.get(file));
  assert(text.endsWith("\n"));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

interface Proxied {
  readonly io: TestIo;
  readonly connector: Connector;
  readonly listen: Listen;
  /** Connects to the proxy. */
  join(): Promise<Socket>;
  /** Ends the proxy; gives its code. */
  end(): Promise<number>;
}

/** Runs `rcsp record out --listen 50000` in front of port 45451. */
async function withProxy(
  use: (proxied: Proxied) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ connector, listen });
  const ending = main(["record", "out", "--listen", "50000", ...args], io);
  await io.until(({ err }) => err.includes("Recording what passes 127.0.0.1:50000"));
  const sockets: Socket[] = [];
  const end = (): Promise<number> => {
    io.interrupt();
    return ending;
  };
  try {
    await use({
      io,
      connector,
      listen,
      end,
      async join() {
        sockets.push(await connector({ host: "x", port: 50_000 }));
        return sockets.at(-1)!;
      },
    });
  } finally {
    for (const socket of sockets) socket.close();
    await end();
  }
}

test("record between client and driver writes every frame of both directions", async () => {
  await withProxy(async ({ io, connector, listen: listenThere, end }) => {
    const simulator = new Simulator();
    simulator.serve(await listenThere({ port: 45451 }));
    const client = await connect({ connector, port: 50_000, reconnect: false });
    const other = await connect({ connector, port: 50_000, reconnect: false });
    await client.listDevices();
    const presses = other.buttonPresses(1);
    await presses.ready;
    simulator.press(1, "LongPress");
    await presses.next();
    await client.call("Nothing").catch(() => {});
    await client.close();
    await other.close();
    assertEquals(await end(), 130);
    await simulator.close();
    const [head, ...frames] = entries(io);
    assertEquals([head["rcsp-recording"], head.started, head.driver], [
      1,
      "2026-01-02T03:04:05.678Z",
      "localhost:45451",
    ]);
    const seen = frames.map(({ connection, direction, type }: Entry) =>
      [connection, direction, type].join(" ")
    );
    for (const place of ["1 out command", "1 in ok", "1 in error", "2 in ok", "2 in event"]) {
      assert(seen.includes(place), `${place}: ${seen}`);
    }
    assertEquals(frames.find(({ type }: Entry) => type === "event").body.Data, {
      PressType: "LongPress",
    });
    const times = frames.map(({ time }: Entry) => time);
    assertEquals(times, times.toSorted((one: number, two: number) => one - two));
    assertMatch(io.err, /\n\d+ frames of 2 connections recorded\n$/);
    assertStringIncludes(io.err, `\n${frames.length} frames of 2`);
  });
});

/** Two sockets with the proxy between. */
async function pair(proxied: Proxied): Promise<[client: Socket, driver: Socket]> {
  const listener = await proxied.listen({ port: 45451 });
  const client = await proxied.join();
  const driver = await listener.accept();
  listener.close();
  return [client, driver!];
}

async function read(socket: Socket, size: number): Promise<Uint8Array> {
  let bytes = new Uint8Array(0);
  while (bytes.length < size) bytes = concat(bytes, (await socket.read())!) as typeof bytes;
  return bytes;
}

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
    await until(() => proxied.io.err.includes("Client 1 has left"));
    assertEquals(entries(proxied.io).slice(1).map(({ type }: Entry) => type), ["command", "ok"]);
  });
});

const bodies: [what: string, payload: string | Uint8Array, key: string, value: unknown][] = [
  ["is no JSON", "{", "hex", "7b"],
  ["is empty", "", "hex", ""],
  ["is no UTF-8", Uint8Array.of(0x22, 0xff, 0x22), "hex", "22ff22"],
  ["has a BOM", "\ufeff{}", "hex", "efbbbf7b7d"],
  ["is no object", "5", "body", 5],
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
    test(`record goes on raw where it is no RCSP ${what}, in pieces of ${size}`, async () => {
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

test("record tells a frame that the end of the connection cut", async () => {
  await withProxy(async (proxied) => {
    const [client, driver] = await pair(proxied);
    await client.write(command(1, "ListDevices").subarray(0, 20));
    await driver.read();
    client.close();
    assertEquals(await driver.read(), null);
    driver.close();
    await until(() => proxied.io.err.includes("Client 1 has left"));
    await proxied.end();
    const [, entry] = entries(proxied.io);
    assertEquals([entry.type, entry.received, entry.direction], ["cut", 20, "out"]);
  });
});

test("record closes the client where there is no driver, and goes on", async () => {
  await withProxy(async (proxied) => {
    const lost = await proxied.join();
    assertEquals(await lost.read(), null);
    await until(() => proxied.io.err.includes("nobody listens there"));
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
  const listener = await listen({ port: 45451 });
  const client = await connector({ host: "x", port: 50_000 });
  const driver = (await listener.accept())!;
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

test("record without --listen asks for what there is and subscribes", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const io = testIo({ connector });
    const ending = main(["record", "-"], io);
    await io.until(({ err }) => err.includes("Recording: Ctrl-C ends"));
    simulator.press(1, "DoublePress");
    await io.until(({ out }) => out.includes("DoublePress"));
    io.interrupt();
    assertEquals(await ending, 130);
    const [head, ...frames] = entries(io, "-");
    assertEquals([head["rcsp-recording"], head.mode], [1, "client"]);
    const sent = frames.filter(({ direction }: Entry) => direction === "out");
    assertEquals(sent.map(({ body }: Entry) => body.Command), commands.map(([name]) => name));
    assertEquals([...new Set(commands.map(([name]) => name))], [
      "ListDevices",
      "GetDeviceInfo",
      "DeviceSubscribe",
      "DeviceUnsubscribe",
    ]);
    assertMatch(io.err, /\n\d+ frames of 1 connection recorded\n$/);
  });
});

test("record numbers connections as the driver comes back", async () => {
  await withDriver(async ({ connector, restart }) => {
    const io = testIo({ connector });
    const ending = main(["record", "-", "--device", "2"], io);
    await io.until(({ err }) => err.includes("Recording"));
    const simulator = await restart();
    await io.until(() =>
      entries(io, "-").some(({ connection, direction }: Entry) =>
        connection === 2 && direction === "in"
      )
    );
    simulator.press(2, "SinglePress");
    await io.until(({ out }) => out.includes("SinglePress"));
    io.interrupt();
    assertEquals(await ending, 130);
    assertStringIncludes(io.err, "frames of 2 connections recorded");
  });
});

test("record ends with the refusal if no subscription was accepted, and keeps it", async () => {
  await withDriver(async ({ connector }) => {
    const io = testIo({ connector });
    const refused = await main(["record", "out", "--driver", "A/B", "--for", "1ms"], io);
    assertEquals(refused, 0);
    const missing = testIo({ connector });
    assertEquals(await main(["record", "-", "--device", "9"], missing), 1);
    assertStringIncludes(missing.err, "There is no device 9");
    assertStringIncludes(missing.out, '"Command":"ListDevices"');
  });
});

test("record replaces no file unless told, and leaves none where there is no driver", async () => {
  await withDriver(async ({ connector }) => {
    const files = { out: "precious" };
    const kept = testIo({ connector, files });
    assertEquals(await main(["record", "out"], kept), 2);
    assertStringIncludes(kept.err, "Cannot create 'out'");
    assertStringIncludes(kept.err, "--force");
    assertEquals(kept.files.get("out"), "precious");
    const forced = testIo({ connector, files });
    assertEquals(await main(["record", "out", "--force", "--for", "1ms"], forced), 0);
    assertEquals(entries(forced)[0]["rcsp-recording"], 1);
  });
  const { connector } = memoryNetwork();
  const io = testIo({ connector });
  assertEquals(await main(["record", "out"], io), 3);
  assertEquals(io.files.has("out"), false);
});

test("record ends where its file cannot be written, and quietly where nobody reads", async () => {
  await withDriver(async ({ connector }) => {
    const full = await rcsp(["record", "out"], {
      connector,
      createFile: () =>
        Promise.resolve({
          write: () => Promise.reject(new Error("no space left")),
          close: () => Promise.resolve(),
        }),
    });
    assertEquals(full.code, 2);
    assertStringIncludes(full.err, "Cannot write 'out': no space left");
    const io = testIo({ connector });
    io.closeOutput();
    assertEquals(await main(["record", "-"], io), 0);
    assertEquals(io.err.includes("rcsp:"), false, io.err);
  });
});

const clashes: [sentence: string, ...args: string[]][] = [
  ["<file> is missing"],
  ["Cannot use '--simulate' together with '--listen'", "out", "--simulate", "--listen", "0"],
  ["Cannot use '--device' together with '--listen'", "out", "--device", "1", "--listen", "0"],
  ["Cannot use a topic together with '--listen'", "out", "A/B", "--listen", "0"],
  ["'nothing' is no topic", "out", "nothing"],
  ["'--listen' must be a whole number", "out", "--listen", "-1"],
];

test("record refuses what does not go together", async () => {
  const { connector, listen } = memoryNetwork();
  for (const [sentence, ...args] of clashes) {
    const result = await rcsp(["record", ...args], { connector, listen });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("record takes a client of 10 MB bodies and one in small pieces side by side", async () => {
  await withProxy(async (proxied) => {
    const simulator = new Simulator();
    simulator.server.handle("Echo", ({ Arguments }) => Arguments);
    simulator.serve(await proxied.listen({ port: 45451 }));
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

test("the program itself serves, records as a proxy and by itself, and replays", async () => {
  const simulator = start(runtimeCommand(program, "serve", "--port", "0", "--press", "20ms"));
  const port = (await simulator.nextLine()).split(":").at(-1)!;
  const free = await listen();
  free.close();
  const between = `${free.address.port}`;
  const proxy = start(
    runtimeCommand(program, "record", "-", "--listen", between, "--port", port),
  );
  assertEquals(JSON.parse(await proxy.nextLine()).driver, `localhost:${port}`);
  const made = await run(runtimeCommand(program, "record", "-", "--port", between, "--for", "1s"));
  assertEquals(made.code, 0, made.stderr);
  process.kill(proxy.pid, "SIGINT");
  assertEquals((await proxy.ended).code, 130);
  const passed = (await Array.fromAsync(proxy.lines)).map((line) => JSON.parse(line).body);
  const own = made.stdout.trimEnd().split("\n").slice(1).map((line) => JSON.parse(line).body);
  assertEquals(passed.length, own.length);
  assertEquals(new Set(passed.map((body) => JSON.stringify(body))).size > 10, true);

  const replay = start(runtimeCommand(program, "replay", "-", "--port", "0", "--speed", "max"), {
    stdin: made.stdout,
  });
  const replayed = (await replay.nextLine()).split(":").at(-1)!;
  const [real, again] = await Promise.all(
    [port, replayed].map((each) => run(runtimeCommand(program, "list", "--port", each))),
  );
  assertEquals([again!.code, again!.stdout], [0, real!.stdout]);
  const watched = await run(runtimeCommand(program, "watch", "--port", replayed, "-n", "3"));
  assertEquals([watched.code, watched.stdout.trimEnd().split("\n").length], [0, 3]);
  process.kill(replay.pid, "SIGTERM");
  assertEquals((await replay.ended).code, 130);
  await simulator.end();
});
