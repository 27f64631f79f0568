import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { SimulatedDevice } from "../src/simulator/devices.ts";
import { CommandError } from "../src/errors.ts";
import { assertFails, rcsp, withDriver } from "./support/cli_io.ts";
import { test } from "./support/test.ts";

const devices: SimulatedDevice[] = [
  { DeviceId: 1, Name: "Glove 左", Type: "Smartglove", info: { Battery: 80 } },
  { DeviceId: "1", Name: "Text", Type: "Smartglove" },
  { DeviceId: "left", Name: "Suit 🧤", Type: "Suit" },
  { DeviceId: { Port: 2 } as never, Name: "", Type: "Coil" },
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
    assertEquals(narrow.err, "2 columns do\nnot fit:\n--json shows\nall\n");
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

test("list reports that no device is listed", async () => {
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

test("a device that is not there is reported with those that are", async () => {
  await withDriver(async ({ connector, commands }) => {
    for (const args of [["info", "7"], ["led", "null", "red"], ["watch", "-d", "Glove"]]) {
      const result = await rcsp(args, { connector });
      assertFails(result, 1);
      const what = '. Connected: 1 (Glove 左), "1" (Text), "left" (Suit 🧤), {"Port":2}\n';
      assert(result.err.endsWith(what), result.err);
    }
    assertEquals([...new Set(commands.map(([name]) => name))], ["ListDevices"]);
  }, { devices });
  await withDriver(async ({ connector }) => {
    const { err } = await rcsp(["info", "x".repeat(10_000)], { connector });
    assertMatch(err, /^rcsp: Device x{60}… is not connected, and no other is\n$/);
  }, { devices: [] });
  const many = Array.from({ length: 50 }, (_, i) => ({ DeviceId: i, Name: "", Type: "" }));
  await withDriver(async ({ connector }) => {
    const { err } = await rcsp(["info", "50"], { connector });
    assertStringIncludes(err, "Connected: 0, 1, 2, 3, 4, 5, 6, 7 and 42 more\n");
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

const colors: [color: string, red: number, green: number, blue: number][] = [
  ["red", 255, 0, 0],
  ["OFF", 0, 0, 0],
  ["orange", 255, 128, 0],
  ["#ff8000", 255, 128, 0],
  ["FF8000", 255, 128, 0],
  ["#f80", 255, 136, 0],
  ["255,128,0", 255, 128, 0],
  ["1, 2, 3", 1, 2, 3],
];

test("led accepts colors by name, by hex digits and by numbers", async () => {
  await withDriver(async ({ connector, commands }) => {
    for (const [color, Red, Green, Blue] of colors) {
      const { code, out, err } = await rcsp(["led", "1", color], { connector });
      assertEquals([code, out, err], [0, "{}\n", ""], color);
      assertEquals(commands.at(-1)?.[1], { DeviceId: 1, LedId: "RingLed", Red, Green, Blue });
    }
    const shown = await rcsp(["led", "left", "red"], { connector, terminal: true });
    assertEquals(shown, {
      code: 0,
      out: "",
      err: 'RingLed of device "left" (Suit 🧤) is #ff0000\n',
    });
  }, { devices });
});

test("led all and info alone query every device, and name those that refuse", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const ids = [1, "1", "left", { Port: 2 }];
    const idsOf = (name: string): unknown[] =>
      commands.filter(([sent]) => sent === name).map(([, args]) => args["DeviceId"]);
    const set = await rcsp(["led", "all", "off"], { connector });
    assertEquals([set.code, set.out, idsOf("SetColorLed")], [0, "{}\n".repeat(4), ids]);
    const info = await rcsp(["info"], { connector });
    assertEquals([info.code, info.out.split("\n").length, idsOf("GetDeviceInfo")], [0, 5, ids]);
    simulator.server.handle("SetColorLed", ({ Arguments }) => {
      if (Arguments["DeviceId"] === 1) throw new CommandError({ Code: "E", Message: "no" });
      return {};
    });
    const refused = await rcsp(["led", "all", "red"], { connector });
    assertEquals(refused, {
      code: 1,
      out: "{}\n".repeat(3),
      err: "Device 1 (Glove 左): SetColorLed failed [E]: no\nrcsp: 1 of 4 devices refused\n",
    });
  }, { devices });
});

test("led refuses what is not a color before it connects, and reports an LED that is not there", async () => {
  for (
    const color of [
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
    assertFails(await rcsp(["led", "1", color]), 2);
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
