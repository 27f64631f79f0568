import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { SimulatedDevice } from "../src/simulator/devices.ts";
import { assertFails, rcsp, testIo, withDriver } from "./support/cli_io.ts";
import { startScripted } from "./support/scripted_server.ts";
import { main } from "../cli/main.ts";
import { test } from "./support/test.ts";

const devices: SimulatedDevice[] = [
  { DeviceId: 1, Name: "Glove 左", Type: "Smartglove", info: { Battery: 80 } },
  { DeviceId: "1", Name: "Text", Type: "Smartglove" },
  { DeviceId: "left", Name: "Suit 🧤", Type: "Suit" },
  { DeviceId: { Port: 2 }, Name: "", Type: "Coil" },
];

test("list is a table in a terminal, aligned also with wide characters", async () => {
  await withDriver(async ({ connector }) => {
    const options = { connector, terminal: true, variables: { NO_COLOR: "1" } };
    assertEquals(await rcsp(["list"], options), {
      code: 0,
      err: "",
      out: "DeviceId    Name      Type\n" +
        "1           Glove 左  Smartglove\n" +
        "1           Text      Smartglove\n" +
        "left        Suit 🧤   Suit\n" +
        '{"Port":2}            Coil\n',
    });
    const narrow = await rcsp(["list"], { ...options, columns: 12 });
    assertEquals(narrow.err, "2 columns had no room: --json shows all\n");
    assertEquals(narrow.out.split("\n")[0], "DeviceId");
    const painted = await rcsp(["list"], { connector, terminal: true });
    assertStringIncludes(painted.out, "\x1b[");
    assertEquals(
      (await rcsp(["list", "--no-color"], { connector, terminal: true })).out.includes("\x1b"),
      false,
    );
  }, { devices });
});

test("list is one JSON object a line in a pipe, and with --json", async () => {
  await withDriver(async ({ connector }) => {
    const piped = await rcsp(["list"], { connector });
    assertEquals(piped.out.trimEnd().split("\n").map((line) => JSON.parse(line).DeviceId), [
      1,
      "1",
      "left",
      { Port: 2 },
    ]);
    assertEquals(await rcsp(["list", "--json"], { connector, terminal: true }), piped);
  }, { devices });
});

test("list says that there is nothing to list", async () => {
  await withDriver(async ({ connector }) => {
    const empty = { code: 0, out: "", err: "No devices are connected\n" };
    assertEquals(await rcsp(["list"], { connector, terminal: true }), empty);
    assertEquals(await rcsp(["list"], { connector }), { ...empty, err: "" });
  }, { devices: [] });
});

const picked: [argument: string, id: unknown][] = [
  ["1", 1],
  ['"1"', "1"],
  ["left", "left"],
  ['"left"', "left"],
  ['{"Port":2}', { Port: 2 }],
  [' { "Port" : 2 } ', { Port: 2 }],
];

test("a device is meant by its id as listed: as JSON first, then as text", async () => {
  await withDriver(async ({ connector }) => {
    for (const [argument, id] of picked) {
      const { code, out } = await rcsp(["info", argument], { connector });
      assertEquals([code, JSON.parse(out).DeviceId], [0, id], argument);
    }
  }, { devices });
});

test("a device that is not there is told with those that are", async () => {
  await withDriver(async ({ connector, commands }) => {
    for (const args of [["info", "7"], ["led", "null", "red"], ["watch", "-d", "Glove"]]) {
      const result = await rcsp(args, { connector });
      assertFails(result, 1);
      const what = ': there are 1 (Glove 左), "1" (Text), "left" (Suit 🧤), {"Port":2}\n';
      assert(result.err.endsWith(what), result.err);
    }
    assertEquals([...new Set(commands.map(([name]) => name))], ["ListDevices"]);
  }, { devices });
  await withDriver(async ({ connector }) => {
    const { err } = await rcsp(["info", "x".repeat(10_000)], { connector });
    assertMatch(err, /^rcsp: There is no device x{60}…: none is connected\n$/);
  }, { devices: [] });
  const many = Array.from({ length: 50 }, (_, i) => ({ DeviceId: i, Name: "", Type: "" }));
  await withDriver(async ({ connector }) => {
    const { err } = await rcsp(["info", "50"], { connector });
    assertStringIncludes(err, "there are 0, 1, 2, 3, 4, 5, 6, 7 and 42 more\n");
  }, { devices: many });
});

