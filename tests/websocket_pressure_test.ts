/** What only a WebSocket that the test controls can show: unsent bytes, time, and ends in odd states. */

import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { fromWebSocket, type WebSocketLike, type WebSocketOptions } from "../adapters/websocket.ts";
import { ConnectionError } from "../src/errors.ts";
import type { Socket } from "../src/socket/socket.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test } from "./support/test.ts";
import { turn } from "./support/wait.ts";

const KiB = 1024;

class FakeWebSocket extends EventTarget implements WebSocketLike {
  binaryType = "blob";
  readyState = 1;
  bufferedAmount = 0;
  readonly protocol = "";
  readonly sent: Uint8Array[] = [];
  readonly closes: (number | undefined)[] = [];
  terminated = false;

  send(data: string | Uint8Array): void {
    const bytes = data as Uint8Array;
    this.sent.push(bytes);
    this.bufferedAmount += bytes.length;
  }

  close(code?: number): void {
    if (code !== 1000 && (code ?? 0) < 3_000) throw new Error("not permitted");
    this.closes.push(code);
    this.readyState = 2;
  }

  terminate(): void {
    this.terminated = true;
  }

  message(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  end(code: number, reason = ""): void {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
}

function make(options: WebSocketOptions = {}, state = 1): {
  webSocket: FakeWebSocket;
  socket: Socket;
  clock: FakeClock;
} {
  const webSocket = new FakeWebSocket();
  webSocket.readyState = state;
  const clock = new FakeClock();
  const socket = fromWebSocket(webSocket, { ...options, clock } as WebSocketOptions);
  return { webSocket, socket, clock };
}

/** Whether a promise has settled once everything that does not wait has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await turn(2);
  return settled;
}

test("a write waits above 64 KiB of unsent bytes, and until they are below", async () => {
  const { webSocket, socket, clock } = make();
  await socket.write(new Uint8Array(60 * KiB));
  const second = socket.write(new Uint8Array(60 * KiB));
  assertStrictEquals(await isSettled(second), false);
  clock.advance(1_000);
  assertStrictEquals(await isSettled(second), false);
  webSocket.bufferedAmount = 64 * KiB;
  clock.advance(16);
  await second;
  assertStrictEquals(clock.timers, 0);
});

test("a long write is sent in messages of 64 KiB, each when there is room", async () => {
  const { webSocket, socket, clock } = make();
  const writing = socket.write(new Uint8Array(300 * KiB));
  let most = 0;
  while (!await isSettled(writing)) {
    most = Math.max(most, webSocket.bufferedAmount);
    webSocket.bufferedAmount = 0;
    clock.advance(16);
  }
  assertEquals(webSocket.sent.map(({ length }) => length / KiB), [64, 64, 64, 64, 44]);
  assert(most <= 128 * KiB, `${most}`);
});

test("what is sent is a copy, as the bytes may change after write()", async () => {
  const { webSocket, socket } = make();
  const bytes = Uint8Array.of(1, 2, 3);
  await socket.write(bytes);
  bytes.fill(0);
  assertEquals(webSocket.sent, [Uint8Array.of(1, 2, 3)]);
});

test("a write before the WebSocket is open waits for that", async () => {
  const { webSocket, socket } = make({}, 0);
  const writing = socket.write(Uint8Array.of(1));
  assertStrictEquals(await isSettled(writing), false);
  webSocket.readyState = 1;
  webSocket.dispatchEvent(new Event("open"));
  await writing;
  assertStrictEquals(webSocket.sent.length, 1);
});

test("a write rejects if the WebSocket never opens, or closes while it waits", async () => {
  const early = make({}, 0);
  const first = early.socket.write(Uint8Array.of(1));
  early.webSocket.end(1006);
  await assertRejects(() => first, ConnectionError, "Cannot connect to a WebSocket");
  const { webSocket, socket, clock } = make();
  const second = socket.write(new Uint8Array(200 * KiB));
  await turn();
  webSocket.end(1011, "boom");
  await assertRejects(() => second, ConnectionError, "1011");
  assertStrictEquals(clock.timers, 0);
});

test("a write while the other side closes waits for the reason", async () => {
  const { webSocket, socket } = make();
  webSocket.readyState = 2;
  const writing = socket.write(Uint8Array.of(1));
  assertStrictEquals(await isSettled(writing), false);
  webSocket.end(1008, "not you");
  await assertRejects(() => writing, ConnectionError, "'not you'");
});

test("close() ends a WebSocket whose other side does not answer, after 2 s", async () => {
  const { webSocket, socket, clock } = make();
  socket.close();
  assertEquals(webSocket.closes, [1000]);
  clock.advance(1_999);
  assertStrictEquals(await isSettled(socket.closed), false);
  clock.advance(1);
  await socket.closed;
  assertStrictEquals(webSocket.terminated, true);
  const other = make();
  other.socket.close();
  other.webSocket.end(1000);
  await other.socket.closed;
  assertEquals([other.clock.timers, other.webSocket.terminated], [0, false]);
});

test("closeWrite() waits for pending writes, and for as long as the other side needs", async () => {
  const { webSocket, socket, clock } = make();
  const writing = socket.write(new Uint8Array(100 * KiB));
  const ending = socket.closeWrite();
  await turn();
  assertEquals(webSocket.closes, []);
  webSocket.bufferedAmount = 0;
  clock.advance(16);
  webSocket.bufferedAmount = 0;
  clock.advance(16);
  await writing;
  await ending;
  assertEquals(webSocket.closes, [1000]);
  clock.advance(60_000);
  assertStrictEquals(webSocket.terminated, false);
  webSocket.end(1000);
  assertStrictEquals(await socket.read(), null);
});

test("what arrived before the end is read before the end", async () => {
  const { webSocket, socket } = make();
  assertStrictEquals(webSocket.binaryType, "arraybuffer");
  webSocket.message(Uint8Array.of(1).buffer);
  webSocket.message(new Uint8Array(0).buffer);
  webSocket.message(Uint8Array.of(0, 2, 0).subarray(1, 2));
  webSocket.end(1011);
  assertEquals(await socket.read(), Uint8Array.of(1));
  assertEquals(await socket.read(), Uint8Array.of(2));
  await assertRejects(() => socket.read(), ConnectionError);
});

test("too much unread data closes with 1009, here 4009; what came before can be read", async () => {
  const { webSocket, socket } = make({ maxBuffered: 1_000 });
  const chunk = new Uint8Array(300);
  for (let i = 0; i < 10; i++) webSocket.message(chunk.buffer);
  assertEquals(webSocket.closes, [4009]);
  webSocket.end(1006);
  let read = 0;
  const error = await (async () => {
    for (;; read++) await socket.read();
  })().catch((error) => error);
  assert(read >= 2 && read <= 4, `${read}`);
  assert(error instanceof ConnectionError && error.message.includes("'maxBuffered' (1000)"));
});

test("a connection that was broken here ends, even if the other side does not answer", async () => {
  const { webSocket, socket, clock } = make({ maxBuffered: 100 });
  webSocket.message(new Uint8Array(90).buffer);
  webSocket.message(new Uint8Array(90).buffer);
  webSocket.message(new Uint8Array(90).buffer);
  assertEquals(webSocket.closes, [4009]);
  clock.advance(2_000);
  await socket.closed;
  assertStrictEquals(webSocket.terminated, true);
});

test("many tiny messages count with what they cost", () => {
  const { webSocket } = make({ maxBuffered: 64 * KiB });
  for (let i = 0; i < 10_000; i++) webSocket.message(new Uint8Array(1).buffer);
  assertEquals(webSocket.closes, [4009]);
});

test("a message of another kind closes with 1003, here 4003", async () => {
  for (const data of ["text", new Blob(["x"]), null, undefined]) {
    const { webSocket, socket } = make();
    webSocket.message(data);
    assertEquals(webSocket.closes, [4003]);
    await assertRejects(() => socket.read(), ConnectionError, "expected a binary message");
    socket.close();
  }
});

test("a WebSocket that is closed already is at its end", async () => {
  const { socket } = make({}, 3);
  assertStrictEquals(await socket.read(), null);
  await socket.closed;
  await assertRejects(() => socket.write(Uint8Array.of(1)), ConnectionError);
});

test("what is sent is a copy, also of a Buffer", async () => {
  const { webSocket, socket } = make();
  const bytes = Buffer.from([1, 2, 3]);
  await socket.write(bytes);
  bytes.fill(0);
  assertEquals([...webSocket.sent[0]!], [1, 2, 3]);
  webSocket.end(1000);
  await socket.closed;
});
