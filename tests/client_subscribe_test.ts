import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  CommandError,
  type DeviceId,
  type DialectOptions,
  type EventFilter,
  LimitError,
  type RcspClient,
  type Subscription,
} from "../mod.ts";
import {
  echo,
  event,
  mute,
  ok,
  refusal,
  type Script,
  type ScriptedServer,
  turn,
  withScripted,
} from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const TOPIC: EventFilter = { publisher: "P", topic: "T", deviceId: 1 };

const DIALECT: DialectOptions = {
  commands: {
    subscribe: "Sub",
    unsubscribe: "Unsub",
    deviceSubscribe: "DevSub",
    deviceUnsubscribe: "DevUnsub",
  },
  subscription: { publisher: "From", topic: "What.Name", deviceId: "What.Device" },
  button: { publisher: "Pad", topic: "Click" },
};

const ARGUMENTS: {
  what: string;
  subscribe: (rcsp: RcspClient) => Subscription<unknown>;
  dialect?: DialectOptions;
  names: string[];
  args: string;
}[] = [
  {
    what: "subscribe() to a device",
    subscribe: (rcsp) => rcsp.subscribe(TOPIC),
    names: ["DeviceSubscribe", "DeviceUnsubscribe"],
    args: '{"DeviceId":1,"Publisher":"P","Topic":"T"}',
  },
  {
    what: "subscribe() to the driver",
    subscribe: (rcsp) => rcsp.subscribe({ publisher: "P", topic: "T" }),
    names: ["Subscribe", "Unsubscribe"],
    args: '{"Publisher":"P","Topic":"T"}',
  },
  {
    what: "buttonPresses()",
    subscribe: (rcsp) => rcsp.buttonPresses({ Bus: 1 } as never),
    names: ["DeviceSubscribe", "DeviceUnsubscribe"],
    args: '{"DeviceId":{"Bus":1},"Publisher":"DeviceEvents","Topic":"ButtonPushed"}',
  },
  {
    what: "subscribe() to a device in another dialect",
    subscribe: (rcsp) => rcsp.subscribe(TOPIC),
    dialect: DIALECT,
    names: ["DevSub", "DevUnsub"],
    args: '{"What":{"Device":1,"Name":"T"},"From":"P"}',
  },
  {
    what: "subscribe() to the driver in another dialect",
    subscribe: (rcsp) => rcsp.subscribe({ publisher: "P", topic: "T" }),
    dialect: DIALECT,
    names: ["Sub", "Unsub"],
    args: '{"From":"P","What":{"Name":"T"}}',
  },
  {
    what: "buttonPresses() in another dialect",
    subscribe: (rcsp) => rcsp.buttonPresses("g"),
    dialect: DIALECT,
    names: ["DevSub", "DevUnsub"],
    args: '{"What":{"Device":"g","Name":"Click"},"From":"Pad"}',
  },
];

for (const { what, subscribe, dialect, names, args } of ARGUMENTS) {
  test(`${what} sends ${names[0]}, and ${names[1]} with the same arguments`, () =>
    withScripted(echo, async (rcsp, server) => {
      await subscribe(rcsp).unsubscribe();
      assertEquals(server.names, names);
      const sent = server.received.map((command) => JSON.stringify(command.args));
      assertEquals(sent, [args, args]);
    }, { dialect }));
}