test("a device that cannot be addressed is refused", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const ids = [{ DeviceId: 7 }, { DeviceId: 7, Name: "b" }, { DeviceId: 2 ** 53 + 2 }];
    simulator.server.handle("ListDevices", () => ({ Devices: ids }));
    const twice = await rcsp(["info", "7"], { connector });
    assertFails(twice, 1);
    assertStringIncludes(twice.err, "lists 2 devices with the id 7");
    const large = await rcsp(["info", "9007199254740994"], { connector });
    assertFails(large, 5);
    assertStringIncludes(large.err, "too large to be exact");
    assertEquals(commands.map(([name]) => name), ["ListDevices", "ListDevices"]);
  });
});

test("info is one line of JSON in a pipe and indented in a terminal", async () => {
  await withDriver(async ({ connector }) => {
    const piped = await rcsp(["info", "1"], { connector });
    const shown = await rcsp(["info", "1"], { connector, terminal: true });
    assertEquals(piped.out.trim().split("\n").length, 1);
    assertStringIncludes(shown.out, '\n  "Battery": 80,\n');
    assertEquals(JSON.parse(shown.out), JSON.parse(piped.out));
    assertEquals([piped.code, piped.err, shown.code, shown.err], [0, "", 0, ""]);
  }, { devices });
});

const colours: [colour: string, red: number, green: number, blue: number][] = [
  ["red", 255, 0, 0],
  ["OFF", 0, 0, 0],
  ["orange", 255, 128, 0],
  ["#ff8000", 255, 128, 0],
  ["FF8000", 255, 128, 0],
  ["#f80", 255, 136, 0],
  ["255,128,0", 255, 128, 0],
  ["1, 2, 3", 1, 2, 3],
];

test("led takes colours by name, by hex digits and by numbers", async () => {
  await withDriver(async ({ connector, commands }) => {
    for (const [colour, Red, Green, Blue] of colours) {
      const { code, out, err } = await rcsp(["led", "1", colour], { connector });
      assertEquals([code, out, err], [0, "{}\n", ""], colour);
      assertEquals(commands.at(-1)?.[1], { DeviceId: 1, LedId: "RingLed", Red, Green, Blue });
    }
    const told = await rcsp(["led", "left", "red"], { connector, terminal: true });
    assertEquals(told, {
      code: 0,
      out: "",
      err: 'RingLed of device "left" (Suit 🧤) is #ff0000\n',
    });
  }, { devices });
});

test("led refuses what is no colour before it connects, and tells an LED that is not there", async () => {
  for (
    const colour of [
      "256,0,0",
      "#ff80",
      "1,2,3,4",
      "-1,2,3",
      "__proto__",
      "toString",
      " ",
      "1.5,0,0",
    ]
  ) {
    assertFails(await rcsp(["led", "1", colour]), 2);
  }
  await withDriver(async ({ connector }) => {
    const result = await rcsp(["led", "1", "red", "--led", "Nose"], { connector });
    assertFails(result, 1);
    assertStringIncludes(
      result.err,
      "SetColorLed failed [BadArguments]: 'LedId' must be one of RingLed",
    );
  });
});

const sources: [source: string | undefined, args: unknown][] = [
  [undefined, undefined],
  ['{"DeviceId":1}', { DeviceId: 1 }],
  ["@args.json", { a: ["ä"] }],
  ["-", { from: "stdin" }],
  ["{}", {}],
  ['{"__proto__":{"x":1}}', JSON.parse('{"__proto__":{"x":1}}')],
];

test("call takes arguments from the line, from a file and from standard input", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    simulator.server.handle("Echo", ({ Arguments }) => ({ Arguments }));
    for (const [source, args] of sources) {
      const line = ["call", "Echo", ...(source === undefined ? [] : [source])];
      const { code, out, err } = await rcsp(line, {
        connector,
        files: { "args.json": '{"a":["ä"]}\n' },
        input: ['{"fr', 'om":"stdin', '"}'],
      });
      assertEquals([code, err], [0, ""], source);
      assertEquals(commands.at(-1), ["Echo", args]);
      assertEquals(JSON.parse(out), { Arguments: args ?? {} });
    }
  });
});

function* endless(): Generator<Uint8Array> {
  const chunk = new Uint8Array(1024 * 1024).fill(0x20);
  for (let i = 0; i < 1_000; i++) yield chunk;
  throw new Error("The input was read without an end");
}

