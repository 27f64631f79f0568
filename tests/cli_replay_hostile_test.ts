import { assertEquals, assertStringIncludes } from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import { main } from "../cli/main.ts";
import { assertFails, rcsp, testIo } from "./support/cli_io.ts";
import { frame } from "./support/raw_client.ts";
import {
  entry,
  exchange,
  HEAD,
  numbers,
  recording,
  subscribed,
  withReplay,
} from "./support/recordings.ts";
import { test } from "./support/test.ts";

const wrong: [sentence: string, text: string | Uint8Array][] = [
  ["it is empty", ""],
  ["it is not a recording of 'rcsp record'", "\n"],
  ["it is not a recording of 'rcsp record'", "[]\n"],
  ["it is not a recording of 'rcsp record'", '{"time":1}\n'],
  ["it is not a recording of 'rcsp record'", HEAD.slice(0, 20)],
  ["it is not a recording of 'rcsp record'", Uint8Array.from({ length: 5_000 }, (_, i) => i * 7)],
  ["its format version is the number 2, this rcsp reads 1", '{"rcsp-recording":2}\n'],
  ["its format version is the string '1'", '{"rcsp-recording":"1"}\n'],
  ["line 3 is wrong: it is not JSON", recording(entry(1, "event", {}), '{"time":5,"dir', "x")],
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

test("replay reports which line is wrong, and does not listen", async () => {
  for (const [sentence, text] of wrong) {
    const { listen } = memoryNetwork();
    const result = await rcsp(["replay", "in"], { listen, files: { in: text } });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("replay reports where a recording is not UTF-8, or cannot be read", async () => {
  const head = new TextEncoder().encode(`${HEAD}\n`);
  const bad = { in: new Uint8Array([...head, 0x7b, 0xff, 0x7d, 0x0a]) };
  const result = await rcsp(["replay", "in"], { files: bad });
  assertFails(result, 2);
  assertStringIncludes(result.err, "line 2 is wrong: it is not UTF-8");
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
      0,
      "The last line, 3, is cut: left out",
    ]);
  }
  await withReplay(whole, async ({ connect, io }) => {
    assertEquals(await (await connect()).call("A"), { ä: "ö" });
    assertEquals(io.err.includes("cut"), false);
  });
});

test("replay accepts times that go backwards as now, and shows it", async () => {
  const text = recording(...subscribed([1_000, 1_100, 400, 300, 1_050, 1_100]));
  await withReplay(text, async ({ connect, io }) => {
    assertEquals(await numbers(await connect(), 6), [0, 1, 2, 3, 4, 5]);
    assertStringIncludes(io.err, "Line 6 is earlier than the one before: taken as now\n");
  }, ["--speed", "100"]);
});

test("replay reports answers whose command is not recorded", async () => {
  await withReplay(recording(entry(1, "ok", { TrackId: "1" })), ({ io }) => {
    assertStringIncludes(io.err, "1 answers are left out");
    return Promise.resolve();
  });
});

test("replay accepts a line of 10 MB, and refuses a recording of more than 128 MB", async () => {
  const Text = "x".repeat(10_000_000);
  await withReplay(
    recording(...exchange(1, "1", "A", undefined, { Response: { Text } })),
    async ({ connect }) => {
      assertEquals((await (await connect()).call("A"))["Text"] === Text, true);
    },
  );
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  const result = await rcsp(["replay", "-"], {
    input: [`${HEAD}\n`, ...Array.from({ length: 128 }, () => chunk)],
  });
  assertFails(result, 2);
  assertStringIncludes(result.err, "Cannot read standard input: it is longer than 128 MiB");
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
