import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { WebSocket as WsClient } from "ws";
import {
  ConnectionError,
  fromWebSocket,
  WebSocketCloseError,
  webSocketConnector,
} from "../adapters/websocket.ts";
import type { Socket } from "../src/socket/socket.ts";
import {
  closeAll,
  decode,
  encode,
  firstWrong,
  pattern,
  readAll,
  sleep,
} from "./support/adapters.ts";
import { type Bridge, type BridgeOptions, withBridge } from "./support/bridge.ts";
import { test } from "./support/test.ts";

const NOWHERE = { host: "ignored", port: 1 };
const MiB = 1024 * 1024;

/** Runs `use` with both ends of a WebSocket. */
async function withEnds(
  use: (ends: { client: Socket; server: Socket; bridge: Bridge }) => Promise<void>,
  { clientText, serverText, ...options }: Partial<BridgeOptions> & {
    clientText?: (text: string, webSocket: { send(text: string): void }) => void;
    serverText?: (text: string) => void;
  } = {},
): Promise<void> {
  const accepted = Promise.withResolvers<Socket>();
  await withBridge({
    onWebSocket: (webSocket) => {
      accepted.resolve(fromWebSocket(webSocket, { remote: "page", onText: serverText }));
    },
    ...options,
  }, async (bridge) => {
    const client = await webSocketConnector(bridge.url, { onText: clientText })(NOWHERE);
    const server = await accepted.promise;
    try {
      await use({ client, server, bridge });
    } finally {
      await closeAll(client, server);
    }
  });
}

/** The error with which a client's connection ends if the server closes with a code; `null` if none. */
async function endAfter(close: (bridge: Bridge) => void): Promise<unknown> {
  let end: unknown;
  await withEnds(async ({ client, bridge }) => {
    close(bridge);
    end = await client.read().catch((error) => error);
    await client.closed;
  });
  return end;
}

test("bytes go both ways, and a message's border means nothing", () =>
  withEnds(async ({ client, server }) => {
    for (const [from, to] of [[client, server], [server, client]] as const) {
      await from.write(encode("ring"));
      const chunk = await to.read();
      assertStrictEquals(chunk?.constructor, Uint8Array);
      assertStrictEquals(decode(chunk), "ring");
    }
  }));

test("8 MiB in one write arrive complete, in messages of at most 64 KiB, before the end", () =>
  withEnds(async ({ client, server }) => {
    for (const [from, to] of [[client, server], [server, client]] as const) {
      const size = 8 * MiB + 1;
      const bytes = pattern(size);
      let received = 0;
      const reading = (async () => {
        while (received < size) {
          const chunk = await to.read();
          assert(chunk !== null && chunk.length <= 64 * 1024);
          assertStrictEquals(firstWrong(chunk, received), -1);
          received += chunk.length;
        }
      })();
      await from.write(bytes);
      bytes.fill(0);
      await reading;
      assertStrictEquals(received, size);
    }
    const reading = readAll(client);
    await server.write(pattern(3 * MiB));
    await server.closeWrite();
    assertStrictEquals(firstWrong(await reading), -1);
    await server.closed;
  }));

test("the bytes may change after write() has resolved", () =>
  withEnds(async ({ client, server }) => {
    const bytes = pattern(60_000);
    const reading = readAll(client);
    for (let i = 0; i < 50; i++) {
      bytes.set(pattern(60_000, i * 60_000));
      await server.write(bytes);
      bytes.fill(0);
    }
    await server.closeWrite();
    const received = await reading;
    assertEquals([received.length, firstWrong(received)], [3_000_000, -1]);
  }));

