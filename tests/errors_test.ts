import { assert, assertEquals, assertInstanceOf, assertStringIncludes } from "@std/assert";
import {
  CommandError,
  ConnectionError,
  LimitError,
  ProtocolError,
  RcspError,
  TimeoutError,
} from "../src/errors.ts";
import { test } from "./support/test.ts";

const detail = { expected: "this", received: "that" };

const all: { name: string; code: string; error: RcspError }[] = [
  { name: "RcspError", code: "timeout", error: new RcspError("timeout", "m") },
  {
    name: "ConnectionError",
    code: "connection-reset",
    error: new ConnectionError("connection-reset", "m"),
  },
  {
    name: "ProtocolError",
    code: "bad-json",
    error: new ProtocolError("bad-json", "m", detail),
  },
  { name: "LimitError", code: "limit-reached", error: new LimitError("m", "maxPayload", 5) },
  { name: "TimeoutError", code: "timeout", error: new TimeoutError("m", 100) },
  { name: "CommandError", code: "command-failed", error: new CommandError({ Message: "m" }) },
];

for (const { name, code, error } of all) {
  test(`a ${name} is an RcspError with its name, a code, a message and a stack`, () => {
    assertInstanceOf(error, Error);
    assertInstanceOf(error, RcspError);
    assertEquals([error.name, error.constructor.name, error.code], [name, name, code]);
    assertStringIncludes(error.message, "m");
    assertStringIncludes(error.stack ?? "", "errors_test");
    assertStringIncludes(String(error), `${name}: `);
    assertEquals(error.cause, undefined);
  });
}

test("the cause is kept", () => {
  const cause = new Error("why");
  assert(new RcspError("timeout", "m", { cause }).cause === cause);
  assert(new ConnectionError("connection-failed", "m", { cause }).cause === cause);
  assert(new ProtocolError("bad-json", "m", { ...detail, cause }).cause === cause);
});

test("a ConnectionError has 'sent', false by default", () => {
  assertEquals(new ConnectionError("connection-closed", "m").sent, false);
  assertEquals(new ConnectionError("connection-closed", "m", { cause: 1 }).sent, false);
  assertEquals(new ConnectionError("connection-closed", "m", { sent: true }).sent, true);
});

test("a LimitError has the limit, a TimeoutError the timeout", () => {
  const { limit, max } = new LimitError("m", "maxPayload", 5);
  assertEquals([limit, max], ["maxPayload", 5]);
  assertEquals(new TimeoutError("m", 100).timeout, 100);
});

test("a ProtocolError has what was expected, what came, the offset and the bytes in hex", () => {
  const bytes = Uint8Array.of(0x47, 0x45, 0x00, 0xff);
  const error = new ProtocolError("bad-marker", "Cannot read header", {
    ...detail,
    offset: 12,
    bytes,
  });
  assertEquals([error.expected, error.received, error.offset], ["this", "that", 12]);
  assertEquals(error.excerpt, "47 45 00 ff");
  assertEquals(
    error.message,
    "Cannot read header at byte 12: expected this, received that (47 45 00 ff)",
  );
  bytes.fill(0);
  assertEquals(error.excerpt, "47 45 00 ff");
});

test("a ProtocolError without offset and bytes does not mention them", () => {
  for (const more of [{}, { offset: undefined, bytes: undefined }, { bytes: new Uint8Array(0) }]) {
    const error = new ProtocolError("bad-shape", "Cannot read 'Key'", { ...detail, ...more });
    assertEquals([error.offset, error.excerpt], [undefined, ""]);
    assertEquals(error.message, "Cannot read 'Key': expected this, received that");
  }
});

test("the offset 0 is shown", () => {
  const error = new ProtocolError("bad-marker", "Cannot read header", { ...detail, offset: 0 });
  assertEquals(error.offset, 0);
  assertStringIncludes(error.message, "at byte 0");
});

test("an excerpt has at most 16 bytes, and shows that there are more", () => {
  const excerpt = (length: number) =>
    new ProtocolError("bad-json", "m", { ...detail, bytes: new Uint8Array(length) }).excerpt;
  const sixteen = Array.from({ length: 16 }, () => "00").join(" ");
  assertEquals(excerpt(16), sixteen);
  assertEquals(excerpt(17), `${sixteen} …`);
  assertEquals(excerpt(100_000), `${sixteen} …`);
});

const bodies: {
  body: { Code?: unknown; Message?: unknown };
  code: unknown;
  message: string | undefined;
  says: string;
}[] = [
  { body: {}, code: undefined, message: undefined, says: ": the server gave no message" },
  {
    body: { Code: null, Message: null },
    code: undefined,
    message: undefined,
    says: ": the server gave no message",
  },
  { body: { Code: 17, Message: "no" }, code: 17, message: "no", says: " [17]: no" },
  { body: { Code: 0, Message: "" }, code: 0, message: "", says: " [0]: " },
  { body: { Code: "E1" }, code: "E1", message: undefined, says: " [E1]: the server gave" },
  { body: { Code: "", Message: "no" }, code: "", message: "no", says: " []: no" },
  { body: { Code: false, Message: "no" }, code: false, message: "no", says: " [false]: no" },
  {
    body: { Code: { a: [1] }, Message: { b: 1 } },
    code: { a: [1] },
    message: undefined,
    says: ' [{"a":[1]}]: the server gave no message',
  },
  { body: { Code: [1, "x"], Message: 5 }, code: [1, "x"], message: undefined, says: ' [[1,"x"]]' },
];

for (const { body, code, message, says } of bodies) {
  test(`the error body ${JSON.stringify(body)} becomes a CommandError`, () => {
    const error = new CommandError(body, { command: "SetColorLed", trackId: "4" });
    assertEquals([error.errorCode, error.errorMessage], [code, message]);
    assertEquals([error.command, error.trackId], ["SetColorLed", "4"]);
    assert(error.message.startsWith(`SetColorLed failed${says}`), error.message);
  });
}

test("a CommandError needs no command", () => {
  const error = new CommandError({ Message: "no" });
  assertEquals([error.command, error.trackId], [undefined, undefined]);
  assertEquals(error.message, "Command failed: no");
});

test("a CommandError accepts any code, even one that JSON cannot represent", () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const deep = JSON.parse("[".repeat(10_000) + "]".repeat(10_000));
  for (const Code of [circular, deep, { a: 1n }, 1n, Symbol("s"), Object.create(null)]) {
    const error = new CommandError({ Code, Message: "no" });
    assert(error.errorCode === Code);
    assertStringIncludes(error.message, ": no");
  }
});

test("a CommandError has 'sent' true", () => {
  assertEquals(new CommandError({ Message: "no" }).sent, true);
});
