import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { stripVTControlCharacters } from "node:util";
import { main } from "../cli/main.ts";
import { LiveView } from "../cli/terminal/live_view.ts";
import { displayWidth } from "../cli/terminal/text_width.ts";
import { encodeDefinition } from "../src/motion/frame.ts";
import { SimulatedHand } from "../src/motion/simulated_hand.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { encodeFrame } from "../src/wire/encoder.ts";
import { PayloadType } from "../src/wire/header.ts";
import { assertFails, rcsp, type TestIo, testIo } from "./support/cli_io.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { withMotion, withServer } from "./support/motion_io.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const FINGERS = ["thumb", "index", "middle", "ring", "little"];

function json(io: TestIo): Record<string, unknown>[] {
  return io.lines.map((line) => JSON.parse(line));
}

/** What a terminal would show: the lines since the cursor last went up. */
function screen(out: string): string[] {
  // deno-lint-ignore no-control-regex
  const [last = ""] = out.split(/\x1b\[\d+A\r/).slice(-1);
  return stripVTControlCharacters(last).split("\n");
}

test("hands in a pipe is one JSON object for each frame of a hand", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector });
    assertEquals(await main(["hands", "--count", "6"], io), 0);
    const frames = json(io);
    assertEquals(frames.length, 6);
    assertEquals(new Set(frames.map(({ hand }) => hand)), new Set(["left", "right"]));
    for (const frame of frames) {
      assertEquals(Object.keys(frame), [
        ...["time", "deviceId", "hand", "curls", "degrees", "pinch"],
        ...["rate", "jitter", "age", "gaps", "dropped"],
      ]);
      assertEquals(Object.keys(frame["curls"] as object), FINGERS);
      for (const curl of Object.values(frame["curls"] as object)) assert(curl >= 0 && curl <= 1);
      assert(Math.abs(Date.now() - Number(frame["time"])) < 60_000);
      assert(Number(frame["pinch"]) > 0);
    }
    assertEquals(io.err, "");
  });
});

test("hands reports how fast the hands come, and how many frames the stamps left out", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector });
    const ending = main(["hands"], io);
    await io.until(() => io.lines.some((line) => JSON.parse(line).gaps > 2));
    io.interrupt();
    assertEquals(await ending, 0);
    assertMatch(io.err, /^\d+ frames received\n$/);
    const rates = json(io).map(({ rate }) => Number(rate));
    // Half of the frames are missing.
    assert(rates.at(-1)! > 20 && rates.at(-1)! < 84, `${rates.at(-1)}`);
  }, { motion: { faults: { gaps: 0.5 } } });
});

test("--calibration makes curls of one's own hands, and a file that is wrong is said to be", async () => {
  const pose = (degrees: number): object => Object.fromEntries(FINGERS.map((f) => [f, degrees]));
  const files = {
    "wide.json": JSON.stringify({ left: { open: pose(-1000), closed: pose(1000) } }),
    "flat.json": JSON.stringify({ left: { open: pose(5), closed: pose(6) } }),
    "other.json": JSON.stringify({ middle: {} }),
    "list.json": "[1]",
  };
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector, files });
    assertEquals(await main(["hands", "-n", "4", "--calibration", "wide.json"], io), 0);
    for (const { hand, degrees, curls } of json(io) as Record<string, Record<string, number>>[]) {
      if (String(hand) !== "left") continue;
      assertEquals(curls!["index"]!.toFixed(2), ((degrees!["index"]! + 1000) / 2000).toFixed(2));
    }
    for (const file of ["flat.json", "other.json", "list.json", "none.json"]) {
      assertFails(await rcsp(["hands", "--calibration", file], { connector, files }), 2);
    }
  });
});

test("a live view that was stopped does not draw over what the shell wrote", async () => {
  let [now, columns, out] = [0, 80, ""];
  const clock = { now: () => now, set: () => {}, clear: () => {} };
  const view = new LiveView({
    write: (text) => Promise.resolve(void (out = text)),
    isTerminal: true,
    get columns() {
      return columns;
    },
  }, clock);
  const steps: [time: number, columns: number, start: string][] = [
    [0, 80, "one"],
    [100, 80, "\x1b[2A\rone"],
    [200, 40, "\x1b[H\x1b[Jone"],
    [60_000, 40, "one"],
    [60_100, 40, "\x1b[2A\rone"],
  ];
  for (const [time, width, start] of steps) {
    [now, columns] = [time, width];
    await view.draw(["one", "two"]);
    assertEquals(out, `${start}\x1b[K\ntwo\x1b[K\n\x1b[J`);
  }
});

