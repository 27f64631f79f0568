/** The bridge of `rcsp ui` with a driver in memory, and pages without a browser. */

import { WebSocket } from "ws";
import { UiServer, type UiServerOptions } from "../../cli/ui/server/ui_server.ts";
import type { BridgeStatus } from "../../cli/ui/bridge_status.ts";
import { createClient } from "../../src/client/create_client.ts";
import type { ConnectOptions } from "../../src/client/options.ts";
import type { RcspClient } from "../../src/client/rcsp_client.ts";
import { Simulator, type SimulatorOptions } from "../../src/simulator/simulator.ts";
import { memoryNetwork } from "../../src/socket/memory.ts";
import { type WebSocketClass, webSocketConnector } from "../../adapters/websocket.ts";
import { CLOCK } from "../../src/timers.ts";
import { until } from "./wait.ts";
import { upgradeHeaders } from "./web.ts";

/** The files of a page that does nothing. */
export const FILES: UiServerOptions["files"] = new Map([
  ["/", { type: "text/html; charset=utf-8", body: new TextEncoder().encode("<p>page</p>") }],
  ["/page.js", { type: "text/javascript; charset=utf-8", body: new TextEncoder().encode("1") }],
]);

/** A page, as the library's client. */
export interface Page {
  readonly client: RcspClient;
  /** What the bridge has said so far. */
  readonly statuses: BridgeStatus[];
  /** The WebSocket of the current connection. */
  readonly socket: WebSocket;
  /** The newest status. */
  readonly status: BridgeStatus;
}

/** What a test works with. */
export interface UiRig {
  readonly server: UiServer;
  readonly port: number;
  readonly log: string[];
  /** The driver; `undefined` while there is none. */
  readonly driver: Simulator | undefined;
  /** Starts the driver, or another one in its place. */
  startDriver(options?: SimulatorOptions): Promise<Simulator>;
  stopDriver(): Promise<void>;
  /** The headers of an upgrade with the right token. */
  headers(protocol?: string): Record<string, string>;
  /** Opens a page, which is closed after the test. */
  open(options?: ConnectOptions): Promise<Page>;
}

/** Runs `use` with a bridge on 127.0.0.1, and closes everything. */
export async function withUi(
  options: Partial<UiServerOptions> & { readonly isDriverAway?: boolean },
  use: (rig: UiRig) => Promise<void>,
): Promise<void> {
  const { isDriverAway = false, ...rest } = options;
  const { connector, listen } = memoryNetwork();
  const log: string[] = [];
  const pages: Page[] = [];
  let driver: Simulator | undefined;
  const server = new UiServer({
    files: FILES,
    driver: { connector },
    clock: CLOCK,
    log: (text) => void log.push(text),
    ...rest,
  });
  const rig: UiRig = {
    server,
    log,
    get port() {
      return port;
    },
    get driver() {
      return driver;
    },
    async startDriver(options) {
      driver = new Simulator({ motion: true, ...options });
      await driver.serve(listen, { port: 45451 });
      await driver.serveMotion(listen, { port: 12277 });
      return driver;
    },
    async stopDriver() {
      await driver?.close();
      driver = undefined;
    },
    headers: (protocol = "rcsp.v1") => upgradeHeaders(protocol, `token.${server.token}`),
    async open(options = {}) {
      const page = await openPage(port, server.token, options);
      pages.push(page);
      return page;
    },
  };
  if (!isDriverAway) await rig.startDriver();
  let port = 0;
  try {
    port = await server.listen("127.0.0.1", [0]);
    await use(rig);
  } finally {
    for (const { client } of pages) await client.close();
    await server.close();
    await rig.stopDriver();
  }
}

/** Opens a page as a browser does. Resolves after the first status. */
export async function openPage(
  port: number,
  token: string,
  options: ConnectOptions = {},
): Promise<Page> {
  const statuses: BridgeStatus[] = [];
  let socket: WebSocket | undefined;
  class PageSocket extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols, { origin: `http://127.0.0.1:${port}` });
      socket = this;
    }
  }
  const connector = webSocketConnector(`ws://127.0.0.1:${port}/rcsp`, {
    protocols: ["rcsp.v1", `token.${token}`],
    WebSocket: PageSocket as unknown as WebSocketClass,
    onText: (text) => void statuses.push(JSON.parse(text)),
  });
  const client = await createClient(connector, { reconnect: false, ...options });
  await until(() => statuses.length > 0);
  return {
    client,
    statuses,
    get socket() {
      return socket!;
    },
    get status() {
      return statuses.at(-1)!;
    },
  };
}
