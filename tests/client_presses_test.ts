import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { memoryNetwork } from "../src/socket/memory.ts";
import { openClient } from "../src/client/create_client.ts";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import { CommandError, ConnectionError, LimitError, RcspError } from "../src/errors.ts";
import { Simulator, type SimulatorOptions } from "../src/simulator/simulator.ts";
import { reach, withFlaky } from "./support/flaky.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { echo, event, frame, ok, refusal, turn, withScripted } from "./support/scripted_server.ts";
import { PayloadType } from "../src/wire/header.ts";
import { test } from "./support/test.ts";
import { uncaughtIn } from "./support/uncaught.ts";
import { until } from "./support/wait.ts";

const devices = [1, 2].map((DeviceId) => ({
  DeviceId,
  Name: `Glove ${DeviceId}`,
  hasButton: true,
}));

interface Room {
  rcsp: RcspClient;
  simulator: Simulator;
  clock: FakeClock;
}

async function withSimulator(
  options: SimulatorOptions,
  use: (room: Room) => Promise<void>,
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  await using simulator = new Simulator({ devices, ...options });
  const address = await simulator.serve(listen);
  const clock = new FakeClock();
  const rcsp = await openClient(connector, address, { clock });
  try {
    await use({ rcsp, simulator, clock });
  } finally {
    await rcsp.close();
  }
}

test("presses() has the presses of every device, those that appear later included", () =>
  withSimulator({}, async ({ rcsp, simulator, clock }) => {
    const presses = rcsp.presses({ pollInterval: 500 });
    await presses.ready;
    simulator.press(1, "SinglePress");
    simulator.press(2, "LongPress");
    assertEquals(
      [(await presses.next()).value, (await presses.next()).value].map((press) => [
        press?.deviceId,
        press?.type,
      ]),
      [[1, "SinglePress"], [2, "LongPress"]],
    );
    simulator.addDevice({ DeviceId: "three" });
    assertStrictEquals(simulator.press("three", "DoublePress"), 0);
    clock.advance(500);
    await until(() => simulator.press("three", "DoublePress") === 1);
    assertStrictEquals((await presses.next()).value?.deviceId, "three");
  }));

test("presses() unsubscribes from a device that is gone, and from all when its reader leaves", async () => {
  let listed = [{ DeviceId: 1 }, { DeviceId: 2 }];
  const clock = new FakeClock();
  await withScripted(
    (command) => ok(command, command.name === "ListDevices" ? { Devices: listed } : {}),
    async (_, server) => {
      const rcsp = await openClient(server.connector, { reconnect: false }, { clock });
      const presses = rcsp.presses();
      await presses.ready;
      listed = [{ DeviceId: 2 }];
      clock.advance(2_000);
      await server.until(5);
      const gone = server.received[4];
      assertEquals([gone?.name, gone?.args?.["DeviceId"]], ["DeviceUnsubscribe", 1]);
      await presses.unsubscribe();
      const left = server.received[5];
      assertEquals([left?.name, left?.args?.["DeviceId"]], ["DeviceUnsubscribe", 2]);
      await rcsp.close();
      assertStrictEquals(clock.timers, 0);
    },
  );
});

test("presses() leaves out a device that refuses, and retries it only after a reconnect", async () => {
  const names: string[] = [];
  const clock = new FakeClock();
  await withScripted(
    (command) => {
      names.push(`${command.name} ${command.args?.["DeviceId"] ?? ""}`.trim());
      if (command.name === "ListDevices") {
        return ok(command, { Devices: [{ DeviceId: 1 }, { DeviceId: 2 }] });
      }
      return command.args?.["DeviceId"] === 2 ? refusal(command, { Code: "No" }) : ok(command);
    },
    async (_, server) => {
      const rcsp = await openClient(server.connector, { reconnect: { initialDelay: 1 } }, {
        clock,
      });
      const presses = rcsp.presses();
      await presses.ready;
      clock.advance(2_000);
      await server.until(4);
      assertEquals(names, ["ListDevices", "DeviceSubscribe 1", "DeviceSubscribe 2", "ListDevices"]);
      server.hangUp();
      await until(() => rcsp.status.state === "reconnecting");
      clock.advance(1);
      await server.until(6);
      clock.advance(2_000);
      await until(() => names.filter((name) => name === "DeviceSubscribe 2").length === 2);
      assertStrictEquals(presses.gaps, 1);
      await rcsp.close();
    },
  );
});

test("presses() rejects if all devices refuse, and is ready if there are none", async () => {
  await withScripted(
    (command) =>
      command.name === "ListDevices"
        ? ok(command, { Devices: [{ DeviceId: 1 }] })
        : refusal(command, { Code: "No" }),
    async (rcsp) => {
      const presses = rcsp.presses();
      await assertRejects(() => presses.ready, CommandError, "[No]");
      await assertRejects(() => presses.next(), CommandError, "[No]");
    },
  );
  await withScripted(echo, async (rcsp) => {
    await using presses = rcsp.presses();
    await presses.ready;
    assertStrictEquals(presses.ended, false);
  });
});

