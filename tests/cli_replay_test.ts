import { assert, assertEquals, assertGreaterOrEqual, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../adapters/memory.ts";
import { main } from "../cli/main.ts";
import { CommandError, connect } from "../mod.ts";
import type { RcspClient } from "../src/client/client.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import { assertFails, rcsp, type TestIo, testIo, type TestIoOptions } from "./support/cli_io.ts";
import { command, frame, RawClient } from "./support/raw_client.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { withDriver } from "./support/cli_io.ts";
import { test } from "./support/test.ts";

const HEAD = '{"rcsp-recording":1,"started":"2026-01-02T03:04:05.678Z"}';

/** One line of a recording. */
function entry(time: number, type: string, body: unknown, connection = 1): string {
  const direction = type === "command" ? "out" : "in";
  return JSON.stringify({ time, direction, connection, type, body });
}

/** A command and its answer. */
function exchange(
  time: number,
  TrackId: string,
  Command: string,
  Arguments: unknown,
  answer: object,
  connection = 1,
): string[] {
  const sent = { Command, TrackId, Version: 1, ...(Arguments === undefined ? {} : { Arguments }) };
  const type = "Error" in answer ? "error" : "ok";
  return [
    entry(time, "command", sent, connection),
    entry(time, type, { TrackId, ...answer }, connection),
  ];
}

function recording(...lines: string[]): string {
  return [HEAD, ...lines, ""].join("\n");
}

interface Replayed {
  readonly io: TestIo;
  connect(options?: ConnectOptions): Promise<RcspClient>;
  join(): Promise<RawClient>;
}

/** Replays a text while `use` runs. */
async function withReplay(
  text: string | Uint8Array,
  use: (replayed: Replayed) => Promise<void>,
  args: readonly string[] = [],
  options: TestIoOptions = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const io = testIo({ listen, files: { in: text }, ...options });
  const ending = main(["replay", "in", ...args], io);
  await Promise.race([io.until(({ err }) => err.includes("Ctrl-C ends")), ending]);
  assertEquals(io.out, "RCSP replay listening on 127.0.0.1:45451\n", io.err);
  const clients: RcspClient[] = [];
  const joined: RawClient[] = [];
  try {
    await use({
      io,
      async connect(options = {}) {
        const client = await connect({ connector, reconnect: false, ...options });
        clients.push(client);
        return client;
      },
      async join() {
        joined.push(new RawClient(await connector({ host: "x", port: 45_451 })));
        return joined.at(-1)!;
      },
    });
  } finally {
    await Promise.all([...clients, ...joined].map((client) => client.close()));
    io.interrupt();
  }
  assertEquals(await ending, 130);
}

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

const SUBSCRIBE = { DeviceId: 1, Publisher: "DeviceEvents", Topic: "ButtonPushed" };

/** A recording of a subscription at 1000 ms and of events at the times given, on a connection. */
function subscribed(times: readonly number[], connection = 1): string[] {
  return [
    ...exchange(1_000, "1", "DeviceSubscribe", SUBSCRIBE, {}, connection),
    ...times.map((time, i) =>
      entry(time, "event", {
        ...SUBSCRIBE,
        Data: { PressType: "SinglePress", connection, number: i },
      }, connection)
    ),
  ];
}

async function numbers(rcsp: RcspClient, count: number): Promise<unknown[]> {
  const presses = rcsp.buttonPresses(1);
  await presses.ready;
  const found: unknown[] = [];
  for await (const { event } of presses) {
    found.push((event.data as { number: number }).number);
    if (found.length === count) break;
  }
  return found;
}

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
            await turns();
            clock.advance(time - now - 1);
            await turns();
            assertEquals(seen, i);
            clock.advance(1);
          }
          now = time;
          await turns();
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

async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

