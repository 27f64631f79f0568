import { assertEquals } from "@std/assert";
import { Broker } from "../cli/mqtt/broker.ts";
import { parseBrokerUrl } from "../cli/mqtt/broker_url.ts";
import { Presence } from "../cli/mqtt/presence.ts";
import { Topics } from "../cli/mqtt/topics.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { withBroker } from "./support/mqtt.ts";
import { test } from "./support/test.ts";

const nothing = (): void => {};

function brokerAt(url: string, log: (text: string) => Promise<void>): Broker {
  return new Broker({
    address: parseBrokerUrl(url, undefined),
    clientId: "rcsp-test",
    will: { topic: "t/status", payload: "offline" },
    filters: {},
    onMessage: nothing,
    clock: new FakeClock(),
    log,
    pause: () => Promise.resolve(),
  });
}

test("a broker that is closed while its first sentence is written leaves no connection", async () => {
  await withBroker(async ({ url }) => {
    const [said, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const broker = brokerAt(url, () => {
      said.resolve();
      return written.promise;
    });
    const running = broker.run();
    await said.promise;
    const closing = broker.close();
    written.resolve();
    await closing;
    await running;
    assertEquals(broker.isConnected, false);
  });
});

test("a driver that lists new devices without end: those that left first are forgotten", () => {
  const broker = brokerAt("mqtt://127.0.0.1", () => Promise.resolve());
  const forgotten: string[] = [];
  const presence = new Presence({
    broker,
    topics: new Topics("rokoko", "stage"),
    now: () => 0,
    onForget: (level) => forgotten.push(level),
  });
  for (let i = 0; i < 3_000; i++) {
    presence.set(`${i}`, true);
    if (i > 0) presence.set(`${i - 1}`, false);
    presence.sweep();
  }
  assertEquals(forgotten, Array.from({ length: 1_999 }, (_, i) => `${i}`));
});