test("presses() leaves out a device whose number may have lost digits", () =>
  withScripted(
    (command) =>
      command.name === "ListDevices"
        ? frame(PayloadType.ResponseOk, '{"Response":{"Devices":[{"DeviceId":9007199254740993}]}}')
        : ok(command),
    async (rcsp, server) => {
      await assertRejects(() => rcsp.presses().ready, RangeError, "too large to be exact");
      assertEquals(server.names, ["ListDevices"]);
    },
  ));

test("presses() has an event that does not name its device once", () =>
  withScripted(
    (command) =>
      ok(
        command,
        command.name === "ListDevices" ? { Devices: [{ DeviceId: 1 }, { DeviceId: 2 }] } : {},
      ),
    async (rcsp, server) => {
      const presses = rcsp.presses();
      await presses.ready;
      server.send(event({ Data: "SinglePress" }), event({ Data: "LongPress" }));
      assertStrictEquals((await presses.next()).value?.type, "SinglePress");
      assertStrictEquals((await presses.next()).value?.type, "LongPress");
    },
  ));

test("presses() and on() throw on a closed client", () =>
  withScripted(echo, async (rcsp) => {
    await rcsp.close();
    assertThrows(() => rcsp.presses(), ConnectionError, "Cannot subscribe");
    assertThrows(() => rcsp.on("press", () => {}), ConnectionError, "Cannot subscribe");
    assertThrows(() => rcsp.on("event", () => {}), ConnectionError, "Cannot subscribe");
  }));

test("on('press') calls its listener until it is stopped, and unsubscribes then", () =>
  withSimulator({}, async ({ rcsp, simulator }) => {
    const types: string[] = [];
    const stop = rcsp.on("press", ({ type }) => types.push(type));
    await stop.ready;
    simulator.press(2, "DoublePress");
    await until(() => types.length === 1);
    stop();
    await until(() => simulator.press(2, "SinglePress") === 0);
    assertEquals(types, ["DoublePress"]);
  }));

test("presses() lists again on the next connection if one ends during ListDevices", async () => {
  let hangUps = 1;
  await withFlaky(
    (command) =>
      command.name === "ListDevices" && hangUps-- > 0
        ? "close"
        : ok(command, command.name === "ListDevices" ? { Devices: [{ DeviceId: 1 }] } : {}),
    async (rcsp, flaky) => {
      const presses = rcsp.presses();
      await reach(rcsp, "reconnecting");
      await flaky.retry(rcsp);
      await presses.ready;
      flaky.server.send(event({ Data: "LongPress" }));
      assertStrictEquals((await presses.next()).value?.type, "LongPress");
    },
  );
});

test("presses() rejects after commandTimeout if every connection ends during ListDevices", () =>
  withFlaky(() => "close", async (rcsp, flaky) => {
    const { ready } = rcsp.presses();
    const rejected = assertRejects(() => ready, RcspError, "ListDevices");
    const start = flaky.clock.now();
    while (flaky.clock.now() - start < 1_000) {
      await reach(rcsp, "reconnecting");
      await flaky.retry(rcsp);
    }
    await rejected;
    assertStrictEquals(rcsp.status.state === "closed", false);
  }, { commandTimeout: 1_000 }));

test("presses() with an invalid option forgets its signal", async () => {
  const script = `
    await withScripted(echo, async (rcsp) => {
      const controller = new AbortController();
      for (const option of [{ pollInterval: 0 }, { buffer: 0 }]) {
        try {
          rcsp.presses({ ...option, signal: controller.signal });
        } catch (error) {
          answer = (answer ?? "") + error.name;
        }
      }
      controller.abort();
    });`;
  const names = "{ echo, withScripted }";
  assertEquals(await uncaughtIn("support/scripted_server.ts", names, script), {
    answer: "RangeErrorRangeError",
    reported: [],
  });
});

test("presses() counts a lost connection once for all devices, and lists at once on the next one", () => {
  let mute = false;
  return withFlaky(
    (command) => {
      if (mute && command.name === "ListDevices") return undefined;
      const listed = command.name === "ListDevices" &&
        { Devices: [{ DeviceId: 1 }, { DeviceId: 2 }] };
      return ok(command, listed || {});
    },
    async (rcsp, flaky) => {
      const presses = rcsp.presses();
      await presses.ready;
      mute = true;
      flaky.clock.advance(2_000);
      await flaky.server.until(4);
      // The connection ends while a list is awaited.
      await flaky.lose(rcsp);
      mute = false;
      await flaky.retry(rcsp);
      await flaky.server.until(7);
      assertEquals(flaky.server.names.slice(3), [
        "ListDevices",
        "DeviceSubscribe",
        "DeviceSubscribe",
        "ListDevices",
      ]);
      assertStrictEquals(presses.gaps, 1);
    },
  );
});