for (const columns of [120, 80, 40, 20]) {
  test(`hands in a terminal of ${columns} columns draws in place and breaks no line`, async () => {
    await withMotion(async ({ connector }) => {
      const io = testIo({ connector, terminal: true, columns, variables: { NO_COLOR: "1" } });
      const ending = main(["hands"], io);
      await io.until(({ out }) => out.split("\x1b[J").length > 4 && screen(out).length > 4);
      io.interrupt();
      assertEquals(await ending, 0);
      const lines = screen(io.out);
      for (const line of lines) assert(displayWidth(line) <= columns, line);
      const text = lines.join("\n");
      if (columns >= 40) {
        for (
          const part of ["left hand", "right hand", "jitter", "age", "gap", "dropped", "pinch"]
        ) {
          assertStringIncludes(text, part);
        }
        for (const finger of FINGERS) assertStringIncludes(text, finger);
        assertMatch(text, /index +\S* +[01]\.\d\d +\d+°/);
      }
      // A terminal whose modes are left alone is as it was also after Ctrl-Z, or a kill.
      assertEquals(io.out.includes("\x1b[?"), false);
      assertEquals(lines.some((line) => line.includes("\x1b")), false);
    });
  });
}

test("hands paints where colors are wanted, and prints JSON where a terminal cannot move its cursor", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector, terminal: true });
    assertEquals(await main(["hands", "--count", "3"], io), 0);
    assertStringIncludes(io.out, "\x1b[32m█");
    const dumb = testIo({ connector, terminal: true, variables: { TERM: "dumb" } });
    assertEquals(await main(["hands", "--count", "3"], dumb), 0);
    assertEquals(json(dumb).length, 3);
  });
});

test("a low terminal leaves lines out and reports how many", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector, terminal: true, variables: { NO_COLOR: "1" } });
    const stdout = Object.assign(io.stdout, { rows: 6 });
    const ending = main(["hands", "--raw"], { ...io, stdout, signal: io.signal });
    await io.until(({ out }) => /… \d+ more lines/.test(out));
    io.interrupt();
    assertEquals(await ending, 0);
    assertEquals(screen(io.out).length, 6);
  });
});

test("a terminal that becomes narrower is drawn anew", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector, terminal: true, columns: 100, variables: { NO_COLOR: "1" } });
    const stdout = Object.assign(io.stdout, { rows: 40 });
    const ending = main(["hands"], io);
    await io.until(({ out }) => out.includes("little"));
    Object.assign(stdout, { columns: 40 });
    await io.until(({ out }) => out.includes("\x1b[H\x1b[J"));
    io.interrupt();
    assertEquals(await ending, 0);
    const [, after = ""] = io.out.split("\x1b[H\x1b[J");
    for (const line of screen(after)) assert(displayWidth(line) <= 40, line);
  });
});

test("hands --raw gives the sensors of the raw stream with their names and values", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector });
    assertEquals(await main(["hands", "--raw", "--count", "8"], io), 0);
    const sensors = json(io).find(({ group }) => group === "sensors")!;
    assertEquals(sensors["deviceType"], "smartgloves");
    const streams = sensors["streams"] as { target: string; measure: string; values: number[] }[];
    assertEquals(streams[0]?.target, "hub");
    assertEquals(streams.every(({ values }) => values.length === 7), true);
    const shown = testIo({ connector, terminal: true, columns: 120, variables: { NO_COLOR: "1" } });
    const ending = main(["hands", "--raw"], shown);
    await shown.until(({ out }) => /hub TRANSFORM +-?\d/.test(out));
    shown.interrupt();
    assertEquals(await ending, 0);
  });
});

test("--interval leaves out frames, and the newest is shown", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector });
    assertEquals(await main(["hands", "--count", "4", "--interval", "100ms"], io), 0);
    const times = json(io).filter(({ hand }) => hand === "left").map(({ time }) => Number(time));
    assert(times[1]! - times[0]! > 24, `${times}`);
  });
});

test("a hand without joints_openxr is shown all the same, with what to do about it", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector });
    assertEquals(await main(["hands", "--count", "4"], io), 0);
    assertEquals(json(io).length, 4);
    assertEquals(io.err.split("\n").length, 3);
    assertStringIncludes(io.err, "start the hand solver with --emit-openxr");
    const shown = testIo({ connector, terminal: true, columns: 40, variables: { NO_COLOR: "1" } });
    const ending = main(["hands"], shown);
    await shown.until(({ out }) => out.includes("--emit-openxr"));
    shown.interrupt();
    assertEquals(await ending, 0);
    for (const line of screen(shown.out)) assert(displayWidth(line) <= 40, line);
  }, { motion: { faults: { noOpenXr: true } } });
});

test("a stream that goes away is waited for, and shown again", async () => {
  await withMotion(async (driver) => {
    const io = testIo({ connector: driver.connector });
    const ending = main(["hands"], io);
    await io.until(() => io.lines.length > 2);
    await driver.restart();
    await io.until(({ err }) => err.includes("Connecting again"));
    const before = io.lines.length;
    await io.until(() => io.lines.length > before + 2);
    io.interrupt();
    assertEquals(await ending, 0);
  });
});

