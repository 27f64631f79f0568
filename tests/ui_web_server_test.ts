import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { WebSocket } from "ws";
import { UI_LIMITS } from "../cli/ui/server/limits.ts";
import { WebServer, type WebServerOptions } from "../cli/ui/server/web_server.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";
import { openRaw, parseResponse, request, sendRaw, upgradeHeaders } from "./support/web.ts";

const TOKEN = "t0ken";
const encoder = new TextEncoder();
const FILES = new Map([
  ["/", { type: "text/html; charset=utf-8", body: encoder.encode("<p>page</p>") }],
  ["/page.js", { type: "text/javascript; charset=utf-8", body: encoder.encode("page()") }],
]);

interface Rig {
  readonly port: number;
  readonly clock: FakeClock;
  readonly log: string[];
  readonly opened: WebSocket[];
}

/** Runs `use` with a server that has the route `/ws`. */
async function withServer(
  use: (rig: Rig) => Promise<void>,
  options: Partial<WebServerOptions> = {},
): Promise<void> {
  const [clock, log, opened] = [new FakeClock(), [] as string[], [] as WebSocket[]];
  const server = new WebServer({
    files: FILES,
    token: TOKEN,
    routes: new Map([["/ws", {
      protocol: "p.v1",
      onOpen: (webSocket: WebSocket) => void opened.push(webSocket),
    }]]),
    clock,
    log: (text) => void log.push(text),
    ...options,
  });
  const port = await server.listen("127.0.0.1", 0);
  try {
    await use({ port, clock, log, opened });
  } finally {
    await server.close();
  }
  assertEquals(clock.timers, 0);
}

const upgrade = (port: number): string =>
  request(port, "/ws", upgradeHeaders("p.v1", `token.${TOKEN}`));

test("a file is served with its type and length, and HEAD without its body", async () => {
  await withServer(async ({ port, log }) => {
    const page = await sendRaw(port, request(port, "/"));
    assertEquals([page.status, page.body], [200, "<p>page</p>"]);
    assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
    assertEquals(page.headers.get("connection"), "close");
    const head = await sendRaw(port, request(port, "/page.js", {}, "HEAD"));
    assertEquals([head.status, head.body, head.headers.get("content-length")], [200, "", "6"]);
    assertEquals(log, []);
  });
});

