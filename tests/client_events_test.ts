import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type EventFilter,
  type JsonObject,
  LimitError,
  type RcspError,
  type RcspEvent,
  type SubscribeOptions,
} from "../mod.ts";
import { PRESS_TYPES } from "../server.ts";
import { echo, event, ok, turn, withScripted } from "./support/scripted_server.ts";
import { test } from "./support/test.ts";

const TOPIC: EventFilter = { publisher: "P", topic: "T", deviceId: 1 };
const MARK = { Topic: "End", DeviceId: "end" };

/**
 * Which of four readers gets an event: of device 1, of device "1", of the driver, of all events.
 */
const DELIVERED: { body: JsonObject; to: string }[] = [
  { body: { Publisher: "P", Topic: "T", DeviceId: 1 }, to: "number driver all" },
  { body: { Publisher: "P", Topic: "T", DeviceId: "1" }, to: "string driver all" },
  { body: { Publisher: "P", Topic: "T", DeviceId: 2 }, to: "driver all" },
  { body: { Publisher: "P", Topic: "T", DeviceId: [1] }, to: "driver all" },
  { body: { Publisher: "P", Topic: "T" }, to: "number string driver all" },
  { body: { Publisher: "P", Topic: "T", DeviceId: null }, to: "number string driver all" },
  { body: { Publisher: "P", Topic: "Other", DeviceId: 1 }, to: "all" },
  { body: { Publisher: "Other", Topic: "T", DeviceId: 1 }, to: "all" },
  { body: { Publisher: "p", Topic: "T", DeviceId: 1 }, to: "all" },
  { body: { DeviceId: 1 }, to: "number driver all" },
  { body: { Publisher: null, Topic: 5 }, to: "number string driver all" },
  { body: { publisher: "Other", topic: "Other" }, to: "number string driver all" },
  { body: {}, to: "number string driver all" },
];

for (const { body, to } of DELIVERED) {
  test(`an event ${JSON.stringify(body)} reaches: ${to}`, () =>
    withScripted(echo, async (rcsp, server) => {
      const topic: EventFilter = { publisher: "P", topic: "T" };
      const readers = {
        number: rcsp.subscribe({ ...topic, deviceId: 1 }),
        string: rcsp.subscribe({ ...topic, deviceId: "1" }),
        driver: rcsp.subscribe(topic),
        all: rcsp.events(),
      };
      server.send(event(body), event(MARK));
      for await (const { topic } of rcsp.events()) if (topic === "End") break;
      const got = Object.entries(readers).filter(([, reader]) => reader.waiting > 0);
      const [first] = await Promise.all(got.map(([, reader]) => reader.next()));
      assertStrictEquals(got.map(([name]) => name).join(" "), to);
      assertEquals(first?.value?.raw, body);
    }));
}

test("object ids are compared by value", () =>
  withScripted(echo, async (rcsp, server) => {
    const topic = { publisher: "P", topic: "T" };
    const [one, two] = [1, 2].map((Bus) =>
      rcsp.subscribe({ ...topic, deviceId: { Bus } as never })
    );
    await two!.ready;
    server.send(event({ DeviceId: { Bus: 2 } }), event({ DeviceId: { Bus: 1 } }));
    assertEquals((await one!.next()).value?.deviceId as unknown, { Bus: 1 });
    assertEquals((await two!.next()).value?.deviceId as unknown, { Bus: 2 });
    assertEquals([one!.waiting, two!.waiting], [0, 0]);
  }));

function withoutTime(event: RcspEvent | undefined): Omit<RcspEvent, "receivedAt"> {
  const { receivedAt, ...rest } = event!;
  assert(receivedAt > 0);
  return rest;
}

