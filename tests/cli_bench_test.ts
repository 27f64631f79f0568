import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { main } from "../cli/main.ts";
import { CommandError } from "../src/errors.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { startScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const PARTS = ["sequential", "pipelined 64", "pipelined 1000"];

test("bench sends a harmless command to a driver, one at a time and many", async () => {
  await withDriver(async ({ connector, commands }) => {
    const { code, out, err } = await rcsp(["bench", "--for", "100ms"], { connector });
    assertEquals([code, err], [0, ""]);
    const results = out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(results.map(({ part }) => part), PARTS);
    let counted = 0;
    for (const { count, seconds, perSecond, median, p99 } of results) {
      assert(count > 0 && seconds > 0 && perSecond > 0 && median <= p99);
      counted += count;
    }
    assertGreaterOrEqual(commands.length, counted);
    assertEquals([...new Set(commands.map(([name]) => name))], ["ListDevices"]);
  });
});

test("bench --simulate measures events too, and shows a table in a terminal", async () => {
  const args = ["bench", "--simulate", "--for", "100ms"];
  const { code, out } = await rcsp(args);
  assertEquals(code, 0);
  const results = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(results.map(({ part }) => part), [...PARTS, "events"]);
  const { count, median } = results.at(-1);
  assertEquals([count > 0, median], [true, undefined]);
  const shown = await rcsp([...args, "--no-color"], { terminal: true });
  assertEquals(shown.out.split("\n").map((line) => line.split("  ")[0]), [
    "part",
    ...PARTS,
    "events",
    "",
  ]);
});

test("bench draws a bar in a terminal only, no wider than it, and takes it away", async () => {
  const args = ["bench", "--simulate", "--for", "120ms"];
  const io = testIo({ terminal: true, columns: 20 });
  assertEquals(await main(args, io), 0);
  assertStringIncludes(io.err, "\r\x1b[2K[###");
  assert(io.err.endsWith("\r\x1b[2K"));
  for (const line of io.err.split("\r\x1b[2K")) assert(line.length < 20, line);
  assertEquals((await rcsp(args)).err, "");
});

test("bench ends at Ctrl-C with what there is", async () => {
  await withDriver(async ({ connector, commands }) => {
    const io = testIo({ connector });
    const ending = main(["bench", "--for", "60s"], io);
    await until(() => commands.length > 0);
    io.interrupt();
    assertEquals([await ending, io.err, io.lines.length <= 1], [130, "", true]);
  });
});

test("bench counts errors as answers, and fails where none come", async () => {
  await withDriver(async ({ simulator, connector }) => {
    simulator.server.handle("ListDevices", () => {
      throw new CommandError({ Code: 1 });
    });
    assertEquals((await rcsp(["bench", "--for", "50ms"], { connector })).code, 0);
  });
  const mute = await startScripted(() => undefined);
  const args = ["bench", "--for", "5ms", "--timeout", "20"];
  assertFails(await rcsp(args, { connector: mute.connector }), 4);
  await mute.close();
  let left = 100;
  const ends = await startScripted(({ trackId }, server) => {
    if (--left === 0) return "close";
    server.send(errorFrame(trackId));
    return undefined;
  });
  assertEquals((await rcsp(["bench"], { connector: ends.connector })).code, 3);
  await ends.close();
});

function errorFrame(TrackId: string): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify({ TrackId, Error: { Code: 1 } }));
  return new Uint8Array([0xdc, 1, 8, 3, body.length, 0, 0, 0, ...body]);
}

test("bench sends the command that a dialect calls harmless", async () => {
  await withDriver(async ({ connector, commands }) => {
    const files = { d: '{"commands":{"heartbeat":"Ping"}}' };
    await rcsp(["bench", "--for", "50ms", "--dialect", "d"], { connector, files });
    assertEquals([...new Set(commands.map(([name]) => name))], ["Ping"]);
  });
});

test("bench refuses what does not go together", async () => {
  assertFails(await rcsp(["bench", "--simulate", "--port", "1"]), 2);
  assertFails(await rcsp(["bench", "--for", "61s"]), 2);
});