test("replay --speed max sends events at once, and --loop over and over", async () => {
  const text = recording(...subscribed([1_000, 5_000, 3_600_000]));
  await withReplay(text, async ({ connect }) => {
    assertEquals(await numbers(await connect(), 3), [0, 1, 2]);
  }, ["--speed", "max"]);
  await withReplay(text, async ({ connect }) => {
    assertEquals(await numbers(await connect(), 7), [0, 1, 2, 0, 1, 2, 0]);
  }, ["--speed", "max", "--loop"]);
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

test("replay sends events that were never asked for as soon as a client comes", async () => {
  const text = recording(entry(5, "event", { Hello: 1 }));
  await withReplay(text, async ({ join }) => {
    assertEquals((await (await join()).receive()).body, { Hello: 1 });
  });
});

test("replay sends bodies that are no JSON as they were", async () => {
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

const wrong: [sentence: string, text: string | Uint8Array][] = [
  ["it is empty", ""],
  ["it is no recording of 'rcsp record'", "\n"],
  ["it is no recording of 'rcsp record'", "[]\n"],
  ["it is no recording of 'rcsp record'", '{"time":1}\n'],
  ["it is no recording of 'rcsp record'", HEAD.slice(0, 20)],
  ["it is no recording of 'rcsp record'", Uint8Array.from({ length: 5_000 }, (_, i) => i * 7)],
  ["its format version is the number 2, this rcsp reads 1", '{"rcsp-recording":2}\n'],
  ["its format version is the string '1'", '{"rcsp-recording":"1"}\n'],
  ["line 3 is wrong: it is no JSON", recording(entry(1, "event", {}), '{"time":5,"dir', "x")],
  ["line 2 is wrong: it is the number 5, not an object", recording("5")],
  ["line 2 is wrong: 'time' is nothing", recording("{}")],
  ["line 2 is wrong: 'time' is the number -1", recording(entry(-1, "event", {}))],
  ["line 2 is wrong: 'time' is the number Infinity", recording('{"time":1e999}')],
  ["line 2 is wrong: 'connection' is the string 'x'", recording('{"time":1,"connection":"x"}')],
  ["line 2 is wrong: 'type' is null", recording('{"time":1,"connection":1,"type":null}')],
  ["line 2 is wrong: 'direction' is nothing", recording('{"time":1,"connection":1,"type":"ok"}')],
  ["line 2 is wrong: 'body' is the number 5", recording(entry(1, "ok", 5))],
  ["line 2 is wrong: 'body' is nothing", recording(entry(1, "ok", undefined))],
  ["line 2 is wrong: 'body' is nested deeper than 1000", deep(3_000)],
  ["line 2 is wrong: 'body' is nested deeper than 1000", deep(1_000_000)],
];

function deep(levels: number): string {
  return recording(
    `{"time":1,"direction":"in","connection":1,"type":"ok","body":${'{"a":'.repeat(levels)}1${
      "}".repeat(levels)
    }}`,
  );
}

test("replay says which line is wrong, and does not listen", async () => {
  for (const [sentence, text] of wrong) {
    const { listen } = memoryNetwork();
    const result = await rcsp(["replay", "in"], { listen, files: { in: text } });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("replay says where a recording is no UTF-8, or cannot be read", async () => {
  const head = new TextEncoder().encode(`${HEAD}\n`);
  const bad = { in: new Uint8Array([...head, 0x7b, 0xff, 0x7d, 0x0a]) };
  const result = await rcsp(["replay", "in"], { files: bad });
  assertFails(result, 2);
  assertStringIncludes(result.err, "line 2 is wrong: it is no UTF-8");
  const missing = await rcsp(["replay", "in"]);
  assertFails(missing, 2);
  assertStringIncludes(missing.err, "Cannot read 'in': no such file");
});

test("replay leaves a last line out that was cut, wherever it was", async () => {
  const lines = exchange(1, "1", "A", undefined, { Response: { ä: "ö" } });
  const whole = new TextEncoder().encode(recording(...lines).trimEnd());
  const last = new TextEncoder().encode(lines[1]!).length;
  for (let cut = 1; cut < last; cut++) {
    const { listen } = memoryNetwork();
    const io = testIo({ listen, files: { in: whole.subarray(0, whole.length - cut) } });
    const ending = main(["replay", "in"], io);
    await io.until(({ err }) => err.includes("Ctrl-C ends") || err.includes("rcsp:"));
    io.interrupt();
    assertEquals([await ending, io.err.split("\n")[0]], [
      130,
      "The last line, 3, is cut: left out",
    ]);
  }
  await withReplay(whole, async ({ connect, io }) => {
    assertEquals(await (await connect()).call("A"), { ä: "ö" });
    assertEquals(io.err.includes("cut"), false);
  });
});

test("replay takes times that go backwards as now, and says so", async () => {
  const text = recording(...subscribed([1_000, 1_100, 400, 300, 1_050, 1_100]));
  await withReplay(text, async ({ connect, io }) => {
    assertEquals(await numbers(await connect(), 6), [0, 1, 2, 3, 4, 5]);
    assertStringIncludes(io.err, "Line 6 is earlier than the one before: taken as now\n");
    assertStringIncludes(io.err, "So are 2 more lines\n");
  }, ["--speed", "100"]);
});

test("replay tells of answers whose command is not recorded", async () => {
  await withReplay(recording(entry(1, "ok", { TrackId: "1" })), ({ io }) => {
    assertStringIncludes(io.err, "1 answers are left out");
    return Promise.resolve();
  });
});

test("replay takes a line of 10 MB, and refuses one of 50 MB", async () => {
  const Text = "x".repeat(10_000_000);
  await withReplay(
    recording(...exchange(1, "1", "A", undefined, { Response: { Text } })),
    async ({ connect }) => {
      assertEquals((await (await connect()).call("A"))["Text"] === Text, true);
    },
  );
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  const result = await rcsp(["replay", "-"], {
    input: [`${HEAD}\n`, ...Array.from({ length: 50 }, () => chunk)],
  });
  assertFails(result, 2);
  assertStringIncludes(result.err, "line 2 is wrong: it has more than 41943040 bytes");
});

const speeds = ["0", "-1", "fast", "1e3", "Infinity", "NaN", "0.0001", "1000001", "__proto__"];

test("replay refuses a speed that is none", async () => {
  for (const speed of speeds) {
    const result = await rcsp(["replay", "in", "--speed", speed], { files: { in: recording() } });
    assertFails(result, 2);
    assertStringIncludes(result.err, "'--speed'");
  }
});

test("a client that sends no RCSP is cut, and the others live", async () => {
  const text = recording(...exchange(1, "1", "A", undefined, { Response: { a: 1 } }));
  await withReplay(text, async ({ connect, join, io }) => {
    const other = await connect();
    const foreign = await join();
    await foreign.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    assertEquals(await foreign.next().catch(() => null), null);
    await io.until(({ err }) => err.includes("marker 0xdc"));
    const wrongBody = await join();
    await wrongBody.write(frame(1, "{"));
    assertEquals((await wrongBody.receive()).body.Error?.Code, "BadCommand");
    assertEquals(await other.call("A"), { a: 1 });
  });
});

test("a client that pipelines many commands and reads late gets all answers", async () => {
  const text = recording(
    ...exchange(1, "1", "A", undefined, { Response: { text: "x".repeat(1_000) } }),
  );
  await withReplay(text, async ({ join }) => {
    const client = await join();
    const writing = (async () => {
      for (let i = 0; i < 5_000; i++) await client.send("A");
    })();
    const answers = await client.receiveMany(5_000);
    await writing;
    assertEquals(answers.at(-1)?.body.TrackId, "5000");
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
