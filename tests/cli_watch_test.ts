import { assertEquals } from "@std/assert";
import { main } from "../cli/main.ts";
import type { OutgoingEvent } from "../src/message/event.ts";
import type { SimulatedDevice } from "../src/simulator/devices.ts";
import { rcsp, type TestIo, testIo, withDriver } from "./support/cli_io.ts";
import { ok, startScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const devices: SimulatedDevice[] = [
  { DeviceId: 1, Name: "Left", Type: "Smartglove", hasButton: true },
  { DeviceId: "two", Name: "Right", Type: "Smartglove", hasButton: true },
];
const button = { publisher: "DeviceEvents", topic: "ButtonPushed" };

function watching(io: TestIo): Promise<void> {
  return io.until(({ err }) => /Ctrl-C\s+ends/.test(err));
}

/** The subscription commands among what was sent, as `DeviceSubscribe 1`. */
function subscriptions(commands: readonly [name: string, args: unknown][]): string[] {
  return commands.filter(([name]) => name.endsWith("ubscribe")).map(([name, args]) => {
    const { DeviceId, Topic } = args as { DeviceId?: unknown; Topic?: string };
    return [name, DeviceId, Topic].filter((part) => part !== undefined).join(" ");
  });
}

test("watch shows the presses of every listed device, and unsubscribes at the end", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const io = testIo({ connector });
    const ending = main(["watch", "--count", "2"], io);
    await watching(io);
    simulator.press(1, "SinglePress");
    simulator.press("two", "LongPress");
    simulator.press(1, "DoublePress");
    assertEquals(await ending, 0);
    assertEquals(io.err, "Watching DeviceEvents/ButtonPushed of 2 devices: Ctrl-C ends\n");
    assertEquals(io.lines.map((line) => JSON.parse(line)), [
      { deviceId: 1, ...button, press: "SinglePress", data: { PressType: "SinglePress" } },
      { deviceId: "two", ...button, press: "LongPress", data: { PressType: "LongPress" } },
    ]);
    assertEquals(subscriptions(commands), [
      "DeviceSubscribe 1 ButtonPushed",
      "DeviceSubscribe two ButtonPushed",
      "DeviceUnsubscribe 1 ButtonPushed",
      "DeviceUnsubscribe two ButtonPushed",
    ]);
  }, { devices });
});

const forms: [flags: string[], terminal: boolean, line: string][] = [
  [[], true, "SinglePress"],
  [["-t"], true, "2026-01-02T03:04:05.678Z  SinglePress"],
  [
    ["--json"],
    true,
    '{"deviceId":"two","publisher":"DeviceEvents","topic":"ButtonPushed",' +
    '"press":"SinglePress","data":{"PressType":"SinglePress"}}',
  ],
  [
    ["--raw"],
    true,
    '{"Publisher":"DeviceEvents","Topic":"ButtonPushed","DeviceId":"two",' +
    '"Data":{"PressType":"SinglePress"}}',
  ],
  [
    ["--raw", "-t"],
    false,
    '{"time":"2026-01-02T03:04:05.678Z","event":' +
    '{"Publisher":"DeviceEvents","Topic":"ButtonPushed","DeviceId":"two",' +
    '"Data":{"PressType":"SinglePress"}}}',
  ],
  [
    ["--timestamps"],
    false,
    '{"time":"2026-01-02T03:04:05.678Z","deviceId":"two",' +
    '"publisher":"DeviceEvents","topic":"ButtonPushed","press":"SinglePress",' +
    '"data":{"PressType":"SinglePress"}}',
  ],
];

test("watch shows an event as text, as JSON, or as it came, with its time on request", async () => {
  await withDriver(async ({ simulator, connector }) => {
    for (const [flags, terminal, line] of forms) {
      const io = testIo({ connector, terminal });
      const ending = main(["watch", "--device", "two", "-n", "1", ...flags], io);
      await watching(io);
      simulator.press("two", "SinglePress");
      assertEquals([await ending, io.out], [0, `${line}\n`]);
      assertEquals(
        io.err,
        'Watching DeviceEvents/ButtonPushed of device "two" (Right): Ctrl-C ends\n',
      );
    }
  }, { devices });
});

test("watch names the devices in aligned columns, and leaves the topic out", async () => {
  for (const [columns, ...lines] of shown) {
    await withDriver(async ({ simulator, connector }) => {
      const io = testIo({ connector, terminal: true, columns });
      const ending = main(["watch", "-n", "3"], io);
      await watching(io);
      simulator.press(1, "SinglePress");
      simulator.press("two", "LongPress");
      simulator.server.publish({ ...button, deviceId: 1, data: { Level: 3 } });
      assertEquals([await ending, io.lines], [0, lines]);
    }, { devices });
  }
});

const shown: [columns: number, ...lines: string[]][] = [
  [80, "1 (Left)       SinglePress", '"two" (Right)  LongPress', '1 (Left)       {"Level":3}'],
  [24, "1 (Left)      SinglePre…", '"two" (Righ…  LongPress', '1 (Left)      {"Level":…'],
];

