import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { dial } from "../src/socket/dial.ts";
import type { Socket } from "../src/socket/socket.ts";
import { ConnectionError } from "../src/errors.ts";
import { formatAddress } from "../src/socket/address.ts";
import { test } from "./support/test.ts";

const ADDRESS = { host: "127.0.0.1", port: 45_451 };

test("dial() rejects at once on abort, and closes a socket that opens later", async () => {
  const opening = Promise.withResolvers<Socket>();
  const controller = new AbortController();
  const reason = new Error("changed my mind");
  const dialling = dial(ADDRESS, controller.signal, () => opening.promise);
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => dialling), reason);
  const late = fakeSocket();
  opening.resolve(late);
  await late.closed;
});

test("dial() leaves no unhandled rejection if the attempt fails after the abort", async () => {
  const opening = Promise.withResolvers<Socket>();
  const controller = new AbortController();
  const dialling = dial(ADDRESS, controller.signal, () => opening.promise);
  controller.abort();
  const error = await assertRejects(() => dialling, DOMException);
  assertStrictEquals(error.name, "AbortError");
  opening.reject(new Error("late"));
  await new Promise((resolve) => setTimeout(resolve, 1));
});

test("dial() tries no further address after an abort", async () => {
  const controller = new AbortController();
  const hosts: string[] = [];
  const dialling = dial({ ...ADDRESS, host: "localhost" }, controller.signal, ({ host }) => {
    hosts.push(host);
    controller.abort();
    return Promise.reject(new Error("interrupted"));
  });
  await assertRejects(() => dialling, DOMException);
  assertEquals(hosts, ["localhost"]);
});

test("dial() tries both loopback addresses for localhost, and reports the first error", async () => {
  const hosts: string[] = [];
  const error = await assertRejects(
    () =>
      dial({ host: "LocalHost", port: 1 }, undefined, ({ host }) => {
        hosts.push(host);
        const code = host === "LocalHost" ? "ECONNREFUSED" : "EACCES";
        return Promise.reject(Object.assign(new Error(host), { code }));
      }),
    ConnectionError,
  );
  assertEquals(hosts, ["LocalHost", "127.0.0.1", "::1"]);
  assertStrictEquals(error.code, "connection-refused");
  assertStrictEquals(error.message, "Cannot connect to LocalHost:1: connection refused");
});

test("dial() uses the first address that accepts", async () => {
  const hosts: string[] = [];
  const socket = await dial({ host: "localhost", port: 1 }, undefined, ({ host }) => {
    hosts.push(host);
    return host === "127.0.0.1"
      ? Promise.resolve(fakeSocket())
      : Promise.reject(new Error("refused"));
  });
  socket.close();
  assertEquals(hosts, ["localhost", "127.0.0.1"]);
});

test("dial() accepts an IPv6 address with and without brackets", async () => {
  const hosts: string[] = [];
  for (const host of ["::1", "[::1]", "[fe80::1%eth0]", "[localhost]", "[]", "[::1"]) {
    const error = await assertRejects(() =>
      dial({ host, port: 7 }, undefined, (address) => {
        hosts.push(address.host);
        return Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" }));
      }), ConnectionError);
    if (host.endsWith("1]")) {
      assertStrictEquals(error.message, "Cannot connect to [::1]:7: connection refused");
    }
  }
  assertEquals(hosts, ["::1", "::1", "fe80::1%eth0", "[localhost]", "[]", "[::1"]);
});

test("dial() tries any host other than localhost once", async () => {
  let attempts = 0;
  const open = () => {
    attempts++;
    return Promise.reject(new Error("no"));
  };
  await assertRejects(() => dial(ADDRESS, undefined, open), ConnectionError);
  assertStrictEquals(attempts, 1);
});

test("formatAddress() puts an IPv6 address in brackets", () => {
  assertStrictEquals(formatAddress({ host: "::1", port: 1_234 }), "[::1]:1234");
  assertStrictEquals(formatAddress({ host: "[::1]", port: 1_234 }), "[::1]:1234");
  assertStrictEquals(formatAddress({ host: "localhost", port: 1 }), "localhost:1");
  assertStrictEquals(formatAddress({ host: "[::1", port: 1 }), "[[::1]:1");
});

function fakeSocket(): Socket {
  const { promise: closed, resolve: close } = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  return {
    read: () => never,
    write: () => never,
    closeWrite: () => never,
    close,
    closed,
    remote: "a fake",
  };
}
