import {
  assert,
  assertEquals,
  assertGreaterOrEqual,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import { main } from "../cli/main.ts";
import { CommandError, connect } from "../mod.ts";
import { testIo, withDriver } from "./support/cli_io.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { command, frame } from "./support/raw_client.ts";
import {
  entry,
  exchange,
  numbers,
  recording,
  subscribed,
  withReplay,
} from "./support/recordings.ts";
import { test } from "./support/test.ts";
import { turn, until } from "./support/wait.ts";

test("replay answers as was recorded, in turn, the last answer over and over", async () => {
  const text = recording(
    ...exchange(1, "1", "ListDevices", undefined, { Response: { Devices: [] } }),
    ...exchange(2, "2", "ListDevices", {}, { Response: { Devices: [{ DeviceId: 7 }] } }),
    ...exchange(3, "3", "Get", { A: 1, B: { C: 2, D: 3 } }, { Response: { x: 1 } }),
    ...exchange(4, "4", "Get", { A: 2 }, { Error: { Code: 5, Message: "no" } }),
  );
  await withReplay(text, async ({ connect, io }) => {
    for (let client = 0; client < 2; client++) {
      const rcsp = await connect();
      assertEquals(await rcsp.listDevices(), []);
      assertEquals(await rcsp.listDevices(), [{ DeviceId: 7 }]);
      assertEquals(await rcsp.listDevices(), [{ DeviceId: 7 }]);
      assertEquals(await rcsp.call("Get", { B: { D: 3, C: 2 }, A: 1 }), { x: 1 });
      const error = await rcsp.call("Get", { A: 2 }).catch((error) => error);
      assert(error instanceof CommandError);
      assertEquals([error.errorCode, error.errorMessage], [5, "no"]);
      const unknown = await rcsp.call("Get", { A: 3 }).catch((error) => error);
      assertEquals(unknown.errorCode, "NotRecorded");
      assertStringIncludes(unknown.message, "The recording has no answer to 'Get'");
    }
    assertStringIncludes(io.err, "Answers to 3 commands, 0 events");
  });
});

const tracks: [what: string, recorded: object, replayed: object, dialect?: object][] = [
  ["at the top", { TrackId: "1", Response: { a: "1" } }, { TrackId: "99", Response: { a: "1" } }],
  ["nowhere", { Response: { a: "1" } }, { Response: { a: "1" } }],
  ["deeper", { Meta: { Track: "1", X: 2 } }, { Meta: { Track: "99", X: 2 } }],
  ["by dialect", { Id: "1", Track: "1" }, { Id: "99", Track: "1" }, { trackId: "Id" }],
  ["of another command", { TrackId: "5" }, { TrackId: "5" }],
  [
    "beside foreign keys",
    JSON.parse('{"TrackId":"1","__proto__":{"a":1}}'),
    JSON.parse('{"TrackId":"99","__proto__":{"a":1}}'),
  ],
];

test("replay echoes the TrackId of the command at hand, wherever it stood", async () => {
  for (const [what, recorded, replayed, dialect] of tracks) {
    const sent = { Command: "A", TrackId: "1", Version: 1 };
    const text = recording(entry(1, "command", sent), entry(2, "ok", recorded));
    const files = { in: text, d: JSON.stringify(dialect ?? {}) };
    await withReplay(
      text,
      async ({ join }) => {
        const client = await join();
        await client.write(command("99", "A"));
        assertEquals((await client.receive()).body, replayed, what);
      },
      ["--dialect", "d"],
      { files },
    );
  }
});

test("replay sends events with the times between them, counted from the subscription", async () => {
  for (const [speed, times] of [["1", [0, 500, 2_000]], ["2", [0, 250, 1_000]]] as const) {
    const clock = new FakeClock();
    await withReplay(
      recording(...subscribed([1_000, 1_500, 3_000])),
      async ({ connect }) => {
        const rcsp = await connect();
        const presses = rcsp.buttonPresses(1);
        await presses.ready;
        let seen = 0;
        const reading = (async () => {
          for await (const _ of presses) seen++;
        })();
        let now = 0;
        for (const [i, time] of times.entries()) {
          // Just before its time it is not there, and at its time it is.
          if (time > now) {
            await turn(20);
            clock.advance(time - now - 1);
            await turn(20);
            assertEquals(seen, i);
            clock.advance(1);
          }
          now = time;
          await until(() => seen > i);
          assertEquals(seen, i + 1);
        }
        await rcsp.close();
        await reading;
      },
      ["--speed", speed],
      { clock },
    );
  }
});

test("replay --speed max sends events at once, and --loop over and over", async () => {
  const text = recording(...subscribed([1_000, 5_000, 3_600_000]));
  await withReplay(text, async ({ connect }) => {
    assertEquals(await numbers(await connect(), 3), [0, 1, 2]);
  }, ["--speed", "max"]);
  await withReplay(text, async ({ connect }) => {
    assertEquals(await numbers(await connect(), 7), [0, 1, 2, 0, 1, 2, 0]);
  }, ["--speed", "max", "--loop"]);
});

test("replay --from and --to send the events between, from the subscription on", async () => {
  const text = recording(...subscribed([1_100, 61_200, 61_250, 61_300, 90_000]));
  await withReplay(text, async ({ connect }) => {
    const rcsp = await connect();
    assertEquals(await numbers(rcsp, 2), [1, 2]);
    await rcsp.close();
  }, ["--from", "61150ms", "--to", "61250ms"]);
});

test("replay gives each client the events of one connection, in turn", async () => {
  const lines = [...subscribed([1_100], 1), ...subscribed([1_200], 4), ...subscribed([], 5)];
  await withReplay(recording(...lines), async ({ connect }) => {
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const presses = (await connect()).buttonPresses(1);
      const { value } = await presses.next();
      seen.push((value!.event.data as { connection: number }).connection);
    }
    assertEquals(seen, [1, 4, 1]);
  }, ["--speed", "max"]);
});

