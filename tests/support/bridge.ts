/** A bridge for tests: `node:http` and the package `ws` in `noServer` mode, as in `docs/websocket.md`. */

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket as ServerWebSocket, WebSocketServer } from "ws";

/** What the test decides. */
export interface BridgeOptions {
  /** Receives each accepted WebSocket, in its first turn. */
  onWebSocket: (webSocket: ServerWebSocket, request: IncomingMessage) => void;
  /** Refuses an upgrade with this status. */
  refuse?: number;
  /** Which of the offered sub-protocols is accepted. Default: the first. */
  accept?: (offered: Set<string>) => string | false;
  /** Bytes of a message. Default: 64 KiB. */
  maxPayload?: number;
}

/** A running bridge. */
export interface Bridge {
  readonly url: string;
  readonly options: BridgeOptions;
  /** The WebSockets that are open. */
  readonly webSockets: Set<ServerWebSocket>;
  /** Ends every WebSocket without a close message, and stops. */
  stop(): Promise<void>;
  /** Listens again at the same port. */
  restart(): Promise<void>;
}

/** Runs `use` with a bridge, and closes everything. */
export async function withBridge(
  options: BridgeOptions,
  use: (bridge: Bridge) => Promise<void>,
): Promise<void> {
  let port = 0;
  let stop = (): Promise<void> => Promise.resolve();
  const webSockets = new Set<ServerWebSocket>();
  const start = async (): Promise<void> => {
    const server = createServer();
    const { maxPayload = 64 * 1024, accept = ([first]) => first ?? false } = options;
    const upgrades = new WebSocketServer({
      noServer: true,
      maxPayload,
      handleProtocols: (offered) => accept(offered),
    });
    server.on("upgrade", (request, socket, head) => {
      if (options.refuse !== undefined) {
        socket.end(`HTTP/1.1 ${options.refuse} Refused\r\nContent-Length: 0\r\n\r\n`);
        return;
      }
      upgrades.handleUpgrade(request, socket, head, (webSocket) => {
        webSockets.add(webSocket);
        webSocket.on("error", () => {});
        webSocket.on("close", () => webSockets.delete(webSocket));
        options.onWebSocket(webSocket, request);
      });
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    ({ port } = server.address() as AddressInfo);
    stop = async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      const ends = Array.from(
        webSockets,
        (webSocket) => new Promise((resolve) => webSocket.once("close", resolve)),
      );
      for (const webSocket of webSockets) webSocket.terminate();
      await Promise.all([closed, ...ends]);
    };
  };
  await start();
  try {
    await use({
      url: `ws://127.0.0.1:${port}/rcsp?secret=1`,
      options,
      webSockets,
      stop: () => stop(),
      restart: start,
    });
  } finally {
    await stop();
  }
}
