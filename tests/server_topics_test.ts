import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { LimitError } from "../src/errors.ts";
import { ERROR, EVENT, OK, withServer } from "./support/raw_client.ts";
import process from "node:process";
import { run, runtime } from "./support/runtime.ts";
import { test } from "./support/test.ts";

const topic = (n: number): object => ({ Publisher: "P", Topic: `T${n}` });

test("a client has maxTopics subscriptions at most, and may make the same one again", () =>
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

test("an event that is longer than maxPayload is not published", () =>
  withServer({ maxPayload: 200 }, async ({ join, server }) => {
    const client = await join();
    await client.ask("Subscribe", topic(1));
    const publish = (text: string): number =>
      server.publish({ publisher: "P", topic: "T1", data: { text } });
    assertThrows(() => publish("x".repeat(200)), LimitError, "Cannot publish event");
    assertStrictEquals(publish("short"), 1);
    assertEquals((await client.receive()).body["Data"], { text: "short" });
  }));

// What a runtime reports as uncaught would fail the test itself, so it happens in a child process.
const CHILD = `
const { withServer } = await import(${
  JSON.stringify(import.meta.resolve("./support/raw_client.ts"))
});
const reported = [];
if ("Deno" in globalThis) {
  addEventListener("error", (told) => {
    told.preventDefault();
    reported.push(told.error.message);
  });
} else {
  process.on("uncaughtException", (error) => reported.push(error.message));
}
let answer;
await withServer({ onError: () => { throw new Error("hook"); } }, async ({ server, join }) => {
  server.handle("Fail", () => { throw new Error("inside"); });
  server.handle("FailLater", () => Promise.reject(new Error("inside")));
  const client = await join();
  await client.ask("Fail");
  answer = (await client.ask("FailLater")).body.Error.Code;
});
await new Promise((resolve) => setTimeout(resolve, 0));
console.log(JSON.stringify({ answer, reported }));
`;

test("an onError that throws is reported, and the command is answered all the same", async () => {
  const how = { deno: ["eval"], bun: ["-e"], node: ["--input-type=module", "-e"] }[runtime];
  const { stdout, stderr } = await run([process.execPath, ...how, CHILD]);
  assertEquals(JSON.parse(stdout || stderr), {
    answer: "InternalError",
    reported: ["hook", "hook"],
  });
});
