import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { CommandError } from "../src/errors.ts";
import type { OutgoingEvent } from "../src/message/event.ts";
import type { HandlerContext } from "../src/server/command_context.ts";
import {
  COMMAND,
  ERROR,
  EVENT,
  frame,
  OK,
  type RawClient,
  until,
  withServer,
} from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const TOPIC = { publisher: "P", topic: "T" };
const ARGS = { Publisher: "P", Topic: "T" };

/** Subscriptions of one client, and which events reach it. */
const cases: [what: string, args: object | undefined, reached: unknown[]][] = [
  ["nothing", undefined, []],
  ["device 1", { ...ARGS, DeviceId: 1 }, [1]],
  [`device "1"`, { ...ARGS, DeviceId: "1" }, ["1"]],
  ["a device that is an object", { ...ARGS, DeviceId: { a: 1 } }, [{ a: 1 }]],
  ["device false", { ...ARGS, DeviceId: false }, [false]],
  ["device 0.1", { ...ARGS, DeviceId: 0.1 }, [0.1]],
  ["the whole driver", ARGS, [1, "1", { a: 1 }, false, 0.1, undefined]],
  ["another topic", { Publisher: "P", Topic: "t" }, []],
  ["another publisher", { Publisher: "p", Topic: "T" }, []],
];

for (const [what, args, reached] of cases) {
  test(`a client that has subscribed to ${what} gets matching events only`, () =>
    withServer({}, async ({ server, join }) => {
      server.handle("Do", () => {});
      const client = await join();
      if (args !== undefined) {
        const name = "DeviceId" in args ? "DeviceSubscribe" : "Subscribe";
        assertEquals(await client.ask(name, args), { type: OK, body: { TrackId: "1" } });
      }
      for (const deviceId of [1, "1", { a: 1 }, false, 0.1, undefined]) {
        const wanted = reached.some((each) => JSON.stringify(each) === JSON.stringify(deviceId));
        assertStrictEquals(
          server.publish({ ...TOPIC, deviceId: deviceId as number }),
          wanted ? 1 : 0,
        );
      }
      const events = await client.receiveMany(reached.length);
      assertEquals(events.map(({ type }) => type), reached.map(() => EVENT));
      assertEquals(events.map(({ body }) => body["DeviceId"]), reached);
      assertStrictEquals((await client.ask("Do")).type, OK, "no more events have come");
    }));
}

test("a client with several matching subscriptions gets each event once", () =>
  withServer({}, async ({ server, join }) => {
    const client = await join();
    await client.ask("Subscribe", ARGS);
    await client.ask("DeviceSubscribe", { ...ARGS, DeviceId: 1 });
    await client.ask("DeviceSubscribe", { ...ARGS, DeviceId: 1 });
    const event: OutgoingEvent = {
      ...TOPIC,
      deviceId: 1,
      data: { Count: 1 },
      pressType: "LongPress",
    };
    assertStrictEquals(server.publish(event), 1);
    assertEquals(await client.receive(), {
      type: EVENT,
      body: { ...ARGS, DeviceId: 1, Data: { Count: 1, PressType: "LongPress" } },
    });
    assertEquals(event.data, { Count: 1 }, "the caller's object stays as it is");
    assertStrictEquals((await client.ask("Unsubscribe", ARGS)).type, OK, "and no second event");
    assertStrictEquals(server.publish(event), 1, "the device's subscription still stands");
    assertStrictEquals((await client.receive()).type, EVENT);
  }));

test("unsubscribing ends one topic of one client, and succeeds without a subscription", () =>
  withServer({}, async ({ server, join }) => {
    const [one, other] = [await join(), await join()];
    for (const client of [one, other]) {
      await client.ask("DeviceSubscribe", { ...ARGS, DeviceId: 1 });
      await client.ask("DeviceSubscribe", { ...ARGS, DeviceId: 2 });
    }
    assertStrictEquals((await one.ask("DeviceUnsubscribe", { ...ARGS, DeviceId: 1 })).type, OK);
    assertStrictEquals((await one.ask("DeviceUnsubscribe", { ...ARGS, DeviceId: 9 })).type, OK);
    assertStrictEquals(server.publish({ ...TOPIC, deviceId: 1 }), 1);
    assertStrictEquals(server.publish({ ...TOPIC, deviceId: 2 }), 2);
    assertStrictEquals((await one.receive()).body["DeviceId"], 2);
    assertEquals((await other.receiveMany(2)).map(({ body }) => body["DeviceId"]), [1, 2]);
  }));

test("a subscription ends with its connection", () =>
  withServer({}, async ({ server, join }) => {
    const [leaves, stays] = [await join(), await join()];
    for (const client of [leaves, stays]) await client.ask("Subscribe", ARGS);
    assertStrictEquals(server.publish(TOPIC), 2);
    await leaves.close();
    await until(() => server.clients === 1);
    assertStrictEquals(server.publish(TOPIC), 1);
    assertEquals((await stays.receiveMany(2)).length, 2);
    await stays.close();
    await until(() => server.clients === 0);
    assertStrictEquals(server.publish(TOPIC), 0);
  }));

