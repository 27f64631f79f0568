/** What a client of raw TCP can do to a bridge: others must not notice. */

import { connect, type Socket as NetSocket } from "node:net";
import { Buffer } from "node:buffer";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { fromWebSocket, webSocketConnector, type WebSocketOptions } from "../adapters/websocket.ts";
import { createClient, startClient } from "../src/client/create_client.ts";
import type { RcspClient } from "../src/client/rcsp_client.ts";
import { LimitError, ProtocolError } from "../src/errors.ts";
import { memoryNetwork } from "../src/socket/memory.ts";
import { Simulator } from "../src/simulator/simulator.ts";
import { forward, RcspServer, type ServerOptions } from "../server.ts";
import { type Bridge, withBridge } from "./support/bridge.ts";
import { command, concat } from "./support/raw_client.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

const TEXT = 1;
const BINARY = 2;

/** A page that does what no WebSocket of a browser would. */
class RawPage {
  readonly #socket: NetSocket;
  /** All that came after the upgrade. */
  received: Buffer = Buffer.alloc(0);
  ended = false;

  constructor(socket: NetSocket) {
    this.#socket = socket;
    socket.on("data", (chunk) => this.received = Buffer.concat([this.received, chunk as Buffer]));
    socket.on("error", () => {});
    socket.on("close", () => this.ended = true);
  }

