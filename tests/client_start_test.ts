import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { startClient } from "../src/client/create_client.ts";
import { RcspServer } from "../server.ts";
import { ConnectionError } from "../src/errors.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const FAST = { initialDelay: 0, maxDelay: 1 };

test("startClient() returns before there is a driver, and a call waits for it", async () => {
  const { connector, listen } = memoryNetwork();
  const rcsp = startClient(connector, { reconnect: FAST });
  assertStrictEquals(rcsp.status.state, "connecting");
  const states: string[] = [];
  rcsp.on("status", ({ state }) => states.push(state));
  const calling = rcsp.call("ListDevices");
  await until(() => states.length > 3);
  assertEquals([...new Set(states)], ["reconnecting"]);
  const server = new RcspServer().handle("ListDevices", () => ({ here: true }));
  await server.serve(listen, { port: 45451 });
  assertEquals(await calling, { here: true });
  assertEquals({ ...rcsp.status }, { state: "ready", reconnects: 0, gap: 0 } as object);
  await rcsp.close();
  await server.close();
});

test("startClient() subscribes once the driver is there", async () => {
  const { connector, listen } = memoryNetwork();
  const rcsp = startClient(connector, { reconnect: FAST });
  const subscription = rcsp.subscribe({ publisher: "p", topic: "t" });
  const server = new RcspServer();
  await server.serve(listen, { port: 45451 });
  await subscription.ready;
  assertStrictEquals(server.publish({ publisher: "p", topic: "t" }), 1);
  assertStrictEquals((await subscription.next()).value?.topic, "t");
  await rcsp.close();
  await server.close();
});

test("startClient() without reconnecting closes with the cause, and nothing is uncaught", async () => {
  const { connector } = memoryNetwork();
  const rcsp = startClient(connector, { reconnect: false });
  const cause = await rcsp.closed;
  assertStrictEquals(cause?.code, "connection-refused");
  await assertRejects(() => rcsp.call("ListDevices"), ConnectionError);
});

test("startClient() closes when its signal aborts, or close() is called", async () => {
  const { connector } = memoryNetwork();
  const controller = new AbortController();
  const rcsp = startClient(connector, { reconnect: FAST, signal: controller.signal });
  controller.abort(new Error("enough"));
  assertStrictEquals((await rcsp.closed)?.code, "connection-closed");
  const other = startClient(connector, { reconnect: FAST });
  await other.close();
  assertStrictEquals(await other.closed, undefined);
});

test("startClient() throws for options that are wrong", () => {
  const { connector } = memoryNetwork();
  assertThrows(() => startClient(connector, { maxPending: 0 }), RangeError);
  assertThrows(() => startClient(connector, { prot: 1 } as object), TypeError, "did you mean");
});