test("a client closed by a handler gets no more events", () =>
  withServer({}, async ({ server, join }) => {
    let reached: number | undefined;
    server.handle("Leave", (_, { client }) => {
      client.close();
      reached = server.publish(TOPIC);
    });
    const client = await join();
    await client.ask("Subscribe", ARGS);
    await client.send("Leave");
    assertEquals(await client.receiveAll(), []);
    assertStrictEquals(reached, 0);
  }));

const refused: [what: string, name: string, args: unknown][] = [
  ["no arguments", "Subscribe", undefined],
  ["arguments null", "Subscribe", null],
  ["no publisher", "Subscribe", { Topic: "T" }],
  ["topic null", "Unsubscribe", { Publisher: "P", Topic: null }],
  ["a topic that is a number", "Subscribe", { Publisher: "P", Topic: 1 }],
  ["no device", "DeviceSubscribe", ARGS],
  ["device null", "DeviceSubscribe", { ...ARGS, DeviceId: null }],
  ["no device", "DeviceUnsubscribe", ARGS],
];

for (const [what, name, args] of refused) {
  test(`${name} with ${what} is rejected, naming what is missing`, () =>
    withServer({}, async ({ server, join, errors }) => {
      const client = await join();
      const { type, body } = await client.ask(name, args);
      assertStrictEquals(type, ERROR);
      assertStrictEquals(body.Error?.Code, "BadArguments");
      assert(String(body.Error?.Message).includes("'Arguments."), String(body.Error?.Message));
      assertStrictEquals(server.publish(TOPIC), 0);
      assertEquals(errors, []);
    }));
}

test("a device id that JSON cannot represent does not count as no device", () =>
  withServer({}, async ({ server, join }) => {
    const client = await join();
    const args = `{"DeviceId":1e400,"Publisher":"P","Topic":"T"}`;
    const name = `"Command":"DeviceSubscribe","TrackId":"1","Version":1`;
    await client.write(frame(COMMAND, `{${name},"Arguments":${args}}`));
    await client.receive();
    assertStrictEquals(server.publish(TOPIC), 0);
    assertStrictEquals(server.publish({ ...TOPIC, deviceId: 1 }), 0);
  }));

test("onSubscribe gets every subscription with its client, and may refuse", () => {
  const seen: unknown[] = [];
  const onSubscribe = (topic: unknown, { client }: HandlerContext): void => {
    seen.push(topic, client.remote);
    if (seen.length > 2) throw new CommandError({ Code: "Full", Message: "no more" });
  };
  return withServer({ onSubscribe }, async ({ server, join, errors }) => {
    const client = await join();
    assertStrictEquals((await client.ask("Subscribe", ARGS)).type, OK);
    const { body } = await client.ask("DeviceSubscribe", { ...ARGS, DeviceId: 7 });
    assertEquals(body.Error, { Code: "Full", Message: "no more" });
    assertEquals(seen, [TOPIC, "memory", { ...TOPIC, deviceId: 7 }, "memory"]);
    await client.ask("Unsubscribe", ARGS);
    assertStrictEquals(server.publish({ ...TOPIC, deviceId: 7 }), 0);
    assertEquals(errors, []);
  });
});

test("subscriptions and events use the names of the dialect", () => {
  const dialect = {
    commands: { subscribe: "Listen", deviceSubscribe: "ListenTo" },
    subscription: { publisher: "From.Who", topic: "About", deviceId: "Id" },
    event: { publisher: "Who", topic: "What", deviceId: "Of.Id", data: "Body" },
  };
  return withServer({ dialect }, async ({ server, join }) => {
    const client = await join();
    assertStrictEquals((await client.ask("Subscribe", ARGS)).body.Error?.Code, "UnknownCommand");
    const asked = { From: { Who: "P" }, About: "T" };
    assertStrictEquals((await client.ask("ListenTo", { ...asked, Id: 3 })).type, OK);
    assertStrictEquals(server.publish({ ...TOPIC, deviceId: 4 }), 0);
    assertStrictEquals(server.publish({ ...TOPIC, deviceId: 3, data: { A: 1 } }), 1);
    assertEquals((await client.receive()).body, {
      Who: "P",
      What: "T",
      Of: { Id: 3 },
      Body: { A: 1 },
    });
  });
});

test("an event reaches a hundred clients, each once", () =>
  withServer({}, async ({ server, join }) => {
    const clients = await Promise.all(Array.from({ length: 100 }, join));
    const subscribe = (client: RawClient) => client.ask("Subscribe", ARGS);
    await Promise.all(clients.slice(0, 60).map(subscribe));
    for (let turn = 0; turn < 50; turn++) {
      assertStrictEquals(server.publish({ ...TOPIC, data: { turn } }), 60);
    }
    await Promise.all(clients.map((client) => client.socket.closeWrite()));
    const received = await Promise.all(clients.map((client) => client.receiveAll()));
    assertEquals(
      received.map((events) => events.length),
      clients.map((_, i) => i < 60 ? 50 : 0),
    );
    const turns = received[0]?.map(({ body }) => (body["Data"] as { turn: number }).turn);
    assertEquals(turns, Array.from({ length: 50 }, (_, turn) => turn));
  }));