test("two readers of a topic share one command, and the last one to end unsubscribes", () =>
  withScripted(echo, async (rcsp, server) => {
    const [one, two] = [rcsp.subscribe(TOPIC), rcsp.subscribe({ ...TOPIC })];
    await Promise.all([one.ready, two.ready]);
    server.send(event({ n: 1 }));
    for (const reader of [one, two]) assertEquals((await reader.next()).value?.raw, { n: 1 });
    await one.unsubscribe();
    await one.unsubscribe();
    assertEquals(server.names, ["DeviceSubscribe"]);
    server.send(event({ n: 2 }));
    assertEquals((await two.next()).value?.raw, { n: 2 });
    assertEquals(await one.next(), { done: true, value: undefined });
    await two.unsubscribe();
    assertEquals(server.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
  }));

test("buttonPresses() and subscribe() to the same topic share one command", () =>
  withScripted(echo, async (rcsp, server) => {
    const presses = rcsp.buttonPresses(1);
    const raw = rcsp.subscribe({ publisher: "DeviceEvents", topic: "ButtonPushed", deviceId: 1 });
    await Promise.all([presses.ready, raw.ready]);
    assertEquals(server.names, ["DeviceSubscribe"]);
  }));

test("topics that differ in any field send one command each", () =>
  withScripted(echo, async (rcsp, server) => {
    const topics: EventFilter[] = [
      TOPIC,
      { ...TOPIC, deviceId: "1" },
      { ...TOPIC, deviceId: [1] as never },
      { ...TOPIC, topic: "t" },
      { ...TOPIC, publisher: "p" },
      { publisher: "P", topic: "T" },
    ];
    await Promise.all(topics.map((topic) => rcsp.subscribe(topic).ready));
    assertStrictEquals(server.received.length, topics.length);
  }));

test("a topic without readers is subscribed again for a new reader", () =>
  withScripted(echo, async (rcsp, server) => {
    const leaving = rcsp.subscribe(TOPIC).unsubscribe();
    const again = rcsp.subscribe(TOPIC);
    await Promise.all([leaving, again.ready]);
    server.send(event({ n: 1 }));
    assertEquals((await again.next()).value?.raw, { n: 1 });
    assertEquals(server.names, ["DeviceSubscribe", "DeviceUnsubscribe", "DeviceSubscribe"]);
  }));

for (const how of ["break", "throw"] as const) {
  test(`leaving a for await loop by ${how} unsubscribes`, () =>
    withScripted(echo, async (rcsp, server) => {
      const subscription = rcsp.subscribe(TOPIC);
      server.send(event({ n: 1 }), event({ n: 2 }));
      const seen: unknown[] = [];
      const loop = async (): Promise<void> => {
        for await (const { raw } of subscription) {
          seen.push(raw);
          if (how === "break") break;
          throw new Error("out");
        }
      };
      if (how === "break") await loop();
      else await assertRejects(loop, Error, "out");
      assertEquals<unknown>(seen, [{ n: 1 }]);
      await server.until(2);
      assertEquals(server.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
    }));
}

test("ready resolves with the server's response, for a later reader at once", () =>
  withScripted(mute, async (rcsp, server) => {
    const one = rcsp.subscribe(TOPIC);
    let accepted = false;
    one.ready.then(() => accepted = true);
    await server.until(1);
    await turn();
    assertStrictEquals(accepted, false);
    server.send(ok({ trackId: "1" }));
    await one.ready;
    await rcsp.subscribe(TOPIC).ready;
    assertStrictEquals(server.received.length, 1);
  }));

test("a refused subscription fails every reader of the topic, and sends no unsubscribe", () => {
  const script = (command: Parameters<typeof echo>[0]): Uint8Array =>
    refusal(command, { Code: "E", Message: "No" });
  return withScripted(script, async (rcsp, server) => {
    const readers = [rcsp.subscribe(TOPIC), rcsp.subscribe(TOPIC)];
    for (const reader of readers) {
      const error = await assertRejects(() => reader.ready, CommandError, "[E]: No");
      assertStrictEquals(error.command, "DeviceSubscribe");
      assertStrictEquals(await assertRejects(() => reader.next()), error);
      assertEquals(await reader.next(), { done: true, value: undefined });
      await reader.return();
    }
    await assertRejects(() => rcsp.subscribe(TOPIC).ready, CommandError);
    assertEquals(server.names, ["DeviceSubscribe", "DeviceSubscribe"]);
  });
});

test("a late refusal of a topic that was left and subscribed again does not affect the new reader", () =>
  withScripted(mute, async (rcsp, server) => {
    const leaving = rcsp.subscribe(TOPIC).unsubscribe();
    const again = rcsp.subscribe(TOPIC);
    await server.until(3);
    server.send(refusal({ trackId: "1" }), ok({ trackId: "2" }), ok({ trackId: "3" }));
    await Promise.all([leaving, again.ready]);
    server.send(event({ n: 1 }));
    assertEquals((await again.next()).value?.raw, { n: 1 });
    await rcsp.subscribe(TOPIC).ready;
    assertStrictEquals(server.received.length, 3);
  }));

test("a refused unsubscribe is ignored", () =>
  withScripted(
    (command) => command.name === "DeviceSubscribe" ? ok(command) : refusal(command),
    async (rcsp) => {
      const subscription = rcsp.subscribe(TOPIC);
      await subscription.ready;
      await subscription.unsubscribe();
      assertEquals(await subscription.next(), { done: true, value: undefined });
    },
  ));

test("a subscription at maxPending fails with a LimitError", () =>
  withScripted(mute, async (rcsp: RcspClient, server: ScriptedServer) => {
    rcsp.call("A").catch(() => {});
    await assertRejects(() => rcsp.subscribe(TOPIC).ready, LimitError, "'maxPending' (1)");
    await server.until(1);
    assertEquals(server.names, ["A"]);
  }, { maxPending: 1 }));

test("the last reader to end unsubscribes even at maxPending", () => {
  const script: Script = (command) => {
    if (command.name === "A") return undefined;
    return command.name === "DeviceSubscribe" ? ok(command) : [ok({ trackId: "2" }), ok(command)];
  };
  return withScripted(script, async (rcsp, server) => {
    const subscription = rcsp.subscribe(TOPIC);
    await subscription.ready;
    rcsp.call("A").catch(() => {});
    await server.until(2);
    await subscription.unsubscribe();
    assertEquals(server.names, ["DeviceSubscribe", "A", "DeviceUnsubscribe"]);
  }, { maxPending: 1 });
});

test("a topic and its device id are copied, so the caller may change them", () =>
  withScripted(echo, async (rcsp, server) => {
    const deviceId = { Bus: [1] };
    const topic = { ...TOPIC, deviceId };
    const subscription = rcsp.subscribe(topic as never);
    const presses = rcsp.buttonPresses(deviceId as never);
    await Promise.all([subscription.ready, presses.ready]);
    Object.assign(topic, { publisher: "Q", topic: "U" });
    deviceId.Bus[0] = 2;
    server.send(event({ Publisher: "P", Topic: "T", DeviceId: { Bus: [1] } }));
    server.send(event({ Data: "SinglePress" }));
    assertStrictEquals((await subscription.next()).value?.publisher, "P");
    assertEquals((await presses.next()).value?.deviceId as unknown, { Bus: [1] });
    await Promise.all([subscription.unsubscribe(), presses.unsubscribe()]);
    const [asked, askedPresses, left, leftPresses] = server.received.map(({ args }) => args);
    assertEquals([left, leftPresses], [asked, askedPresses]);
  }));

const circular: Record<string, unknown> = {};
circular["Self"] = circular;

for (
  const [what, deviceId] of Object.entries({
    "a BigInt": 1n,
    "an object with a BigInt": { Bus: 1n },
    "a circular object": circular,
    "a function": () => 1,
    "a symbol": Symbol("id"),
  })
) {
  test(`subscribing with ${what} as the device id throws, and leaves nothing behind`, () =>
    withScripted(echo, async (rcsp, server) => {
      const signal = new AbortController().signal;
      let listeners = 0;
      signal.addEventListener = () => listeners++;
      const wrong = deviceId as unknown as DeviceId;
      for (
        const subscribe of [
          () => rcsp.subscribe({ ...TOPIC, deviceId: wrong }, { signal }),
          () => rcsp.buttonPresses(wrong, { signal }),
        ]
      ) {
        assertThrows(subscribe, TypeError, "'DeviceId'");
      }
      server.send(event({ Publisher: "P", Topic: "T", DeviceId: { Bus: 1 } }));
      await rcsp.call("After");
      assertEquals([server.names, listeners], [["After"], 0]);
      assertEquals([rcsp.stats().events, rcsp.stats().unmatched], [1, 1]);
    }));
}

const LEAVES: Record<string, (subscription: Subscription<unknown>) => Promise<unknown>> = {
  "break": async (subscription) => {
    for await (const _ of subscription) break;
  },
  "return()": (subscription) => subscription.return(),
  "the end of an await using block": (subscription) => subscription[Symbol.asyncDispose](),
};

for (const [how, leave] of Object.entries(LEAVES)) {
  test(`ending by ${how} does not wait for the response, but unsubscribe() does`, () => {
    const script: Script = (command) =>
      command.name === "DeviceSubscribe" ? [ok(command), event({ n: 1 })] : undefined;
    return withScripted(script, async (rcsp, server) => {
      const subscription = rcsp.subscribe(TOPIC);
      await subscription.ready;
      await leave(subscription);
      await server.until(2);
      let answered = false;
      const waiting = subscription.unsubscribe().then(() => answered = true);
      await turn();
      assertStrictEquals(answered, false);
      server.send(ok({ trackId: "2" }));
      await waiting;
      assertEquals(server.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
    }, { commandTimeout: 600_000 });
  });
}
