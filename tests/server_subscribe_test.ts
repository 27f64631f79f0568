import { assertEquals, assertStrictEquals } from "@std/assert";
import { CommandError } from "../src/errors.ts";
import type { EventFilter } from "../src/message/event.ts";
import { command, concat, ERROR, EVENT, OK, until, withServer } from "./support/raw_client.ts";
import { test } from "./support/test.ts";

const TOPIC = { publisher: "P", topic: "T" };
const ARGS = { Publisher: "P", Topic: "T" };

const refusals: [what: string, reason: unknown, code: string, errors: number][] = [
  ["a CommandError", new CommandError({ Code: "Full", Message: "no more" }), "Full", 0],
  ["an error", new Error("inside"), "InternalError", 1],
  ["undefined", undefined, "InternalError", 1],
];

for (const [what, reason, code, reported] of refusals) {
  for (const how of ["at once", "later"] as const) {
    test(`an onSubscribe that rejects with ${what} ${how} refuses the subscription`, () => {
      const onSubscribe = async (): Promise<void> => {
        if (how === "later") await new Promise((resolve) => setTimeout(resolve, 1));
        throw reason;
      };
      return withServer({ onSubscribe }, async ({ server, join, errors }) => {
        const client = await join();
        for (
          const [name, args] of [["Subscribe", ARGS], ["DeviceSubscribe", { ...ARGS, DeviceId: 1 }]]
        ) {
          const { type, body } = await client.ask(name as string, args);
          assertStrictEquals(type, ERROR);
          assertStrictEquals(body.Error?.Code, code);
        }
        assertStrictEquals(server.publish({ ...TOPIC, deviceId: 1 }), 0);
        assertEquals(errors, Array(reported * 2).fill(reason));
      });
    });
  }
}

test("an async onSubscribe is awaited before the response and before any event", () => {
  const accept = Promise.withResolvers<void>();
  const asked: EventFilter[] = [];
  const onSubscribe = (topic: EventFilter): Promise<void> => {
    asked.push(topic);
    return accept.promise;
  };
  return withServer({ onSubscribe }, async ({ server, join }) => {
    const done: string[] = [];
    server.handle("Do", ({ TrackId }) => void done.push(TrackId));
    const [client, other] = [await join(), await join()];
    await client.write(concat(command("a", "Subscribe", ARGS), command("b", "Do")));
    await until(() => done.length === 1);
    assertEquals(asked, [TOPIC]);
    assertStrictEquals(server.publish(TOPIC), 0);
    assertStrictEquals((await other.ask("Do")).type, OK, "another client is not held up");
    accept.resolve();
    const answers = await client.receiveMany(2);
    assertEquals(answers.map(({ type, body }) => [type, body.TrackId]), [[OK, "a"], [OK, "b"]]);
    assertStrictEquals(server.publish(TOPIC), 1);
    assertStrictEquals((await client.receive()).type, EVENT);
  });
});

test("subscription commands of a client take effect in their order behind an async onSubscribe", () => {
  const held: PromiseWithResolvers<void>[] = [];
  const onSubscribe = (): Promise<void> => {
    held.push(Promise.withResolvers<void>());
    return held.at(-1)!.promise;
  };
  return withServer({ onSubscribe }, async ({ server, join }) => {
    const done: string[] = [];
    server.handle("Do", ({ TrackId }) => void done.push(TrackId));
    const client = await join();
    const other = { ...ARGS, Topic: "U" };
    await client.write(concat(
      command("1", "Subscribe", ARGS),
      command("2", "Unsubscribe", ARGS),
      command("3", "Subscribe", other),
      command("4", "Unsubscribe", { Publisher: "P" }),
      command("5", "Do"),
    ));
    await until(() => done.length === 1);
    assertStrictEquals(held.length, 1, "one is looked at at a time");
    held[0]?.reject(new CommandError({ Code: "Full" }));
    await until(() => held.length === 2);
    held[1]?.resolve();
    const answers = await client.receiveMany(5);
    assertEquals(answers.map(({ body }) => body.TrackId), ["1", "2", "3", "4", "5"]);
    assertEquals(answers.map(({ type }) => type), [ERROR, OK, OK, ERROR, OK]);
    assertStrictEquals(server.publish(TOPIC), 0);
    assertStrictEquals(server.publish({ ...TOPIC, topic: "U" }), 1);
    await client.receive();
    const unsubscribing = client.ask("Unsubscribe", other);
    assertStrictEquals((await unsubscribing).type, OK, "nothing is left in the way");
  });
});

test("a Subscribe that is accepted late and an Unsubscribe behind it leave no subscription", () => {
  const accept = Promise.withResolvers<void>();
  return withServer({ onSubscribe: () => accept.promise }, async ({ server, join }) => {
    const client = await join();
    await client.write(concat(command("1", "Subscribe", ARGS), command("2", "Unsubscribe", ARGS)));
    setTimeout(accept.resolve, 5);
    assertEquals((await client.receiveMany(2)).map(({ type }) => type), [OK, OK]);
    assertStrictEquals(server.publish(TOPIC), 0);
  });
});

test("a client that disconnects during onSubscribe leaves nothing behind", () => {
  const accept = Promise.withResolvers<void>();
  let asked = 0;
  const onSubscribe = (): Promise<void> => {
    asked++;
    return accept.promise;
  };
  return withServer({ onSubscribe }, async ({ server, join }) => {
    const client = await join();
    await client.send("Subscribe", ARGS);
    await until(() => asked === 1);
    await client.close();
    accept.resolve();
    await until(() => server.clients === 0);
    assertStrictEquals(server.publish(TOPIC), 0);
    const other = await join();
    assertStrictEquals((await other.ask("Subscribe", ARGS)).type, OK);
  });
});
