import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { rcsp, withDriver } from "./support/cli_io.ts";
import { test } from "./support/test.ts";
import { bridged, withBroker } from "./support/mqtt.ts";
import { until } from "./support/wait.ts";

test("devices, their information and their presses become messages; all is offline at the end", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await withDriver(async ({ simulator, connector }) => {
      const code = await bridged(broker, { connector }, async (io) => {
        const [info] = await reader.untilTexts("rokoko/stage/1/info", 1);
        assertEquals(JSON.parse(info!).Name, "Smartglove Left");
        assertEquals(reader.texts("rokoko/stage/status"), ["online"]);
        assertEquals(reader.texts("rokoko/stage/1/availability"), ["online"]);
        await until(() => simulator.press(1, "DoublePress") > 0);
        const [press] = await reader.untilTexts("rokoko/stage/1/button", 1);
        assertEquals(press, '{"type":"DoublePress","time":"2026-01-02T03:04:05.678Z"}');
        assertStringIncludes(io.err, `Connected to broker ${broker.url} (MQTT 3.1.1`);
      });
      assertEquals(code, 0);
      await reader.untilTexts("rokoko/stage/status", 2);
      assertEquals(reader.texts("rokoko/stage/status"), ["online", "offline"]);
      for (const id of [1, 2, 3, 4]) {
        assertEquals(reader.texts(`rokoko/stage/${id}/availability`), ["online", "offline"]);
      }
    });
    const late = await broker.connect();
    await late.untilTexts("rokoko/stage/4/info", 1);
    assertEquals(late.texts("rokoko/stage/1/button"), []);
    assertEquals(late.received.every(({ retained }) => retained), true);
    assertEquals(late.texts("rokoko/stage/status"), ["offline"]);
  });
});

test("a process that is cut off leaves its last will, and comes back online", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await withDriver(async ({ connector }) => {
      await bridged(broker, { connector }, async (io) => {
        await reader.untilTexts("rokoko/stage/1/availability", 1);
        broker.cut("rcsp-");
        await reader.untilTexts("rokoko/stage/status", 3);
        assertEquals(reader.texts("rokoko/stage/status"), ["online", "offline", "online"]);
        assertMatch(io.err, /it closed the connection\. Trying again until Ctrl-C\n/);
        assertMatch(io.err, /Connected to broker .* again after /);
      });
    });
  });
});

test("a device that leaves is offline, one that comes is announced, a driver that leaves takes all", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await withDriver(async (driver) => {
      await bridged(broker, { connector: driver.connector }, async () => {
        await reader.untilTexts("rokoko/stage/4/availability", 1);
        driver.simulator.removeDevice(2);
        driver.simulator.addDevice({ DeviceId: "a/b", Name: "Spare", hasButton: true });
        await reader.untilTexts("rokoko/stage/2/availability", 2);
        const [info] = await reader.untilTexts("rokoko/stage/a%2Fb/info", 1);
        assertEquals(JSON.parse(info!).DeviceId, "a/b");
        await until(() => driver.simulator.press("a/b", "LongPress") > 0);
        await reader.untilTexts("rokoko/stage/a%2Fb/button", 1);
        await driver.simulator.close();
        await reader.untilTexts("rokoko/stage/1/availability", 2);
        assertEquals(reader.texts("rokoko/stage/1/availability"), ["online", "offline"]);
        assertEquals(reader.texts("rokoko/stage/status"), ["online"]);
        await driver.restart();
        await reader.untilTexts("rokoko/stage/1/availability", 3);
        await reader.untilTexts("rokoko/stage/2/availability", 3);
        assertEquals(reader.texts("rokoko/stage/a%2Fb/availability"), ["online", "offline"]);
      });
    });
  });
});