test("presses() counts a lost connection also while there is no device", () =>
  withFlaky(echo, async (rcsp, flaky) => {
    const presses = rcsp.presses();
    await presses.ready;
    await flaky.lose(rcsp);
    await flaky.retry(rcsp);
    assertStrictEquals(presses.gaps, 1);
    // Not only at the next interval.
    await flaky.server.until(2);
    assertEquals(flaky.server.names, ["ListDevices", "ListDevices"]);
  }));

test("a press listener that is stopped hears nothing of a device that refused, left and came back", async () => {
  let listed = [{ DeviceId: 1 }];
  let refuses = true;
  await withFlaky(
    (command) => {
      if (command.name === "ListDevices") return ok(command, { Devices: listed });
      return refuses && command.args?.["DeviceId"] === 2
        ? refusal(command, { Code: "No" })
        : ok(command);
    },
    async (rcsp, { clock, server }) => {
      const list = async (devices: typeof listed, commands: number): Promise<void> => {
        listed = devices;
        const { length } = server.received;
        clock.advance(2_000);
        await server.until(length + commands);
        await turn();
      };
      const heard: string[] = [];
      const stop = rcsp.on("press", ({ type }) => heard.push(type));
      await stop.ready;
      await list([{ DeviceId: 1 }, { DeviceId: 2 }], 2);
      await list([{ DeviceId: 1 }], 1);
      refuses = false;
      await list([{ DeviceId: 1 }, { DeviceId: 2 }], 2);
      const before = server.received.length;
      server.hangUp();
      const { delay } = await reach(rcsp, "reconnecting");
      clock.advance(delay);
      await server.until(before + 3);
      await turn();
      stop();
      await server.until(before + 5);
      server.send(event({ DeviceId: 2, Data: "LongPress" }));
      await rcsp.call("AfterPress");
      assertEquals(heard, []);
      assertEquals(server.names.slice(before), [
        "DeviceSubscribe",
        "DeviceSubscribe",
        "ListDevices",
        "DeviceUnsubscribe",
        "DeviceUnsubscribe",
        "AfterPress",
      ]);
    },
  );
});

test("presses() that waits for a device outlives a list that cannot be sent", () => {
  const held: Uint8Array[] = [];
  return withFlaky(
    (command) => {
      if (command.name === "ListDevices") return ok(command, { Devices: [{ DeviceId: 1 }] });
      held.push(ok(command));
      return undefined;
    },
    async (rcsp, { clock, server }) => {
      const presses = rcsp.presses();
      await server.until(2);
      const call = rcsp.call("Slow");
      clock.advance(2_000);
      await assertRejects(() => rcsp.call("Third"), LimitError, "'maxPending' (2)");
      await server.until(3);
      server.send(...held);
      await call;
      await presses.ready;
      assertStrictEquals(presses.ended, false);
    },
    { maxPending: 2 },
  );
});

test("presses() subscribes to a device with the next list if it could not before", () =>
  withFlaky(
    (command) => {
      const listed = command.name === "ListDevices" &&
        { Devices: [{ DeviceId: 1 }, { DeviceId: 2 }] };
      return ok(command, listed || {});
    },
    async (rcsp, { clock, server }) => {
      const presses = rcsp.presses();
      await presses.ready;
      // The second one was over 'maxPending'.
      assertEquals(server.names, ["ListDevices", "DeviceSubscribe"]);
      clock.advance(2_000);
      await server.until(4);
      assertStrictEquals(server.received[3]?.args?.["DeviceId"], 2);
    },
    { maxPending: 1 },
  ));

test("presses() subscribes to a device that was listed just before a long outage", () => {
  let listed = [{ DeviceId: 1 }];
  return withFlaky(
    (command) => {
      if (command.name === "ListDevices") return ok(command, { Devices: listed });
      return command.args?.["DeviceId"] === 2 && listed.length === 2 ? "close" : ok(command);
    },
    async (rcsp, flaky) => {
      const presses = rcsp.presses();
      await presses.ready;
      listed = [{ DeviceId: 1 }, { DeviceId: 2 }];
      flaky.down = true;
      flaky.clock.advance(2_000);
      await reach(rcsp, "reconnecting");
      // Longer than 'commandTimeout'.
      while (flaky.clock.now() < 15_000) await flaky.retry(rcsp);
      flaky.down = false;
      listed.push({ DeviceId: 3 });
      const before = flaky.server.received.length;
      await flaky.retry(rcsp);
      await flaky.server.until(before + 2);
      flaky.clock.advance(2_000);
      await until(() => rcsp.status.state === "ready" && flaky.server.names.length >= before + 4);
      const ids = flaky.server.received.slice(before).map(({ args }) => args?.["DeviceId"]);
      assertEquals(ids.filter((id) => id === 2), [2]);
    },
  );
});