test("what arrives while nobody reads is kept up to the limit, then closed with 1009", async () => {
  const accepted = Promise.withResolvers<Socket>();
  const onWebSocket: BridgeOptions["onWebSocket"] = (webSocket) => {
    accepted.resolve(fromWebSocket(webSocket, { maxBuffered: 200_000 }));
  };
  await withBridge({ onWebSocket }, async ({ url }) => {
    const client = await webSocketConnector(url)(NOWHERE);
    const server = await accepted.promise;
    const writing = client.write(pattern(4 * MiB)).catch((error) => error);
    await server.closed;
    const error = await client.read().catch((error) => error);
    assert(error instanceof WebSocketCloseError, String(error));
    assertStrictEquals(error.closeCode, 1009);
    await writing;
    let kept = 0;
    const end = await (async () => {
      for (;;) kept += (await server.read())!.length;
    })().catch((error) => error);
    assert(end instanceof ConnectionError);
    assertStrictEquals(
      end.message,
      "Lost connection to a WebSocket: more than 'maxBuffered' (200000) bytes are unread",
    );
    assert(kept > 0 && kept <= 200_000 + 64 * 1024, `${kept}`);
    await closeAll(client, server);
  });
});

test("a client closes what it cannot keep with 1009, or 4009 where that is not permitted", async () => {
  const code = Promise.withResolvers<number>();
  const onWebSocket: BridgeOptions["onWebSocket"] = (webSocket) => {
    webSocket.on("close", code.resolve);
    webSocket.send(new Uint8Array(60_000));
    webSocket.send(new Uint8Array(60_000));
  };
  await withBridge({ onWebSocket }, async ({ url }) => {
    const client = await webSocketConnector(url, { maxBuffered: 100_000 })(NOWHERE);
    assert([1009, 4009].includes(await code.promise));
    await closeAll(client);
  });
});

for (const code of [1000, 1001]) {
  test(`code ${code} is a normal end`, async () => {
    assertStrictEquals(
      await endAfter(({ webSockets }) => webSockets.forEach((one) => one.close(code))),
      null,
    );
  });
}

test("a close without a code is a normal end", async () => {
  assertStrictEquals(
    await endAfter(({ webSockets }) => webSockets.forEach((one) => one.close())),
    null,
  );
});

for (
  const [code, meaning] of [
    [1002, "the other side reports a protocol error"],
    [1003, "the other side does not accept this kind of data"],
    [1008, "the other side does not permit it"],
    [1009, "the other side received more than its limit"],
    [1011, "the other side had an internal error"],
    [1012, "the other side restarts"],
    [4001, "the other side closed it"],
  ] as const
) {
  test(`code ${code} is an error with the code and the reason`, async () => {
    const error = await endAfter(({ webSockets }) =>
      webSockets.forEach((one) => one.close(code, "too \x1b[2Jbad"))
    );
    assert(error instanceof WebSocketCloseError);
    assertEquals(
      [error.code, error.closeCode, error.closeReason],
      ["connection-failed", code, "too \x1b[2Jbad"],
    );
    assertEquals(
      error.message.replace(/127\.0\.0\.1:\d+/, "HOST"),
      `Lost connection to ws://HOST/rcsp: ${meaning} (WebSocket close code ${code}): ` +
        "'too \\u001b[2Jbad'",
    );
  });
}

test("a connection that ends without a close message is a reset (1006)", async () => {
  const error = await endAfter(({ webSockets }) => webSockets.forEach((one) => one.terminate()));
  assert(error instanceof WebSocketCloseError);
  assertEquals([error.code, error.closeCode], ["connection-reset", 1006]);
});

test("a message above the server's limit ends the connection with 1009", async () => {
  await withEnds(async ({ client, server }) => {
    await client.write(new Uint8Array(2_000));
    const error = await client.read().catch((error) => error);
    assert(error instanceof WebSocketCloseError);
    assertStrictEquals(error.closeCode, 1009);
    await assertRejects(() => client.write(encode("more")), WebSocketCloseError);
    await assertRejects(() => server.read(), ConnectionError);
  }, { maxPayload: 1_000 });
});

test("a refused upgrade and a port where nothing listens are a ConnectionError", async () => {
  let url = "";
  await withBridge({ onWebSocket: () => {}, refuse: 401 }, async (bridge) => {
    url = bridge.url;
    const error = await assertRejects(() => webSocketConnector(url)(NOWHERE), ConnectionError);
    assertStrictEquals(error.code, "connection-failed");
  });
  const error = await assertRejects(() => webSocketConnector(url)(NOWHERE), ConnectionError);
  assert(error.message.startsWith("Cannot connect to ws://127.0.0.1:"), error.message);
  assert(!error.message.includes("secret"), error.message);
});

