import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { LimitError } from "../src/errors.ts";
import { ERROR, EVENT, OK, withServer } from "./support/raw_client.ts";
import { test } from "./support/test.ts";
import { uncaughtIn } from "./support/uncaught.ts";

const topic = (n: number): object => ({ Publisher: "P", Topic: `T${n}` });

test("a client has at most maxTopics subscriptions, and may repeat an existing one", () =>
  withServer({ maxTopics: 2 }, async ({ join, server }) => {
    const client = await join();
    assertStrictEquals((await client.ask("Subscribe", topic(1))).type, OK);
    assertStrictEquals((await client.ask("Subscribe", topic(2))).type, OK);
    assertStrictEquals((await client.ask("Subscribe", topic(2))).type, OK);
    const refused = await client.ask("Subscribe", topic(3));
    assertStrictEquals(refused.type, ERROR);
    assertEquals(refused.body.Error, {
      Code: "TooManyTopics",
      Message: "There are 'maxTopics' (2) subscriptions already",
    });
    assertStrictEquals(server.publish({ publisher: "P", topic: "T3" }), 0);
    assertStrictEquals((await client.ask("Unsubscribe", topic(1))).type, OK);
    assertStrictEquals((await client.ask("Subscribe", topic(3))).type, OK);
    assertStrictEquals(server.publish({ publisher: "P", topic: "T3" }), 1);
    assertStrictEquals((await client.receive()).type, EVENT);
  }));

test("an event longer than maxPayload is not published", () =>
  withServer({ maxPayload: 200 }, async ({ join, server }) => {
    const client = await join();
    await client.ask("Subscribe", topic(1));
    const publish = (text: string): number =>
      server.publish({ publisher: "P", topic: "T1", data: { text } });
    assertThrows(() => publish("x".repeat(200)), LimitError, "Cannot publish event");
    assertStrictEquals(publish("short"), 1);
    assertEquals((await client.receive()).body["Data"], { text: "short" });
  }));

test("an error thrown by onError is reported, and the command still gets a response", async () => {
  const script = `
    await withServer({ onError: () => { throw new Error("hook"); } }, async ({ server, join }) => {
      server.handle("Fail", () => { throw new Error("inside"); });
      server.handle("FailLater", () => Promise.reject(new Error("inside")));
      const client = await join();
      await client.ask("Fail");
      answer = (await client.ask("FailLater")).body.Error.Code;
    });`;
  assertEquals(await uncaughtIn("support/raw_client.ts", "{ withServer }", script), {
    answer: "InternalError",
    reported: ["hook", "hook"],
  });
});

test("an overlong topic is rejected", () =>
  withServer({}, async ({ join }) => {
    const client = await join();
    const refused = await client.ask("Subscribe", { Publisher: "P", Topic: "T".repeat(2000) });
    assertStrictEquals(refused.type, ERROR);
    assertStrictEquals(refused.body.Error?.Code, "BadArguments");
  }));