const badInputs: [sentence: string, source: string, input?: Iterable<string | Uint8Array>][] = [
  ["Cannot read '{' as JSON", "{"],
  ["The arguments must be a JSON object, not an array", "[]"],
  ["The arguments must be a JSON object, not null", "null"],
  ["A file name must follow the '@'", "@"],
  ["Cannot read 'missing.json': no such file", "@missing.json"],
  ["Cannot read 'standard input' as JSON", "-"],
  ["Cannot take standard input as it is no UTF-8 text", "-", [new Uint8Array([0x7b, 0xff, 0xfe])]],
  ["Cannot take standard input as it is no UTF-8 text", "-", ["{", new Uint8Array([0xc3])]],
  ["Cannot take standard input as it has more than 16777216 bytes", "-", endless()],
  ["The arguments hold a number too large to be exact", '{"DeviceId":9007199254740993}'],
  ["The arguments hold a number too large to be exact", '{"a":[{"b":1e400}]}'],
];

test("call refuses arguments that cannot be sent, before it connects", async () => {
  for (const [sentence, source, input = []] of badInputs) {
    const result = await rcsp(["call", "X", source], { input });
    assertFails(result, 2);
    assertStringIncludes(result.err, sentence);
  }
});

test("call - that waits for input leaves at Ctrl-C", async () => {
  const reading = Promise.withResolvers<void>();
  const io = testIo({
    stdin: {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          reading.resolve();
          return new Promise(() => {});
        },
      }),
    },
  });
  const ending = main(["call", "X", "-"], io);
  await reading.promise;
  io.interrupt();
  assertEquals([await ending, io.err], [130, ""]);
});

test("ping measures round trips, and shows their spread", async () => {
  await withDriver(async ({ connector, commands }) => {
    const piped = await rcsp(["ping", "-c", "3", "-i", "0"], { connector });
    const lines = piped.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assertEquals(lines.slice(0, 3).map(({ n }) => n), [1, 2, 3]);
    const { sent, answered, min, median, p99, max } = lines[3];
    assertEquals([sent, answered, lines.length, piped.code, piped.err], [3, 3, 4, 0, ""]);
    assert(0 <= min && min <= median && median <= p99 && p99 <= max);
    assertEquals(commands.map(([name]) => name), Array(3).fill("ListDevices"));
    const shown = await rcsp(["ping", "--count=2", "--interval=1ms"], {
      connector,
      terminal: true,
    });
    assertMatch(
      shown.out,
      /^1: [\d.]+ ms\n2: [\d.]+ ms\n2 sent, 2 answered\n.*min.*max.*\n.* ms\n$/,
    );
  });
});

test("ping counts answers that are errors, and tells of those that did not come", async () => {
  let count = 0;
  const server = await startScripted((command) =>
    ++count % 2 === 0 ? undefined : new Uint8Array(errorFrame(command.trackId))
  );
  const { connector } = server;
  const flags = ["-i", "0", "--timeout", "30"];
  const half = await rcsp(["ping", "-c", "2", ...flags], { connector });
  assertEquals([half.code, half.err], [0, "2: no answer within 30 ms\n"]);
  assertStringIncludes(half.out, '{"sent":2,"answered":1,');
  await server.close();
  const mute = await startScripted(() => undefined);
  const none = await rcsp(["ping", "-c", "1", ...flags], { connector: mute.connector });
  assertEquals([none.code, none.out], [4, '{"sent":1,"answered":0}\n']);
  await mute.close();
});

function errorFrame(TrackId: string): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify({ TrackId, Error: { Code: 1 } }));
  return new Uint8Array([0xdc, 1, 8, 3, body.length, 0, 0, 0, ...body]);
}

test("ping shows at Ctrl-C what there is", async () => {
  await withDriver(async ({ connector }) => {
    const io = testIo({ connector });
    const ending = main(["ping", "-c", "100", "-i", "1h"], io);
    await io.until(({ lines }) => lines.length === 1);
    io.interrupt();
    assertEquals([await ending, io.err], [130, ""]);
    assertStringIncludes(io.out, '{"sent":1,"answered":1,');
  });
});

for (
  const args of [["list"], ["info", "1"], ["led", "1", "red"], ["call", "ListDevices"], [
    "ping",
    "-c1",
  ], ["watch", "-n1"]]
) {
  test(`${args[0]} --simulate needs no driver`, async () => {
    const { code, out } = await rcsp([...args, "--simulate"]);
    assertEquals(code, 0);
    assert(out.split("\n").slice(0, -1).every((line) => JSON.parse(line)));
  });
}