test("events() reads the fields of the dialect, and sends no command", () =>
  withScripted(echo, async (rcsp, server) => {
    const events = rcsp.events();
    await events.ready;
    const bodies = [
      { Publisher: "P", Topic: "T", DeviceId: 0, Data: [1], Else: null },
      { Publisher: 1, Topic: null, DeviceId: null, Data: null },
      { "publisher": "p" },
    ];
    server.send(...bodies.map(event));
    const got = [];
    for (const _ of bodies) got.push(withoutTime((await events.next()).value));
    const none = { publisher: undefined, topic: undefined, deviceId: undefined, data: undefined };
    assertEquals<unknown>(got, [
      { publisher: "P", topic: "T", deviceId: 0, data: [1], raw: bodies[0] },
      { ...none, raw: bodies[1] },
      { ...none, raw: bodies[2] },
    ]);
    assertEquals(server.names, []);
  }));

test("a dialect with other key names reads and matches events with them", () => {
  const dialect = {
    event: { publisher: "h.from", topic: "h.what", deviceId: "id", data: "payload" },
  };
  return withScripted(echo, async (rcsp, server) => {
    const subscription = rcsp.subscribe({ publisher: "P", topic: "T", deviceId: 1 });
    await subscription.ready;
    const body = { h: { from: "P", what: "T" }, id: 1, payload: { a: 1 }, Topic: "Other" };
    server.send(event({ ...body, id: 2 }), event({ ...body, h: { what: "X" } }), event(body));
    const { value } = await subscription.next();
    assertEquals<unknown>(withoutTime(value), {
      publisher: "P",
      topic: "T",
      deviceId: 1,
      data: { a: 1 },
      raw: body,
    });
  }, { dialect });
});

test("an event with the keys of every object arrives unchanged", () =>
  withScripted(echo, async (rcsp, server) => {
    const events = rcsp.events();
    const text = '{"then":1,"__proto__":{"polluted":true},"toJSON":"x","constructor":null}';
    await turn();
    server.send(event(text));
    const { value } = await events.next();
    assertStrictEquals(
      JSON.stringify(Object.entries(value!.raw)),
      JSON.stringify(Object.entries(JSON.parse(text))),
    );
    assertStrictEquals(({} as JsonObject)["polluted"], undefined);
  }));

const BROKEN = ["", "{", "[]", "null", `{"a":${"[".repeat(100)}${"]".repeat(100)}}`];

for (const text of BROKEN) {
  const shown = text.slice(0, 8);
  test(`an invalid event '${shown}' without a subscriber is not parsed`, () =>
    withScripted(echo, async (rcsp, server) => {
      await turn();
      server.send(event(text), event({ Topic: "T" }));
      assertEquals(await rcsp.call("A"), { name: "A", id: "1" });
      assertEquals([rcsp.stats().events, rcsp.stats().unmatched], [2, 2]);
    }));

  test(`an invalid event '${shown}' with a subscriber is reported and dropped, and the client continues`, () => {
    const reported: RcspError[] = [];
    return withScripted(echo, async (rcsp, server) => {
      const events = rcsp.events();
      await turn();
      server.send(event({ n: 1 }), event(text), event({ n: 2 }));
      assertEquals(await rcsp.call("A"), { name: "A", id: "1" });
      assertEquals((await events.next()).value?.raw, { n: 1 });
      assertEquals((await events.next()).value?.raw, { n: 2 });
      const code = text.length > 100 ? "limit-reached" : "bad-json";
      assertEquals(reported.map((error) => error.code), [code]);
      assertStrictEquals(rcsp.stats().unreadable, 1);
    }, { onBadEvent: (error) => reported.push(error) });
  });
}

test("events count as unmatched again after the last reader has left", () =>
  withScripted(echo, async (rcsp, server) => {
    const events = rcsp.events();
    await turn();
    server.send(event({ n: 1 }));
    await events.next();
    await events.return();
    server.send(event("{"));
    await rcsp.call("A");
    assertEquals([rcsp.stats().events, rcsp.stats().unmatched], [2, 1]);
  }));

