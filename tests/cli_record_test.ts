import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { memoryNetwork } from "../src/socket/memory.ts";
import { main } from "../cli/main.ts";
import { connect } from "../mod.ts";
import { listen } from "../server.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { entries, type Entry, withProxy } from "./support/recordings.ts";
import { run, runtimeCommand, start } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));

test("record between client and driver writes every frame of both directions", async () => {
  await withProxy(async ({ io, connector, listen: listenThere, end }) => {
    const simulator = new Simulator();
    await simulator.serve(listenThere, { port: 45451 });
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
    assertEquals(await end(), 0);
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

test("record without --listen lists the devices and subscribes", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const io = testIo({ connector });
    const ending = main(["record", "-"], io);
    await io.until(({ err }) => err.includes("Recording: Ctrl-C ends"));
    simulator.press(1, "DoublePress");
    await io.until(({ out }) => out.includes("DoublePress"));
    io.interrupt();
    assertEquals(await ending, 0);
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
    assertEquals(await ending, 0);
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
    assertStringIncludes(missing.err, "Device 9 is not connected");
    assertStringIncludes(missing.out, '"Command":"ListDevices"');
  }, { topics: [{ publisher: "A", topic: "B" }] });
});

test("record replaces no file without --force, and leaves none where there is no driver", async () => {
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
    assertEquals(full.code, 74);
    assertStringIncludes(full.err, "Cannot write 'out': no space left");
    const io = testIo({ connector });
    io.closeOutput();
    assertEquals(await main(["record", "-"], io), 0);
    assertEquals(io.err.includes("rcsp:"), false, io.err);
  });
});

const clashes: [sentence: string, ...args: string[]][] = [
  ["Missing <file>"],
  ["Cannot use '--simulate' together with '--listen'", "out", "--simulate", "--listen", "0"],
  ["Cannot use '--device' together with '--listen'", "out", "--device", "1", "--listen", "0"],
  ["Cannot use a topic together with '--listen'", "out", "A/B", "--listen", "0"],
  ["Invalid topic 'nothing'", "out", "nothing"],
  ["Invalid '--listen' '-1': expected an integer", "out", "--listen", "-1"],
];

test("record refuses what does not go together", async () => {
  const { connector, listen } = memoryNetwork();
  for (const [sentence, ...args] of clashes) {
    const result = await rcsp(["record", ...args], { connector, listen });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("the program itself serves, records as a proxy and by itself, and replays", async () => {
  const simulator = start(runtimeCommand(program, "serve", "--port", "0", "--press", "20ms"));
  const port = (await simulator.nextLine()).split(":").at(-1)!;
  const free = await listen({}, (socket) => socket.close());
  await free.close();
  const between = `${free.address.port}`;
  const proxy = start(
    runtimeCommand(program, "record", "-", "--listen", between, "--port", port),
  );
  assertEquals(JSON.parse(await proxy.nextLine()).driver, `localhost:${port}`);
  const made = await run(runtimeCommand(program, "record", "-", "--port", between, "--for", "1s"));
  assertEquals(made.code, 0, made.stderr);
  process.kill(proxy.pid, "SIGINT");
  assertEquals((await proxy.ended).code, 0);
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
  assertEquals((await replay.ended).code, 0);
  await simulator.end();
});
