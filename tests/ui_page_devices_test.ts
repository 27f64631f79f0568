/** How the page of `rcsp ui` follows the devices of a driver. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { DeviceStore } from "../cli/ui/page/model/device_store.ts";
import { Emitter } from "../cli/ui/page/model/emitter.ts";
import type { Session, SessionEvents } from "../cli/ui/page/model/session.ts";
import { createClient } from "../src/client/create_client.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { test } from "./support/test.ts";
import { turn, until } from "./support/wait.ts";

/** A session without a page. */
class FakeSession extends Emitter<SessionEvents> {
  trips = 0;
  #states = 0;

  addTrip(): void {
    this.trips++;
  }

  /** Has the devices listed now. */
  poll(): void {
    const state = `another state ${this.#states++}`;
    this.emit("bridge", { state } as unknown as Parameters<SessionEvents["bridge"]>[0]);
  }

  start(client: Parameters<SessionEvents["client"]>[0]): void {
    this.emit("client", client);
  }
}

async function withDevices(
  use: (driver: Simulator, devices: DeviceStore, session: FakeSession) => Promise<void>,
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  await using driver = new Simulator();
  await driver.serve(listen, { port: 45451 });
  await using client = await createClient(connector);
  const session = new FakeSession();
  const devices = new DeviceStore(session as unknown as Session);
  session.start(client);
  await until(() => devices.isKnown);
  await use(driver, devices, session);
  await client.close();
  // Its next round is its last.
  session.poll();
  await turn(2);
}

/** Waits until the devices were listed once more. */
async function polled(session: FakeSession): Promise<void> {
  const { trips } = session;
  session.poll();
  await until(() => session.trips > trips);
}

test("a device that the driver lists twice is one device, and keeps its presses", async () => {
  await withDevices(async (driver, devices, session) => {
    driver.server.handle("ListDevices", () => ({ Devices: [{ DeviceId: 1 }, { DeviceId: 1 }] }));
    await polled(session);
    await until(() => driver.press(1, "SinglePress") > 0);
    await until(() => devices.all[0]!.pressCount > 0);
    for (let i = 0; i < 3; i++) await polled(session);
    assertEquals(devices.all.length, 1);
    assertEquals(devices.all[0]!.presses[0]?.type, "SinglePress");
  });
});

test("of very many devices the page shows 256, and how many there are", async () => {
  await withDevices(async (driver, devices, session) => {
    const Devices = Array.from({ length: 100_000 }, (_, i) => ({ DeviceId: i + 1 }));
    driver.server.handle("ListDevices", () => ({ Devices }));
    await polled(session);
    assertEquals([devices.all.length, devices.listed], [256, 100_000]);
    driver.server.handle("ListDevices", () => ({ Devices: [{ DeviceId: 1 }] }));
    await polled(session);
    assertEquals([devices.all.length, devices.listed], [1, 1]);
  });
});

test("the list is asked for while the devices are still asked about themselves", async () => {
  await withDevices(async (driver, devices, session) => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let asked = 0;
    driver.server.handle("GetDeviceInfo", async () => {
      await gates[asked++]?.promise;
      return {};
    });
    for (const { key } of devices.all) devices.refresh(key);
    await until(() => asked === 1);
    const listed = polled(session);
    gates[0]!.resolve();
    await listed;
    gates[1]!.resolve();
  });
});

test("a refused subscription says why, and is tried again with the next question", async () => {
  await withDevices(async (driver, devices, session) => {
    driver.server.handle("ListDevices", () => ({ Devices: [{ DeviceId: "late" }] }));
    await polled(session);
    await until(() => devices.all[0]!.buttonError !== undefined);
    assertStringIncludes(devices.all[0]!.buttonError!, "DeviceSubscribe failed");
    driver.addDevice({ DeviceId: "late" });
    devices.refresh('"late"');
    await until(() => driver.press("late", "LongPress") > 0);
    await until(() => devices.all[0]!.pressCount > 0);
    assertEquals(devices.all[0]!.buttonError, undefined);
  });
});