test("replay sends events that nobody subscribed to as soon as a client comes", async () => {
  const text = recording(entry(5, "event", { Hello: 1 }));
  await withReplay(text, async ({ join }) => {
    assertEquals((await (await join()).receive()).body, { Hello: 1 });
  });
});

test("replay sends bodies that are not JSON as they were", async () => {
  const line = JSON.stringify({
    time: 1,
    direction: "in",
    connection: 1,
    type: "event",
    hex: "7bff",
  });
  await withReplay(recording(line), async ({ join }) => {
    const client = await join();
    assertEquals(await client.socket.read(), frame(4, Uint8Array.of(0x7b, 0xff)));
  });
});

test("what record wrote of a driver is replayed as that driver", async () => {
  let recorded = "";
  let real: unknown;
  await withDriver(async ({ simulator, connector }) => {
    const io = testIo({ connector });
    const ending = main(["record", "-"], io);
    await io.until(({ err }) => err.includes("Recording"));
    for (const type of ["SinglePress", "DoublePress", "LongPress"] as const) {
      simulator.press(1, type);
    }
    await io.until(({ out }) => out.includes("LongPress"));
    io.interrupt();
    await ending;
    recorded = io.out;
    const rcsp = await connect({ connector, reconnect: false });
    real = [await rcsp.listDevices(), await rcsp.getDeviceInfo(2)];
    await rcsp.close();
  });
  await withReplay(recorded, async ({ connect, io }) => {
    const rcsp = await connect();
    assertEquals([await rcsp.listDevices(), await rcsp.getDeviceInfo(2)], real);
    const types: string[] = [];
    const presses = rcsp.buttonPresses(1);
    for await (const { type } of presses) if (types.push(type) === 3) break;
    assertEquals(types, ["SinglePress", "DoublePress", "LongPress"]);
    await rcsp.drain();
    assertGreaterOrEqual(io.err.length, 1);
    assertEquals(io.err.includes("The recording has no answer"), false, io.err);
  });
});

test("replay ends at Ctrl-C while a client does not read", async () => {
  const { connector, listen } = memoryNetwork();
  const io = testIo({
    listen,
    files: { in: recording(entry(1, "event", { Text: "x".repeat(10_000) })) },
  });
  const ending = main(["replay", "in", "--speed", "max", "--loop"], io);
  await io.until(({ err }) => err.includes("Ctrl-C ends"));
  const client = await connector({ host: "x", port: 45_451 });
  await client.read();
  io.interrupt();
  assertEquals(await ending, 0);
  assertMatch(io.err, /\n1 client served\n$/);
  client.close();
});
