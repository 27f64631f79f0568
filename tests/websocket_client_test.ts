/** The library's own client over WebSockets, to a bridge that forwards to a simulated driver. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { fromWebSocket, WebSocketCloseError, webSocketConnector } from "../adapters/websocket.ts";
import { createClient, startClient } from "../src/client/create_client.ts";
import type { ConnectOptions } from "../src/client/options.ts";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import { CommandError, ConnectionError, LimitError } from "../src/errors.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { forward, type ForwardOptions, RcspServer, type ServerOptions } from "../server.ts";
import { type Bridge, withBridge } from "./support/bridge.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

interface World {
  readonly bridge: Bridge;
  readonly server: RcspServer;
  readonly errors: unknown[];
  /** The client of the bridge. */
  readonly driver: RcspClient;
  simulator: Simulator;
  /** Starts a driver at the same place again. */
  restart(): Promise<void>;
  page(options?: ConnectOptions): Promise<RcspClient>;
}

/** Pages, a bridge, a driver; everything is closed. */
async function withWorld(
  use: (world: World) => Promise<void>,
  options: { forward?: ForwardOptions; server?: ServerOptions } = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const start = async (): Promise<Simulator> => {
    const simulator = new Simulator();
    await simulator.serve(listen, { port: 45451 });
    return simulator;
  };
  const errors: unknown[] = [];
  const pages: RcspClient[] = [];
  const driver = startClient(connector, { reconnect: { initialDelay: 0, maxDelay: 5 } });
  const server = new RcspServer({ onError: (error) => errors.push(error), ...options.server });
  forward(server, driver, options.forward);
  const onWebSocket: Bridge["options"]["onWebSocket"] = (webSocket) =>
    server.accept(fromWebSocket(webSocket));
  await withBridge({ onWebSocket }, async (bridge) => {
    const world: World = {
      bridge,
      server,
      errors,
      driver,
      simulator: await start(),
      async restart() {
        world.simulator = await start();
      },
      async page(options) {
        const page = await createClient(webSocketConnector(bridge.url), {
          reconnect: { initialDelay: 0, maxDelay: 5 },
          ...options,
        });
        pages.push(page);
        return page;
      },
    };
    await until(() => driver.status.state === "ready");
    try {
      await use(world);
    } finally {
      await Promise.all(pages.map((page) => page.close()));
      await server.close();
      await driver.close();
      await world.simulator.close();
    }
  });
}

test("a page lists devices, is refused what is not allowed, and gets presses", () =>
  withWorld(async ({ page, simulator }) => {
    const [one, two] = [await page(), await page()];
    assertEquals((await one.listDevices()).length, 4);
    const error = await one.setColorLed(1, "red").catch((error) => error);
    assert(error instanceof CommandError);
    assertStrictEquals(error.errorCode, "NotAllowed");
    const presses = [one, two].map((each) => each.buttonPresses(1));
    await Promise.all(presses.map(({ ready }) => ready));
    assertStrictEquals(simulator.press(1, "DoublePress"), 1);
    for (const each of presses) {
      assertStrictEquals((await each.next()).value?.type, "DoublePress");
    }
  }));

test("a thousand calls at once come back in order", () =>
  withWorld(async ({ page }) => {
    const one = await page();
    const calls = Array.from({ length: 1_000 }, (_, i) => one.getDeviceInfo(i % 4 + 1));
    const ids = (await Promise.all(calls)).map(({ DeviceId }) => DeviceId);
    assertEquals(ids, calls.map((_, i) => i % 4 + 1));
  }));

test("a page connects again after the bridge was gone, and its presses continue", () =>
  withWorld(async ({ page, simulator, bridge }) => {
    const one = await page();
    const presses = one.buttonPresses(1);
    await presses.ready;
    await bridge.stop();
    await until(() => one.status.state === "reconnecting");
    await bridge.restart();
    await until(() => one.stats().reconnects > 0 && one.status.state === "ready");
    assertStrictEquals(simulator.press(1, "LongPress"), 1);
    assertStrictEquals((await presses.next()).value?.type, "LongPress");
    assertEquals((await one.listDevices()).length, 4);
  }));

test("a page stays connected while the driver is away, and its presses continue", () =>
  withWorld(async (world) => {
    const one = await world.page();
    const presses = one.buttonPresses(1);
    await presses.ready;
    await world.simulator.close();
    await until(() => world.driver.status.state === "reconnecting");
    const error = await one.listDevices().catch((error) => error);
    assert(error instanceof CommandError);
    assertStrictEquals(error.errorCode, "Unavailable");
    await world.restart();
    await until(() => world.driver.stats().reconnects > 0 && world.driver.status.state === "ready");
    world.simulator.press(1, "SinglePress");
    assertStrictEquals((await presses.next()).value?.type, "SinglePress");
    assertStrictEquals(one.stats().reconnects, 0);
  }));

test("the close code of the bridge is the cause of a client's end", () =>
  withWorld(async ({ page, bridge }) => {
    const one = await page({ reconnect: false });
    for (const webSocket of bridge.webSockets) webSocket.close(4001, "enough");
    const cause = await one.closed;
    assert(cause instanceof WebSocketCloseError);
    assertEquals([cause.closeCode, cause.closeReason], [4001, "enough"]);
    const error = await one.listDevices().catch((error) => error);
    assert(error instanceof ConnectionError);
  }));

test("a server that stops lets its pages have their answers first", () =>
  withWorld(async ({ page, server }) => {
    const one = await page({ reconnect: false });
    const answers = [one.listDevices(), one.listDevices()];
    await until(() => one.stats().sent === 2);
    const closing = until(() => one.stats().answered === 2).then(() => server.close());
    for (const answer of answers) assertEquals((await answer).length, 4);
    await closing;
    assertStrictEquals((await one.closed)?.code, "connection-closed");
  }));

test("more than 'maxPayload' from the driver is an error of that command only", () =>
  withWorld(async ({ page, errors }) => {
    const one = await page();
    const error = await one.listDevices().catch((error) => error);
    assert(error instanceof CommandError);
    assertStrictEquals(error.errorCode, "InternalError");
    assert(errors[0] instanceof LimitError);
    const refused = await one.setColorLed(1, "red").catch((error) => error);
    assertStrictEquals(refused.errorCode, "NotAllowed");
  }, { server: { maxPayload: 150 } }));