test("a server must accept one of the sub-protocols that were offered", async () => {
  const protocols = ["rcsp.v1", "token.abc"];
  const offered: string[][] = [];
  const accept = (names: Set<string>): string => {
    offered.push([...names]);
    return "rcsp.v1";
  };
  const onWebSocket = (): void => {};
  await withBridge({ onWebSocket, accept }, async ({ url }) => {
    await closeAll(await webSocketConnector(url, { protocols })(NOWHERE));
    assertEquals(offered, [protocols]);
  });
  await withBridge({ onWebSocket, accept: () => false }, async ({ url }) => {
    await assertRejects(() => webSocketConnector(url, { protocols })(NOWHERE), ConnectionError);
    // Without an offer there is nothing to accept.
    await closeAll(await webSocketConnector(url)(NOWHERE));
  });
});

test("text messages go to 'onText', which may answer", async () => {
  const heard: string[] = [];
  const answered = Promise.withResolvers<void>();
  await withEnds(async ({ client, server, bridge }) => {
    for (const webSocket of bridge.webSockets) webSocket.send("state 1");
    await answered.promise;
    await server.write(encode("x"));
    assertStrictEquals(decode(await client.read()), "x");
    assertEquals(heard, ["page: state 1", "bridge: seen"]);
  }, {
    clientText: (text, webSocket) => {
      heard.push(`page: ${text}`);
      webSocket.send("seen");
    },
    serverText: (text) => {
      heard.push(`bridge: ${text}`);
      answered.resolve();
    },
  });
});

test("a text message that nobody asked for breaks the connection", () =>
  withEnds(async ({ client, server, bridge }) => {
    for (const webSocket of bridge.webSockets) webSocket.send("hello");
    const error = await assertRejects(() => client.read(), ConnectionError);
    assert(error.message.endsWith("expected a binary message, received text"), error.message);
    await assertRejects(() => server.read(), WebSocketCloseError);
    await Promise.all([client.closed, server.closed]);
  }));

test("an abort before or while connecting rejects with its reason", async () => {
  await withBridge({ onWebSocket: () => {} }, async ({ url }) => {
    const connector = webSocketConnector(url);
    const reason = new Error("enough");
    const early = await connector(NOWHERE, { signal: AbortSignal.abort(reason) }).catch((e) => e);
    assertStrictEquals(early, reason);
    const controller = new AbortController();
    const connecting = connector(NOWHERE, { signal: controller.signal });
    controller.abort(reason);
    assertStrictEquals(await connecting.catch((error) => error), reason);
    // What opens later is closed: nothing is left for the sanitizers to find.
    await sleep(50);
  });
});

test("close() ends a pending read and write, and the other side", () =>
  withEnds(async ({ client, server }) => {
    const reading = client.read();
    client.close();
    client.close();
    assertStrictEquals(await reading, null);
    await assertRejects(() => client.write(encode("x")), ConnectionError);
    assertStrictEquals(await server.read(), null);
    await assertRejects(() => server.write(encode("x")), ConnectionError);
  }));

test("the class of another package can be used", async () => {
  await withBridge({ onWebSocket: (one) => void one.send(encode("hi")) }, async ({ url }) => {
    const client = await webSocketConnector(url, { WebSocket: WsClient })(NOWHERE);
    assertStrictEquals(decode(await client.read()), "hi");
    await closeAll(client);
  });
});

test("invalid URLs, sub-protocols and limits are refused with a sentence", async () => {
  assertThrows(() => webSocketConnector("/rcsp"), TypeError, "Invalid WebSocket URL '/rcsp'");
  assertThrows(() => webSocketConnector("http://a/"), TypeError, "expected ws: or wss:");
  assertThrows(
    () => webSocketConnector("ws://a/", { maxBuffered: 0 }),
    RangeError,
    "'maxBuffered' must be an integer",
  );
  await assertRejects(
    () => webSocketConnector("ws://127.0.0.1:1/", { protocols: "a b" })(NOWHERE),
    TypeError,
    "Cannot connect to ws://127.0.0.1:1/: ",
  );
});
