import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { main } from "../cli/main.ts";
import type { Clock } from "../cli/process/io.ts";
import type { SimulatedDevice } from "../src/simulator/devices.ts";
import { assertFails, rcsp, type TestIo, testIo, withDriver } from "./support/cli_io.ts";
import { ok, refusal, startScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const devices: SimulatedDevice[] = [
  { DeviceId: 1, Name: "Left", Type: "Smartglove", hasButton: true },
  { DeviceId: "two", Name: "Right", Type: "Smartglove", hasButton: true },
];

function watching(io: TestIo): Promise<void> {
  return io.until(({ err }) => err.includes("Ctrl-C ends"));
}

/** The subscription commands among what was sent, as `DeviceSubscribe 1`. */
function subscriptions(commands: readonly [name: string, args: unknown][]): string[] {
  return commands.filter(([name]) => name.endsWith("ubscribe")).map(([name, args]) => {
    const { DeviceId, Topic } = args as { DeviceId?: unknown; Topic?: string };
    return [name, DeviceId, Topic].filter((part) => part !== undefined).join(" ");
  });
}

test("watch survives a driver that restarts, and reports each change once", async () => {
  await withDriver(async (driver) => {
    const io = testIo({ connector: driver.connector });
    const ending = main(["watch", "--count", "2"], io);
    await watching(io);
    driver.simulator.press(1, "SinglePress");
    await io.until(({ lines }) => lines.length === 1);
    const simulator = await driver.restart();
    simulator.addDevice({ DeviceId: 3, Name: "New", Type: "Smartglove" });
    await io.until(({ err }) => err.includes("events may be missing"));
    // It takes the devices in that are there now.
    await until(() => subscriptions(driver.commands).includes("DeviceSubscribe 3 ButtonPushed"));
    await until(() => simulator.press(3, "LongPress") > 0);
    assertEquals(await ending, 0);
    assertEquals(io.lines.map((line) => JSON.parse(line).deviceId), [1, 3]);
    const [, lost, back, ...more] = io.err.trimEnd().split("\n");
    assertMatch(lost!, /was ended by the server: waiting for the driver$/);
    assertMatch(back!, /^Connected again after [\d.]+ m?s: events may be missing$/);
    assertEquals(more, ["Device 3 (New) connected"]);
  }, { devices });
});

test("watch subscribes again where a restarted driver does not know the device at first", async () => {
  await withDriver(async (driver) => {
    const io = testIo({ connector: driver.connector });
    const ending = main(["watch", "--count", "1", "-d", "two"], io);
    await watching(io);
    const simulator = await driver.restart();
    simulator.removeDevice("two");
    await io.until(({ err }) => err.includes("Cannot subscribe to DeviceEvents/ButtonPushed"));
    simulator.addDevice(devices[1]!);
    await io.until(({ err }) => err.includes("Subscribed again on"));
    simulator.press("two", "LongPress");
    assertEquals(await ending, 0);
    assertStringIncludes(io.err, 'ButtonPushed on device "two" (Right): ');
  }, { devices });
});

test("watch reports which device refuses, and continues with the others", async () => {
  const server = await startScripted((command) => {
    if (command.name === "ListDevices") {
      return ok(command, { Devices: [{ DeviceId: 1 }, { DeviceId: 2 }] });
    }
    const refused = command.name === "DeviceSubscribe" && command.args?.["DeviceId"] === 1;
    return refused ? refusal(command, { Code: "NoButton" }) : ok(command);
  });
  const { connector } = server;
  const { code, err } = await rcsp(["watch", "--for", "50ms"], { connector });
  assertEquals(code, 0);
  assertMatch(
    err,
    /^Cannot subscribe to DeviceEvents\/ButtonPushed on device 1: DeviceSubscribe failed \[N.*\n/,
  );
  const alone = await rcsp(["watch", "-d", "1"], { connector });
  assertFails(alone, 1);
  assertStringIncludes(alone.err, "rcsp: DeviceSubscribe failed [NoButton]");
  assertMatch(alone.err, /: 'rcsp doctor --learn' finds out how .*\n$/);
  await server.close();
});

test("watch waits for devices, and leaves those that go", async () => {
  await withDriver(async ({ simulator, connector, commands }) => {
    const clock: Clock = {
      now: () => performance.now(),
      set: (action, delay) => setTimeout(action, delay / 50),
      clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    };
    const io = testIo({ connector, clock });
    const ending = main(["watch", "--count", "2"], io);
    await io.until(({ err }) => err.includes("No devices are connected yet"));
    for (const type of ["SinglePress", "LongPress"] as const) {
      simulator.addDevice(devices[0]!);
      await until(() => simulator.press(1, type) > 0);
      simulator.removeDevice(1);
      await Promise.race([ending, until(() => io.err.includes("Device 1 (Left) disconnected"))]);
    }
    assertEquals(await ending, 0);
    assertEquals(io.lines.map((line) => JSON.parse(line).press), ["SinglePress", "LongPress"]);
    assertEquals(subscriptions(commands).length, 4);
    assertEquals(io.err.match(/(?:dis)?connected$/gm)?.slice(0, 3), [
      "connected",
      "disconnected",
      "connected",
    ]);
  }, { devices: [] });
});

test("watch reports what it drops when events come faster than they are written", async () => {
  await withDriver(async ({ simulator, connector }) => {
    const first = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const written: string[] = [];
    const io = testIo({
      connector,
      stdout: {
        isTerminal: false,
        columns: 80,
        write(text) {
          written.push(text);
          first.resolve();
          return gate.promise;
        },
      },
    });
    const ending = main(["watch", "--buffer", "10", "--count", "11"], io);
    await watching(io);
    simulator.press(1, "SinglePress");
    await first.promise;
    for (let i = 0; i < 100; i++) simulator.press(1, "LongPress");
    await io.until(({ err }) => err.includes("some are dropped"));
    // The rest is on its way while this command is answered.
    await rcsp(["list"], { connector });
    gate.resolve();
    assertEquals(await ending, 0);
    assertEquals(written.length, 11);
    assertMatch(io.err, /: some are dropped\n\d+ events were dropped\n$/);
    assert(Number(/(\d+) events/.exec(io.err)?.[1]) <= 90);
  }, { devices });
});
