import { assertStrictEquals } from "@std/assert";
import { ConnectionError, type ConnectionErrorCode } from "../src/errors.ts";
import { connectionError, type SocketAction, toConnectionError } from "../src/socket/errors.ts";
import { test } from "./support/test.ts";

type Case = [cause: unknown, SocketAction, ConnectionErrorCode, message: string];

const lookup = "failed to lookup address information: Name or service not known";
const permission = 'Requires net access to "a:1", run again with the --allow-net flag';

const cases: Case[] = [
  [
    coded("ECONNREFUSED"),
    "connect",
    "connection-refused",
    "Cannot connect to a:1: connection refused",
  ],
  [
    named("ConnectionRefused"),
    "connect",
    "connection-refused",
    "Cannot connect to a:1: connection refused",
  ],
  [
    new AggregateError([coded("?"), coded("ECONNREFUSED")]),
    "connect",
    "connection-refused",
    "Cannot connect to a:1: connection refused",
  ],
  [
    coded("ENOTFOUND"),
    "connect",
    "host-not-found",
    "Cannot connect to a:1: host not found",
  ],
  [
    coded("EAI_AGAIN"),
    "connect",
    "host-not-found",
    "Cannot connect to a:1: host not found",
  ],
  [
    new Error(lookup),
    "connect",
    "host-not-found",
    "Cannot connect to a:1: host not found",
  ],
  [
    new Error("No such host is known. (os error 11001)"),
    "connect",
    "host-not-found",
    "Cannot connect to a:1: host not found",
  ],
  [
    coded("EHOSTUNREACH"),
    "connect",
    "host-unreachable",
    "Cannot connect to a:1: host unreachable",
  ],
  [
    coded("ENETUNREACH"),
    "connect",
    "host-unreachable",
    "Cannot connect to a:1: host unreachable",
  ],
  [
    named("NetworkUnreachable"),
    "connect",
    "host-unreachable",
    "Cannot connect to a:1: host unreachable",
  ],
  [
    coded("ETIMEDOUT"),
    "connect",
    "host-unreachable",
    "Cannot connect to a:1: host unreachable",
  ],
  [
    coded("ECONNRESET"),
    "connect",
    "connection-reset",
    "Cannot connect to a:1: connection reset by the other side",
  ],
  [
    named("NotCapable", permission),
    "connect",
    "permission-denied",
    `Cannot connect to a:1: permission denied: ${permission}`,
  ],
  [
    coded("EACCES", "denied"),
    "listen",
    "permission-denied",
    "Cannot listen on a:1: permission denied: denied",
  ],
  [
    named("PermissionDenied", "denied"),
    "listen",
    "permission-denied",
    "Cannot listen on a:1: permission denied: denied",
  ],
  [coded("EADDRINUSE"), "listen", "address-in-use", "Cannot listen on a:1: port already in use"],
  [named("AddrInUse"), "listen", "address-in-use", "Cannot listen on a:1: port already in use"],
  [
    named("AddrNotAvailable"),
    "listen",
    "address-not-available",
    "Cannot listen on a:1: this machine has no such address",
  ],
  [
    coded("EMFILE", "too many open files"),
    "accept",
    "connection-failed",
    "Cannot accept a client on a:1: too many open files",
  ],
  [
    coded("ECONNRESET"),
    "transfer",
    "connection-reset",
    "Lost connection to a:1: connection reset by the other side",
  ],
  [
    named("ConnectionReset"),
    "transfer",
    "connection-reset",
    "Lost connection to a:1: connection reset by the other side",
  ],
  [
    coded("EPIPE"),
    "transfer",
    "connection-reset",
    "Lost connection to a:1: connection reset by the other side",
  ],
  [
    named("BrokenPipe"),
    "transfer",
    "connection-reset",
    "Lost connection to a:1: connection reset by the other side",
  ],
  [
    coded("ERR_STREAM_DESTROYED"),
    "transfer",
    "connection-reset",
    "Lost connection to a:1: connection reset by the other side",
  ],
  [
    named("BadResource"),
    "transfer",
    "connection-reset",
    "Lost connection to a:1: connection reset by the other side",
  ],
  [
    coded("EHOSTUNREACH"),
    "transfer",
    "host-unreachable",
    "Lost connection to a:1: host unreachable",
  ],
  [
    new Error("odd"),
    "transfer",
    "connection-failed",
    "Lost connection to a:1: odd",
  ],
  [named("__proto__", "odd"), "connect", "connection-failed", "Cannot connect to a:1: odd"],
  ["a string", "connect", "connection-failed", "Cannot connect to a:1: a string"],
  [undefined, "connect", "connection-failed", "Cannot connect to a:1: undefined"],
];

for (const [cause, action, code, message] of cases) {
  test(`toConnectionError() maps ${describe(cause)} on ${action} to ${code}`, () => {
    const error = toConnectionError(cause, action, "a:1");
    assertStrictEquals(error.code, code);
    assertStrictEquals(error.message, message);
    assertStrictEquals(error.cause, cause);
  });
}

test("toConnectionError() returns a ConnectionError unchanged", () => {
  const error = new ConnectionError("connection-closed", "closed");
  assertStrictEquals(toConnectionError(error, "connect", "a:1"), error);
});

test("connectionError() works without a cause", () => {
  const error = connectionError("connection-refused", "connect", "a:1");
  assertStrictEquals(error.message, "Cannot connect to a:1: connection refused");
  assertStrictEquals("cause" in error, false);
});

function coded(code: string, message = "of the system"): Error {
  return Object.assign(new Error(message), { code });
}

function named(name: string, message = "of the runtime"): Error {
  return Object.assign(new Error(message), { name });
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return "code" in cause ? String(cause.code) : `${cause.name} '${cause.message}'`;
}
