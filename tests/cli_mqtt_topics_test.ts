import { assertEquals, assertThrows } from "@std/assert";
import { brokerReason, parseBrokerUrl } from "../cli/mqtt/broker_url.ts";
import { PressQueue } from "../cli/mqtt/press_queue.ts";
import { deviceLevel, Topics } from "../cli/mqtt/topics.ts";
import { UsageError } from "../cli/exit_codes.ts";
import type { DeviceId } from "../src/message/command.ts";
import { test } from "./support/test.ts";

test("a device id is one level of a topic, readable where that is possible", () => {
  const expected: [DeviceId, string][] = [
    [1, "1"],
    ["left", "left"],
    ["1", "%221%22"],
    ["a/b", "a%2Fb"],
    ["a%2Fb", "a%252Fb"],
    ["+", "%2B"],
    ["#", "%23"],
    ["$SYS", "%24SYS"],
    ["", "%"],
    ["\0\x1b[2J", "%00%1B[2J"],
    ["\u202eevil", "%E2%80%AEevil"],
    ["call", "%63all"],
    ["hand_left", "%68and_left"],
    ["hände", "hände"],
    [{ a: 1 } as unknown as DeviceId, "{%22a%22:1}"],
  ];
  for (const [id, level] of expected) assertEquals(deviceLevel(id), level);
});

test("different device ids make different levels, however long or odd", () => {
  const long = "x".repeat(70_000);
  const ids = [
    ...[1, "1", '"1"', 1.5, "1.5", "", " ", "~", "%", "%25", "null", "\ud800", "\udfff", "\ufffd"],
    ...[long, `${long}y`, `${long}/`, "\ud800".repeat(500), "\ud801".repeat(500)],
    ...["/", "//", "%2F", "a/b", "a+b", "a b", "a\u00a0b", "call", "%63all"],
  ];
  const levels = ids.map(deviceLevel);
  assertEquals(new Set(levels).size, ids.length);
  for (const level of levels) {
    assertEquals(/[/+#\p{C}]|^\$|^$/u.test(level), false, level);
    assertEquals(level.length <= 120, true);
  }
});

test("a prefix may have levels, but nothing that a topic cannot hold", () => {
  assertEquals(new Topics("a/b", "my site").status, "a/b/my%20site/status");
  assertEquals(new Topics("a", "x").deviceOf("a/x/1/led/set"), "1");
  for (
    const prefix of ["", "/", "a//b", "a/", "a+", "#", "$SYS", "a\0", "\ud800", "x".repeat(201)]
  ) {
    assertThrows(() => new Topics(prefix, "x"), UsageError, "Invalid '--prefix'");
  }
});

test("a broker's URL has scheme, host, port, user and password", () => {
  assertEquals(parseBrokerUrl("mqtt://localhost", undefined), {
    protocol: "mqtt",
    host: "localhost",
    port: 1883,
    path: "/",
  });
  const full = parseBrokerUrl("mqtts://me%40home:p%3Aw@[::1]:99", "unused");
  assertEquals([full.host, full.port, full.username, full.password], ["::1", 99, "me@home", "p:w"]);
  assertEquals(parseBrokerUrl("ws://h/mqtt", undefined).path, "/mqtt");
  assertEquals(parseBrokerUrl("mqtt://me@h", "secret").password, "secret");
});

test("what is not a broker's URL is refused in a sentence without the password", () => {
  const wrong = [
    ...[
      "",
      "localhost",
      "mqtt:",
      "mqtt://",
      "http://h",
      "mqtt://h/path",
      "mqtt://h?x",
      "mqtt://h#x",
    ],
    ...["mqtt://u:secret@", "mqtt://u:secret@h:99999", "mqtt://u:%secret@h", "x://u:secret@h"],
  ];
  for (const url of wrong) {
    const { message } = assertThrows(() => parseBrokerUrl(url, undefined), UsageError);
    assertEquals(message.includes("secret"), false, message);
  }
  assertThrows(() => parseBrokerUrl("mqtt://h", "secret"), UsageError, "A password needs a user");
});

test("why a broker cannot be used is said in words, whatever the runtime calls it", () => {
  const error = (code: string | number, message = "") =>
    Object.assign(new Error(message), { code });
  const expected: [error: unknown, reason: string][] = [
    [error("ECONNREFUSED"), "connection refused. Is a broker running there?"],
    [new AggregateError([error("ECONNREFUSED")]), "connection refused. Is a broker running there?"],
    [error("EAI_AGAIN"), "unknown host"],
    [new Error("getaddrinfo ENOTFOUND nowhere"), "unknown host"],
    [error(4), "wrong user or password"],
    [error(134), "wrong user or password"],
    [error("DEPTH_ZERO_SELF_SIGNED_CERT"), "TLS: its certificate is self-signed"],
    [new Error("invalid peer certificate: Expired"), "TLS: invalid peer certificate: Expired"],
    [error(151, "Publish error: Quota exceeded"), "Publish error: Quota exceeded"],
    ["odd", "odd"],
  ];
  for (const [error, reason] of expected) assertEquals(brokerReason(error), reason);
});

function queue(limit: number): { now: number; queue: PressQueue } {
  const time = { now: 0 };
  const now = (): number => time.now;
  return Object.assign(time, { queue: new PressQueue({ limit, maxAge: 10, now }) });
}

const stats = ({ sent, dropped, expired }: PressQueue) => ({ sent, dropped, expired });

test("a press leaves the queue when the broker has acknowledged it", () => {
  const { queue: presses } = queue(10);
  presses.add("t", "1");
  const { press, left } = presses.next()!;
  assertEquals([press.payload, left, presses.next(), presses.size], ["1", 10, undefined, 1]);
  presses.acknowledge(press);
  presses.acknowledge(press);
  presses.requeue();
  assertEquals([presses.size, presses.next()], [0, undefined]);
  assertEquals(stats(presses), { sent: 1, dropped: 0, expired: 0 });
});

test("presses in flight wait again when the connection is lost, in their old order", () => {
  const { queue: presses } = queue(10);
  for (const payload of ["1", "2", "3"]) presses.add("t", payload);
  presses.next();
  presses.next();
  presses.requeue();
  presses.add("t", "4");
  assertEquals([1, 2, 3, 4].map(() => presses.next()?.press.payload), ["1", "2", "3", "4"]);
});

test("a press is too old after its time, also one that was in flight", () => {
  const state = queue(10);
  state.queue.add("t", "1");
  state.queue.add("t", "2");
  state.queue.next();
  state.now = 9;
  state.queue.requeue();
  assertEquals(state.queue.next()?.left, 1);
  state.queue.requeue();
  state.now = 10;
  assertEquals(state.queue.next(), undefined);
  assertEquals(stats(state.queue), { sent: 0, dropped: 0, expired: 2 });
});

test("a full queue drops the oldest press that waits", () => {
  const { queue: presses } = queue(3);
  for (let i = 0; i < 10; i++) presses.add("t", `${i}`);
  assertEquals([presses.size, presses.dropped], [3, 7]);
  assertEquals(presses.next()?.press.payload, "7");
});