test("hands without a stream reports what to start; --wait waits for it", async () => {
  const { connector, listen } = memoryNetwork();
  const refused = await rcsp(["hands"], { connector });
  assertFails(refused, 3);
  assertStringIncludes(refused.err, "localhost:12277");
  for (const part of ["hand solver", "--motion-port", "--simulate", "rcsp serve --motion"]) {
    assertStringIncludes(refused.err, part);
  }
  assertStringIncludes((await rcsp(["hands", "--raw"], { connector })).err, "localhost:12276");
  const io = testIo({ connector });
  const ending = main(["hands", "--wait", "--count", "1"], io);
  await io.until(({ err }) => err.includes("Waiting"));
  const { Simulator } = await import("../src/simulator/simulator.ts");
  const simulator = new Simulator({ motion: true });
  await simulator.serveMotion(listen, { port: 12277, rawPort: 12276 });
  assertEquals(await ending, 0);
  await simulator.close();
});

test("RCSP on the port, or anything else that is not a motion stream, is said in one sentence", async () => {
  const event = encodeFrame(PayloadType.Event, "{}");
  const text = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n");
  for (const [bytes, part] of [[event, "try port 12276 or 12277"], [text, "RGMP"]] as const) {
    await withServer((socket) => socket.write(bytes), async (connector) => {
      for (const terminal of [false, true]) {
        const { code, err } = await rcsp(["hands"], { connector, terminal });
        assertEquals(code, 5);
        // A terminal has lines of 80 columns.
        const sentence = err.replaceAll(/\s+/g, " ");
        assertStringIncludes(sentence, part);
        assertMatch(sentence, /^rcsp: Cannot read motion frame/);
      }
    });
  }
});

test("a port that sends nothing is said to be silent, and is waited for", async () => {
  await withServer(async () => {}, async (connector) => {
    const clock = new FakeClock();
    const io = testIo({ connector, clock });
    const ending = main(["hands"], io);
    await until(() => clock.timers > 0);
    clock.advance(2_000);
    await io.until(({ err }) =>
      err.includes("localhost:12277 accepts the connection but sends nothing")
    );
    io.interrupt();
    assertEquals(await ending, 0);
  });
});

test("hands --for fails if no frame came, and names the port of RCSP", async () => {
  await withServer(async () => {}, async (connector) => {
    const result = await rcsp(["hands", "--for", "5ms"], { connector });
    assertFails(result, 4);
    assertStringIncludes(result.err, "No frame came from localhost:12277");
    const shown = await rcsp(["hands", "--for", "5ms"], { connector, terminal: true });
    assertEquals(shown.code, 4);
  });
  await withMotion(async ({ connector }) => {
    const clock = new FakeClock();
    const io = testIo({ connector, clock });
    const ending = main(["streams", "--motion-port", "45451"], io);
    await until(() => clock.timers > 0);
    clock.advance(2_000);
    assertEquals(await ending, 4);
    assertStringIncludes(io.err, "45451 is the port of RCSP");
  });
});

test("names that steer a terminal are escaped, values that are not numbers are null", async () => {
  const evil = "\x1b[2J\u202e" + "x".repeat(500);
  const { definition } = new SimulatedHand({ side: "left", deviceId: 1 });
  const bytes = encodeDefinition({ ...definition, device_type: evil, device_info: null });
  const nan = new SimulatedHand({ side: "left", deviceId: 1 });
  for (const frame of nan.frames) frame.frame.fill(0xff, 24);
  const frames = nan.frames.map(({ frame }) => frame);
  await withServer(async (socket) => {
    await socket.write(bytes);
    for (const frame of frames) await socket.write(frame);
  }, async (connector) => {
    const io = testIo({ connector });
    assertEquals(await main(["hands", "--raw", "--raw-port", "12277", "-n", "2"], io), 0);
    const [first] = json(io) as { streams: { values: unknown[] }[] }[];
    assertEquals(first!.streams[0]!.values, new Array(7).fill(null));
    const shown = testIo({ connector, terminal: true, columns: 40, variables: { NO_COLOR: "1" } });
    const ending = main(["hands", "--raw", "--raw-port", "12277"], shown);
    await shown.until(({ out }) => out.includes("joints_local") || out.includes("xxx"));
    shown.interrupt();
    assertEquals(await ending, 0);
    assertEquals(shown.out.includes("\x1b[2J") || shown.out.includes("\u202e"), false);
    for (const line of screen(shown.out)) assert(displayWidth(line) <= 40, line);
  });
});

test("hands ends quietly when nobody reads any more", async () => {
  await withMotion(async ({ connector }) => {
    const io = testIo({ connector });
    const ending = main(["hands"], io);
    await io.until(() => io.lines.length > 1);
    io.closeOutput();
    assertEquals([await ending, io.err], [0, ""]);
  });
});