test("watch accepts topics of its own, for devices or for the driver", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const io = testIo({ connector, terminal: true });
    const ending = main(["watch", "A/x", "B/y/z", "-d", "1", "-d", "1", "-n", "2"], io);
    await watching(io);
    const events: OutgoingEvent[] = [
      { publisher: "A", topic: "x", deviceId: 1, data: { Level: 3 } },
      { publisher: "B", topic: "y/z", deviceId: 1 },
    ];
    for (const event of events) simulator.server.publish(event);
    assertEquals(await ending, 0);
    assertEquals(io.lines, [
      'A/x    {"Level":3}',
      'B/y/z  {"Publisher":"B","Topic":"y/z","DeviceId":1}',
    ]);
    const driver = testIo({ connector, terminal: true });
    const second = main(["watch", "--driver", "A/x", "-n", "1"], driver);
    await watching(driver);
    simulator.server.publish({ publisher: "A", topic: "x", data: { Level: 4 } });
    assertEquals([await second, driver.out], [0, '{"Level":4}\n']);
    assertEquals(subscriptions(commands), [
      "DeviceSubscribe 1 x",
      "DeviceSubscribe 1 y/z",
      "DeviceUnsubscribe 1 x",
      "DeviceUnsubscribe 1 y/z",
      "Subscribe x",
      "Unsubscribe x",
    ]);
  }, { devices, topics: [{ publisher: "A", topic: "x" }, { publisher: "B", topic: "y/z" }] });
});

test("watch --for ends after that time, also while the driver does not answer", async () => {
  await withDriver(async ({ connector }) => {
    const { code, out } = await rcsp(["watch", "--for", "20ms"], { connector });
    assertEquals([code, out], [0, ""]);
  });
  for (const silent of ["ListDevices", "DeviceSubscribe"]) {
    const server = await startScripted((command) =>
      command.name === silent ? undefined : ok(command, { Devices: [{ DeviceId: 1 }] })
    );
    const { code, err } = await rcsp(["watch", "--for", "20ms"], { connector: server.connector });
    assertEquals([code, err], [0, ""], silent);
    await server.close();
  }
});

test("Ctrl-C unsubscribes, reports how many events there were, and ends with 0", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const io = testIo({ connector });
    const ending = main(["watch", "-d", "1"], io);
    await watching(io);
    simulator.press(1, "SinglePress");
    await io.until(({ lines }) => lines.length === 1);
    io.interrupt();
    assertEquals(await ending, 0);
    assertEquals(subscriptions(commands).at(-1), "DeviceUnsubscribe 1 ButtonPushed");
    assertEquals(io.err.split("\n").slice(1), ["1 event shown", ""]);
  }, { devices });
});

test("Ctrl-C ends also where the driver does not answer or the output is stuck", async () => {
  const server = await startScripted((command) =>
    command.name === "ListDevices" ? ok(command, { Devices: [{ DeviceId: 1 }] }) : undefined
  );
  const io = testIo({ connector: server.connector });
  const ending = main(["watch"], io);
  await server.until(2);
  io.interrupt();
  assertEquals([await ending, io.err], [0, "0 events shown\n"]);
  await server.close();
  await withDriver(async ({ simulator, connector }) => {
    const writing = Promise.withResolvers<void>();
    const never = Promise.withResolvers<void>();
    const stuck = testIo({
      connector,
      stdout: {
        isTerminal: false,
        columns: 80,
        write: () => {
          writing.resolve();
          return never.promise;
        },
      },
    });
    const second = main(["watch"], stuck);
    await watching(stuck);
    simulator.press(1, "SinglePress");
    await writing.promise;
    stuck.interrupt();
    assertEquals(await second, 130);
    never.resolve();
  });
});

test("watch leaves quietly when nobody reads any more", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const io = testIo({ connector });
    const ending = main(["watch"], io);
    await watching(io);
    io.closeOutput();
    simulator.press(1, "SinglePress");
    assertEquals([await ending, io.out], [0, ""]);
    assertEquals(io.err.split("\n").length, 2);
    assertEquals(subscriptions(commands).length, 4);
  }, { devices });
});

test("watch --exec hands each event to a command, in environment variables", async () => {
  await withDriver(async ({ simulator, connector }) => {
    const runs: unknown[] = [];
    const gates = [Promise.withResolvers<number>(), Promise.withResolvers<number>()];
    const io = testIo({
      connector,
      run: (program, args, environment) => {
        runs.push([program, ...args, environment]);
        return gates[runs.length - 1]!.promise;
      },
    });
    const ending = main(["watch", "-n", "2", "--exec", " ./a.sh  $(x) "], io);
    await watching(io);
    simulator.press("two", "LongPress");
    simulator.press(1, "SinglePress");
    await until(() => runs.length === 1);
    await rcsp(["list"], { connector });
    // The second waits for the first.
    assertEquals(runs, [["./a.sh", "$(x)", {
      RCSP_EVENT: '{"Publisher":"DeviceEvents","Topic":"ButtonPushed","DeviceId":"two",' +
        '"Data":{"PressType":"LongPress"}}',
      RCSP_PRESS: "LongPress",
      RCSP_DEVICE_ID: "two",
      RCSP_DEVICE_NAME: "Right",
      RCSP_PUBLISHER: "DeviceEvents",
      RCSP_TOPIC: "ButtonPushed",
    }]]);
    gates[0]!.resolve(0);
    gates[1]!.resolve(7);
    assertEquals([await ending, runs.length, io.out], [0, 2, ""]);
    assertEquals(io.err.split("\n").slice(1), ["'./a.sh' ended with 7", ""]);
  }, { devices });
});

test("watch --exec ends with 2 where the command cannot be started", async () => {
  await withDriver(async ({ simulator, connector }) => {
    const missing = Object.assign(new Error("spawn x ENOENT"), { code: "ENOENT" });
    const io = testIo({ connector, run: () => Promise.reject(missing) });
    const ending = main(["watch", "-n", "1", "--exec", "x"], io);
    await watching(io);
    simulator.press(1, "SinglePress");
    assertEquals(await ending, 2);
    assertEquals(io.err.split("\n")[1], "rcsp: Cannot run 'x': no such program");
    assertEquals((await rcsp(["watch", "--exec", " "], { connector })).code, 2);
  }, { devices });
});