test("what is not a request for a file is refused with its status, and others are served", async () => {
  await withServer(async ({ port, log }) => {
    const http10 = request(port, "/").replace("HTTP/1.1", "HTTP/1.0");
    const cases: [status: number, bytes: string][] = [
      [404, request(port, "/favicon.ico")],
      [404, request(port, "/?")],
      [404, request(port, "//")],
      [404, request(port, "/../../etc/passwd")],
      [404, request(port, "/%2e%2e/%2e%2e/etc/passwd")],
      [404, request(port, "/__proto__")],
      [404, request(port, "/constructor")],
      [404, request(port, "http://evil.example/")],
      [405, request(port, "/", { "Content-Length": "0" }, "POST")],
      [405, request(port, "/", {}, "OPTIONS")],
      [405, request(port, "/", {}, "DELETE")],
      [405, request(port, "evil.example:80", {}, "CONNECT")],
      [200, http10],
      [400, request(port, "/", {}, "FOO")],
      [400, "\xdc\x01\x08\x01\x02\x00\x00\x00{}"],
      [400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
      [400, "\xef\xbb\xbfGET / HTTP/1.1\r\n\r\n"],
      [400, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
      [400, request(port, "/", { "X": "a\0b" })],
      [400, request(port, "/").replace("Host:", "Host :")],
      [400, request(port, "/", { "Content-Length": ["1", "2"] })],
    ];
    for (const [status, bytes] of cases) {
      const refused = await sendRaw(port, Uint8Array.from(bytes, (c) => c.charCodeAt(0)));
      assertEquals([bytes, refused.status], [bytes, status]);
    }
    assertEquals((await sendRaw(port, request(port, "/"))).status, 200);
    assertEquals(log.length, cases.length - 1, log.join("\n"));
  });
});

test("a refusal is one line without control characters, and the log cannot be filled", async () => {
  await withServer(async ({ port, clock, log }) => {
    const path = `/${"x".repeat(100)}`;
    await sendRaw(port, request(port, path));
    assertMatch(log[0]!, /^Refused GET '\/x{39}…' of 127\.0\.0\.1:\d+: no such path \(404\)$/);
    const host = Uint8Array.from(
      request(port, "/", { Host: "\x9b2J\xe2\x80\xae" }),
      (c) => c.charCodeAt(0),
    );
    await sendRaw(port, host);
    assertMatch(log[1]!, /^[^\p{C}\u2028\u2029]+ \(403\)$/u);
    for (let i = 0; i < 60; i++) await sendRaw(port, request(port, "/none"));
    assertEquals(log.length, 20);
    clock.advance(2_000);
    for (let i = 0; i < 3; i++) await sendRaw(port, request(port, "/none"));
    assertEquals(log.length, 22);
    assertStringIncludes(log[20]!, "(and 42 more before, not shown)");
  });
});

test("a head of 8 KiB is read, a longer one is refused with 431", async () => {
  await withServer(async ({ port, log }) => {
    const fill = (size: number): string => {
      const length = size - request(port, "/", { X: "" }).length;
      return request(port, "/", { X: "x".repeat(length) });
    };
    assertEquals((await sendRaw(port, fill(8_000))).status, 200);
    assertEquals((await sendRaw(port, fill(UI_LIMITS.head + 200))).status, 431);
    assertEquals((await sendRaw(port, request(port, `/${"x".repeat(9_000)}`))).status, 431);
    assertStringIncludes(log[0]!, "its head is longer than 8192 bytes (431)");
    // The connection may be broken before the response is read.
    await sendRaw(port, fill(1_000_000));
    assertEquals((await sendRaw(port, request(port, "/"))).status, 200);
  });
});

test("a connection without a whole request is ended after 5 s, also one that sends a byte at a time", async () => {
  await withServer(async ({ port, clock, log }) => {
    const mute = await openRaw(port);
    const slow = await openRaw(port);
    slow.socket.write("GET / HT");
    await until(() => clock.timers === 2);
    clock.advance(4_999);
    slow.socket.write("TP/1.1\r\n");
    assertEquals((await sendRaw(port, request(port, "/"))).status, 200);
    clock.advance(1);
    await until(() => mute.received !== "" && slow.received !== "");
    for (const { received } of [mute, slow]) assertEquals(parseResponse(received).status, 408);
    await Promise.all([mute.closed, slow.closed]);
    assertEquals(log.length, 2);
    assertStringIncludes(log[0]!, "no request within 5000 ms (408)");
  });
});

test("a response that is not read is ended after 30 s", async () => {
  const body = new Uint8Array(20 * 1024 * 1024);
  const files = new Map([["/", { type: "text/plain", body }]]);
  await withServer(async ({ port, clock }) => {
    const reader = await openRaw(port);
    reader.socket.pause();
    reader.socket.write(request(port, "/"));
    const other = await sendRaw(port, request(port, "/", {}, "HEAD"));
    assertEquals(other.status, 200);
    // The request of the first was read: its deadline has moved.
    clock.advance(UI_LIMITS.handshakeTimeout);
    clock.advance(UI_LIMITS.responseTimeout);
    reader.socket.resume();
    await reader.closed;
    assert(reader.received.length < body.length);
  }, { files });
});

test("connections beyond 128 are closed, and there is room again when one has ended", async () => {
  await withServer(async ({ port, clock, log }) => {
    const open = [];
    for (let i = 0; i < UI_LIMITS.connections; i++) open.push(await openRaw(port));
    await until(() => clock.timers === UI_LIMITS.connections);
    await (await openRaw(port)).closed;
    assertMatch(log[0]!, /128 connections are open$/);
    for (const { socket } of open) socket.destroy();
    await until(() => clock.timers === 0);
    assertEquals((await sendRaw(port, request(port, "/"))).status, 200);
  });
});

test("an upgrade that is not a WebSocket's is refused", async () => {
  await withServer(async ({ port, log, opened }) => {
    const good = upgradeHeaders("p.v1", `token.${TOKEN}`);
    const without = (name: string): Record<string, string> => {
      const { [name]: _, ...rest } = good;
      return rest;
    };
    const cases: [status: number, text: string][] = [
      [400, request(port, "/ws", { ...good, Upgrade: "h2c" })],
      [400, request(port, "/ws", { ...good, "Sec-WebSocket-Version": "7" })],
      [400, request(port, "/ws", { ...good, "Sec-WebSocket-Key": "short" })],
      [400, request(port, "/ws", without("Sec-WebSocket-Key"))],
      [400, request(port, "/ws", { ...good, "Sec-WebSocket-Protocol": `token.${TOKEN}` })],
      [400, request(port, "/ws", { ...good, "Sec-WebSocket-Protocol": `p.v1,,token.${TOKEN}` })],
      [404, request(port, "/", good)],
      [404, request(port, "/ws/", good)],
      [405, request(port, "/ws", good, "POST")],
    ];
    for (const [status, text] of cases) {
      assertEquals([text, (await sendRaw(port, text)).status], [text, status]);
    }
    assertEquals([opened.length, log.length], [0, cases.length], log.join("\n"));
    assertEquals((await sendRaw(port, request(port, "/ws"))).status, 404);
  });
});

test("an upgrade is answered with the sub-protocol only, and frames in the same packet are read", async () => {
  const messages: string[] = [];
  const routes = new Map([["/ws", {
    protocol: "p.v1",
    onOpen(webSocket: WebSocket): void {
      webSocket.on("message", (data) => messages.push(String(data)));
    },
  }]]);
  await withServer(async ({ port }) => {
    const connection = await openRaw(port);
    const frame = Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69);
    connection.socket.write(new Uint8Array([...encoder.encode(upgrade(port)), ...frame]));
    await until(() => messages.length > 0 && connection.received.includes("\r\n\r\n"));
    assertEquals(messages, ["hi"]);
    const { status, headers } = parseResponse(connection.received);
    assertEquals([status, headers.get("sec-websocket-protocol")], [101, "p.v1"]);
    assertEquals(headers.has("sec-websocket-extensions"), false);
    connection.socket.destroy();
  }, { routes });
});

test("frames that break the protocol of WebSockets end that WebSocket only, in one line of the log", async () => {
  const frames: Record<string, number[]> = {
    "not masked": [0x82, 1, 0],
    "a reserved bit": [0xc2, 0x80, 0, 0, 0, 0],
    "an unknown opcode": [0x83, 0x80, 0, 0, 0, 0],
    "invalid UTF-8": [0x81, 0x82, 0, 0, 0, 0, 0xc0, 0x80],
    "a long ping": [0x89, 0xfe, 0, 126, 0, 0, 0, 0],
    "a short close": [0x88, 0x81, 0, 0, 0, 0, 1],
    "a bad close code": [0x88, 0x82, 0, 0, 0, 0, 0, 1],
    "a huge claim": [0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    "64 KiB and a byte": [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0],
    "text of HTTP": [...encoder.encode("GET / HTTP/1.1\r\n\r\n")],
  };
  await withServer(async ({ port, log, opened }) => {
    const other = await openRaw(port);
    other.socket.write(upgrade(port));
    for (const [name, bytes] of Object.entries(frames)) {
      const connection = await openRaw(port);
      connection.socket.write(new Uint8Array([...encoder.encode(upgrade(port)), ...bytes]));
      await connection.closed;
      await until(() => opened.at(-1)!.readyState === 3);
      assertEquals(parseResponse(connection.received).status, 101, name);
    }
    assertEquals(log.length, Object.keys(frames).length, log.join("\n"));
    for (const line of log) assertMatch(line, /^Closed \/ws of 127\.0\.0\.1:\d+: [ -~]+$/);
    assertEquals(opened[0]!.readyState, 1);
    other.socket.destroy();
  });
});

test("a WebSocket that does not answer a ping is closed after the next 20 s", async () => {
  await withServer(async ({ port, clock, log, opened }) => {
    const connections = [await openRaw(port), await openRaw(port)];
    for (const [i, { socket }] of connections.entries()) {
      socket.write(upgrade(port));
      await until(() => opened.length === i + 1);
    }
    clock.advance(UI_LIMITS.pingInterval);
    const ping = "\x89\x00";
    await until(() => connections.every(({ received }) => received.endsWith(ping)));
    let answered = false;
    opened[0]!.once("pong", () => answered = true);
    connections[0]!.socket.write(Uint8Array.of(0x8a, 0x80, 0, 0, 0, 0));
    await until(() => answered);
    clock.advance(UI_LIMITS.pingInterval);
    await connections[1]!.closed;
    assertEquals(log, ["Closed /ws: no answer to a ping within 20000 ms"]);
    await until(() => connections[0]!.received.endsWith(ping + ping));
    connections[0]!.socket.destroy();
  });
});

test("a page that sends pings and does not read the answers is closed", async () => {
  await withServer(async ({ port, opened }) => {
    const { socket } = await openRaw(port);
    socket.write(upgrade(port));
    await until(() => opened.length === 1);
    socket.pause();
    const ping = [0x89, 0xfd, 0, 0, 0, 0, ...new Uint8Array(125)];
    const pings = Uint8Array.from(
      { length: ping.length * 1_000 },
      (_, i) => ping[i % ping.length]!,
    );
    const send = (): void => {
      if (!socket.destroyed) socket.write(pings, send);
    };
    send();
    await until(() => opened[0]!.readyState === 3);
    socket.destroy();
  });
});