test("presses while the broker is away arrive once, in order, with their own times", async () => {
  await withBroker(async (broker) => {
    await withDriver(async ({ simulator, connector }) => {
      // Each press is stamped once.
      const stamps: number[] = [];
      const now = (): number => stamps[stamps.push(Date.UTC(2026, 0, 1, 0, 0, stamps.length)) - 1]!;
      await bridged(broker, { connector, now }, async (io) => {
        await until(() => simulator.press(1, "SinglePress") > 0);
        await io.until(({ err }) => err.includes("Connected"));
        await until(() => stamps.length > 0);
        const before = stamps.length;
        await broker.stop();
        await io.until(({ err }) => err.includes("Trying again"));
        simulator.press(1, "LongPress");
        simulator.press(1, "DoublePress");
        await until(() => stamps.length === before + 2);
        const ready = Promise.withResolvers<void>();
        await broker.start(ready.promise);
        const reader = await broker.connect();
        ready.resolve();
        await reader.untilTexts("rokoko/stage/1/button", 2);
        await io.until(({ err }) => /Presses sent late: \d+\n/.test(err));
        simulator.press(2, "SinglePress");
        await reader.untilTexts("rokoko/stage/2/button", 1);
        const late = reader.texts("rokoko/stage/1/button").map((text) => JSON.parse(text));
        assertEquals(
          late.filter(({ type }) => type !== "SinglePress"),
          ["LongPress", "DoublePress"].map((type, i) => (
            { type, time: new Date(stamps[before + i]!).toISOString() }
          )),
        );
      });
    });
  });
});

test("a press older than ten seconds is not sent as new", async () => {
  await withBroker(async (broker) => {
    await withDriver(async ({ simulator, connector }) => {
      let [shift, stamps] = [0, 0];
      const clock = {
        now: () => performance.now() + shift,
        set: (action: () => void, delay: number) => setTimeout(action, delay),
        clear: (timer: unknown) => clearTimeout(timer as ReturnType<typeof setTimeout>),
      };
      const now = (): number => ++stamps;
      const code = await bridged(broker, { connector, clock, now }, async (io) => {
        await io.until(({ err }) => err.includes("Connected"));
        await broker.stop();
        await io.until(({ err }) => err.includes("Trying again"));
        await until(() => simulator.press(1, "LongPress") > 0);
        await until(() => stamps === 1);
        shift += 11_000;
        simulator.press(2, "DoublePress");
        await until(() => stamps === 2);
        const ready = Promise.withResolvers<void>();
        await broker.start(ready.promise);
        const reader = await broker.connect();
        ready.resolve();
        await reader.untilTexts("rokoko/stage/2/button", 1);
        assertEquals(reader.texts("rokoko/stage/1/button"), []);
        await io.until(({ err }) =>
          err.includes("Presses dropped as they were older than 10 s: 1\n")
        );
      });
      assertEquals(code, 0);
    });
  });
});

test("several drivers: the same device id stays apart, and one that is away does not matter", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await withDriver(async ({ simulator, connector }) => {
      const args = ["--driver", "one.local", "--driver", "two.local:1"];
      await bridged(broker, { connector, args }, async (io) => {
        await reader.untilTexts("rokoko/stage/one.local:45451-1/availability", 1);
        await until(() => simulator.press(1, "SinglePress") > 0);
        await reader.untilTexts("rokoko/stage/one.local:45451-1/button", 1);
        await io.until(({ err }) => /two\.local:1: .*connection refused/.test(err));
      });
    });
  });
});

test("devices of an earlier run that are not there any more are set offline", async () => {
  await withBroker(async (broker) => {
    const reader = await broker.connect();
    await reader.publish("rokoko/stage/old/availability", "online", true);
    await withDriver(async ({ connector }) => {
      await bridged(broker, { connector }, async () => {
        await reader.untilTexts("rokoko/stage/old/availability", 2);
        assertEquals(reader.texts("rokoko/stage/old/availability"), ["online", "offline"]);
        await reader.untilTexts("rokoko/stage/1/availability", 1);
      });
    });
  });
});

test("no driver at all ends the command, as elsewhere", async () => {
  await withBroker(async (broker) => {
    await withDriver(async ({ connector }) => {
      const args = ["mqtt", broker.url, "--port", "1", "--site", "x"];
      const { code, err } = await rcsp(args, { connector });
      assertEquals(code, 3);
      assertMatch(err, /^rcsp: Cannot connect to localhost:1: connection refused/);
    });
  });
});