  static async open(bridge: Bridge): Promise<RawPage> {
    const { hostname, port } = new URL(bridge.url);
    const socket = connect({ host: hostname, port: Number(port) });
    const page = new RawPage(socket);
    socket.write(
      "GET /rcsp HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    await until(() => page.received.includes("\r\n\r\n"));
    assert(page.received.toString().startsWith("HTTP/1.1 101 "));
    page.received = page.received.subarray(page.received.indexOf("\r\n\r\n") + 4);
    return page;
  }

  /** Sends a message; a mask of zeros leaves the bytes as they are. */
  send(bytes: Uint8Array, opcode: number = BINARY, mask = true): void {
    const header = Buffer.alloc(bytes.length < 126 ? 2 : bytes.length < 65_536 ? 4 : 10);
    header[0] = 0x80 | opcode;
    if (header.length === 2) header[1] = bytes.length;
    else if (header.length === 4) {
      header[1] = 126;
      header.writeUInt16BE(bytes.length, 2);
    } else {
      header[1] = 127;
      header.writeBigUInt64BE(BigInt(bytes.length), 2);
    }
    if (mask) header[1]! |= 0x80;
    this.#socket.write(Buffer.concat([header, Buffer.alloc(mask ? 4 : 0), bytes]));
  }

  /** Reads no more. */
  pause(): void {
    this.#socket.pause();
  }

  /** The code of the close message at the end of what came. */
  get closeCode(): number | undefined {
    for (let at = 0; at + 4 <= this.received.length;) {
      const length = this.received[at + 1]!;
      if ((this.received[at]! & 0x0F) === 8) return this.received.readUInt16BE(at + 2);
      if (length === 126) at += 4 + this.received.readUInt16BE(at + 2);
      else at += 2 + length;
    }
    return undefined;
  }

  async close(): Promise<void> {
    this.#socket.destroy();
    await until(() => this.ended);
  }
}

interface World {
  readonly bridge: Bridge;
  readonly simulator: Simulator;
  readonly server: RcspServer;
  readonly errors: unknown[];
  /** A page that behaves. */
  readonly other: RcspClient;
}

async function withHostile(
  use: (page: RawPage, world: World) => Promise<void>,
  options: { server?: ServerOptions; webSocket?: WebSocketOptions } = {},
): Promise<void> {
  const { connector, listen } = memoryNetwork();
  const simulator = new Simulator();
  await simulator.serve(listen, { port: 45451 });
  const driver = startClient(connector);
  const errors: unknown[] = [];
  const server = new RcspServer({
    closeTimeout: 100,
    onError: (error) => errors.push(error),
    ...options.server,
  });
  forward(server, driver);
  const onWebSocket: Bridge["options"]["onWebSocket"] = (webSocket) =>
    server.accept(fromWebSocket(webSocket, options.webSocket));
  await withBridge({ onWebSocket }, async (bridge) => {
    const other = await createClient(webSocketConnector(bridge.url), { reconnect: false });
    const page = await RawPage.open(bridge);
    try {
      await until(() => driver.status.state === "ready");
      await use(page, { bridge, simulator, server, errors, other });
      // Nobody else has noticed.
      assertEquals((await other.listDevices()).length, 4);
    } finally {
      await page.close();
      await other.close();
      await server.close();
      await driver.close();
      await simulator.close();
    }
  });
}

test("a command in messages of one byte each is answered", () =>
  withHostile(async (page) => {
    for (const byte of command(7, "ListDevices")) page.send(Uint8Array.of(byte));
    await until(() => page.received.includes('"TrackId":"7"'));
  }));

test("a command cut at every byte, its rest in another message, is answered", () =>
  withHostile(async (page) => {
    const bytes = command("x", "ListDevices");
    for (let cut = 0; cut <= bytes.length; cut++) {
      page.received = Buffer.alloc(0);
      page.send(bytes.subarray(0, cut));
      page.send(bytes.subarray(cut));
      await until(() => page.received.includes('"TrackId":"x"'));
    }
  }));

test("text instead of binary closes that page with 1003", () =>
  withHostile(async (page, { server }) => {
    page.send(Buffer.from('{"Command":"ListDevices"}'), TEXT);
    await until(() => page.closeCode === 1003 && server.clients === 1);
  }));

test("a message above the bridge's limit closes that page with 1009", () =>
  withHostile(async (page, { server }) => {
    page.send(new Uint8Array(64 * 1024 + 1));
    await until(() => page.closeCode === 1009 && server.clients === 1);
  }));

test("a message that is not masked closes that page with 1002", () =>
  withHostile(async (page, { server }) => {
    page.send(Uint8Array.of(1), BINARY, false);
    await until(() => page.closeCode === 1002 && server.clients === 1);
  }));

test("bytes that are not RCSP close that page", () =>
  withHostile(async (page, { server, errors }) => {
    page.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    await until(() => page.closeCode !== undefined && server.clients === 1);
    assert(errors[0] instanceof ProtocolError);
    assertStrictEquals(errors[0].code, "bad-marker");
  }));

test("a connection that ends within a frame ends that page", () =>
  withHostile(async (page, { server }) => {
    page.send(command(1, "ListDevices").subarray(0, 20));
    await page.close();
    await until(() => server.clients === 1);
  }));

test("a frame that never ends is closed after 'partialFrameTimeout'", () =>
  withHostile(async (page, { server, errors }) => {
    page.send(command(1, "ListDevices").subarray(0, 20));
    await until(() => page.closeCode !== undefined && server.clients === 1);
    assert(String(errors[0]).includes("its frame was incomplete for 20 ms"), String(errors[0]));
  }, { server: { partialFrameTimeout: 20 } }));

test("a page that floods commands and reads nothing is closed at its limit", () =>
  withHostile(async (page, { server, other }) => {
    page.pause();
    const many = concat(...Array.from({ length: 500 }, (_, i) => command(i, "ListDevices")));
    // About 16 MB of commands and 60 MB of responses: more than the system's buffers hold.
    for (let i = 0; i < 500 && server.clients === 2; i++) {
      page.send(many);
      await other.getDeviceInfo(1);
    }
    await until(() => server.clients === 1);
  }, { server: { maxUnsent: 50_000 }, webSocket: { maxBuffered: 200_000 } }));

test("a page that does not read its events is closed at its limit, the other gets all", () =>
  withHostile(async (page, { simulator, server, errors, other }) => {
    let received = 0;
    const presses = other.buttonPresses(1);
    const reading = (async () => {
      for await (const _press of presses) received++;
    })();
    await presses.ready;
    page.send(command(1, "DeviceSubscribe", {
      DeviceId: 1,
      Publisher: "DeviceEvents",
      Topic: "ButtonPushed",
    }));
    await until(() => page.received.length > 0);
    page.pause();
    let sent = 0;
    while (server.clients === 2) {
      for (let i = 0; i < 1_000; i++, sent++) simulator.press(1, "SinglePress");
      await until(() => received >= sent || server.clients === 1);
      assert(sent < 1_000_000);
    }
    const error = errors.find((error) => error instanceof LimitError);
    assertStrictEquals(error?.limit, "maxUnsent");
    assertStrictEquals(other.stats().dropped, 0);
    await presses.return();
    await reading;
  }, { server: { maxUnsent: 200_000 } }));