test("events that come before the server has accepted the subscription are kept", () =>
  withScripted(
    (command) => [event({ n: 1 }), event({ n: 2 }), ok(command)],
    async (rcsp) => {
      const subscription = rcsp.subscribe({ publisher: "P", topic: "T" });
      await subscription.ready;
      assertStrictEquals(subscription.waiting, 2);
      assertEquals((await subscription.next()).value?.raw, { n: 1 });
    },
  ));

const PRESSES: { body: JsonObject; type: string | undefined }[] = [
  ...PRESS_TYPES.map((type) => ({ body: { Data: { PressType: type } }, type })),
  { body: { PressType: "LongPress" }, type: "LongPress" },
  { body: { a: [null, 1, { b: ["x", "DoublePress"] }] }, type: "DoublePress" },
  { body: { Publisher: "DeviceEvents", Topic: "ButtonPushed", DeviceId: 7 }, type: undefined },
  { body: { Data: { PressType: "singlepress" } }, type: undefined },
  { body: { Data: { PressType: "SinglePress " } }, type: undefined },
  { body: { SinglePress: true }, type: undefined },
  { body: { Topic: "Battery", Data: "SinglePress" }, type: undefined },
  { body: { DeviceId: 8, Data: "SinglePress" }, type: undefined },
  { body: { DeviceId: "7", Data: "SinglePress" }, type: undefined },
  { body: {}, type: undefined },
];

for (const { body, type } of PRESSES) {
  test(`buttonPresses() reads ${type ?? "no press"} from ${JSON.stringify(body)}`, () =>
    withScripted(echo, async (rcsp, server) => {
      const presses = rcsp.buttonPresses(7);
      await presses.ready;
      const mark = { DeviceId: 7, Data: { PressType: "SinglePress" }, Mark: true };
      server.send(event(body), event(mark));
      const { value } = await presses.next();
      assert(value !== undefined);
      assertStrictEquals(value.type, type ?? "SinglePress");
      assertStrictEquals(value.deviceId, 7);
      assertEquals<unknown>(value.event.raw, type === undefined ? mark : body);
    }));
}

const WRONG_OPTIONS: { options: SubscribeOptions; says: string }[] = [
  ...[0, -1, 1.5, NaN, Infinity].map((buffer) => ({
    options: { buffer },
    says: `'buffer' must be an integer from 1 to ${Number.MAX_SAFE_INTEGER}: ` +
      `current value is ${buffer}`,
  })),
  { options: { overflow: "Fail" as "fail" }, says: "current value is Fail" },
];

test("subscribing with an invalid option or filter throws, and sends nothing", () =>
  withScripted(echo, async (rcsp, server) => {
    for (const { options, says } of WRONG_OPTIONS) {
      const errorClass = "buffer" in options ? RangeError : TypeError;
      assertThrows(() => rcsp.subscribe(TOPIC, options), errorClass, says);
      assertThrows(() => rcsp.buttonPresses(1, options), errorClass, says);
      assertThrows(() => rcsp.events(options), errorClass, says);
    }
    for (const key of ["publisher", "topic"]) {
      const topic = { ...TOPIC, [key]: undefined } as unknown as EventFilter;
      assertThrows(() => rcsp.subscribe(topic), TypeError, `'${key}' must be a string`);
    }
    await rcsp.call("Last");
    assertEquals(server.names, ["Last"]);
  }));

test("an overflow with 'fail' unsubscribes", () =>
  withScripted(echo, async (rcsp, server) => {
    const subscription = rcsp.subscribe(TOPIC, { buffer: 2, overflow: "fail" });
    await subscription.ready;
    server.send(...[1, 2, 3].map((n) => event({ n })));
    await server.until(2);
    assertEquals(server.names, ["DeviceSubscribe", "DeviceUnsubscribe"]);
    for (const n of [1, 2]) assertEquals((await subscription.next()).value?.raw, { n });
    await assertRejects(() => subscription.next(), LimitError, "'buffer' (2)");
  }));
