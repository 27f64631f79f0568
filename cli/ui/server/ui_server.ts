/**
 * The bridge of `rcsp ui`: the page and its WebSockets on one side, one driver on the other.
 *
 * @module
 */

import type { ConnectOptions } from "@rcsp/rcsp";
import { forward, RcspServer } from "@rcsp/rcsp/server";
import { fromWebSocket, WebSocketCloseError } from "@rcsp/rcsp/websocket";
import type { WebSocket } from "ws";
import type { Clock } from "../../process/io.ts";
import { isObject, quote } from "../../text/values.ts";
import type { BridgeStatus } from "../bridge_status.ts";
import type { PageFile } from "../page_files.ts";
import { createToken } from "./access.ts";
import { DriverLink } from "./driver_link.ts";
import { UI_LIMITS } from "./limits.ts";
import { MotionRelay, type MotionRelayOptions } from "./motion_relay.ts";
import { RefusalLog } from "../../terminal/refusal_log.ts";
import { type SimulatedDriver, startSimulatedDriver } from "./simulated_driver.ts";
import { StatusFeed } from "./status_feed.ts";
import { WebServer } from "./web_server.ts";

/** Options of {@link UiServer}. */
export interface UiServerOptions {
  /** The page's files by their path. */
  readonly files: ReadonlyMap<string, PageFile>;
  /** Where the driver is, and everything else that `connect()` takes. */
  readonly driver: ConnectOptions;
  /** Where the solved hands are; `undefined` if they are not wanted. */
  readonly motion?: Pick<MotionRelayOptions, "host" | "port"> | undefined;
  /** Whether there is a simulator: from the start, or once a page asks for it. Default: none. */
  readonly simulate?: "at-start" | "on-request" | undefined;
  /** Commands that pages may send beside those that only read. */
  readonly allow?: readonly string[] | undefined;
  /** See `AccessOptions`. */
  readonly allowHosts?: readonly string[] | undefined;
  /** See `AccessOptions`. */
  readonly allowOrigins?: readonly string[] | undefined;
  readonly clock: Clock;
  /** Logs a line. */
  readonly log: (text: string) => void;
}

/** Runs from `listen()` to `close()`; close it also if it could not listen. */
export class UiServer {
  /** What a page needs to open its WebSockets. */
  readonly token: string = createToken();
  readonly #options: UiServerOptions;
  readonly #log: RefusalLog;
  readonly #web: WebServer;
  readonly #rcsp: RcspServer;
  readonly #feed: StatusFeed;
  #driver: DriverLink | undefined;
  #motion: MotionRelay | undefined;
  #simulated: SimulatedDriver | undefined;
  #startingSimulator: Promise<void> | undefined;

  constructor(options: UiServerOptions) {
    const { files, clock, log, allowHosts, allowOrigins } = options;
    this.#options = options;
    this.#log = new RefusalLog(clock, log);
    this.#feed = new StatusFeed(() => this.#status(), clock);
    this.#rcsp = new RcspServer({
      dialect: options.driver.dialect,
      maxClients: UI_LIMITS.pages,
      maxQueued: UI_LIMITS.commands,
      maxUnsent: UI_LIMITS.unsent - UI_LIMITS.unsentInWebSocket,
      closeTimeout: UI_LIMITS.closeTimeout,
      onError: (error) => this.#logError(error),
    });
    const rcsp = { protocol: "rcsp.v1", onOpen: this.#onRcsp };
    const rgmp = { protocol: "rgmp.v2", onOpen: this.#onRgmp };
    this.#web = new WebServer({
      files,
      routes: new Map([["/rcsp", rcsp], ...options.motion ? [["/rgmp", rgmp] as const] : []]),
      token: this.token,
      allowHosts,
      allowOrigins,
      clock,
      log,
    });
  }

  /** Whether a page at this `host:port` could reach it. */
  allowsHost(host: string): boolean {
    return this.#web.allowsHost(host);
  }

  /** Listens on the first of the ports that is free, and returns it. Rejects with the runtime's error. */
  async listen(host: string, ports: readonly number[]): Promise<number> {
    const { driver, motion, simulate, allow } = this.#options;
    if (simulate === "at-start") await this.#startSimulator();
    const onChange = (): void => this.#feed.update();
    const simulated = (): SimulatedDriver | undefined => this.#simulated;
    this.#driver = new DriverLink({ server: driver, simulated, onChange });
    forward(this.#rcsp, this.#driver.client, {
      allow,
      maxPending: UI_LIMITS.commands,
      onRefused: (command) => this.#log.add(`Refused ${quote(command)}: allow it with --allow`),
    });
    if (motion !== undefined) {
      const { connector } = driver;
      const onError = (error: unknown): void => this.#logError(error);
      this.#motion = new MotionRelay({ ...motion, connector, simulated, onChange, onError });
    }
    return await this.#listen(host, ports);
  }

  /** Closes everything. */
  async close(): Promise<void> {
    this.#feed.close();
    await this.#web.close();
    await Promise.all([this.#rcsp.close(), this.#motion?.close(), this.#startingSimulator]);
    await this.#driver?.client.close();
    await this.#simulated?.simulator.close();
  }

  async #listen(host: string, ports: readonly number[]): Promise<number> {
    for (const port of ports.slice(0, -1)) {
      try {
        return await this.#web.listen(host, port);
      } catch (error) {
        if ((error as { code?: unknown }).code !== "EADDRINUSE") throw error;
      }
    }
    return await this.#web.listen(host, ports.at(-1) ?? 0);
  }

  #status(): BridgeStatus {
    const { simulate, allow = [] } = this.#options;
    return {
      ...this.#driver!.status,
      simulate: simulate !== undefined,
      allow,
      motion: this.#motion?.state ?? "off",
    };
  }

  readonly #onRcsp = (webSocket: WebSocket, remote: string): void => {
    const onText = (text: string): void => this.#onText(text, webSocket, remote);
    const maxBuffered = UI_LIMITS.unread;
    this.#rcsp.accept(fromWebSocket(webSocket, { remote, onText, maxBuffered }));
    this.#feed.add(webSocket);
  };

  readonly #onRgmp = (webSocket: WebSocket, remote: string): void => {
    this.#motion!.server.accept(fromWebSocket(webSocket, { remote }));
  };

  #onText(text: string, webSocket: WebSocket, remote: string): void {
    const isRequest = isSimulateRequest(text);
    if (isRequest && this.#options.simulate !== undefined) {
      this.#startSimulator().catch((error) => this.#logError(error));
      return;
    }
    const reason = isRequest ? "the bridge was started without --simulate" : "unknown text";
    this.#log.add(`Closed /rcsp of ${remote}: ${reason}`);
    webSocket.close(POLICY_VIOLATION, reason);
  }

  /** Starts the simulator, unless there is one, or a driver. */
  #startSimulator(): Promise<void> {
    if (this.#driver?.client.status.state === "ready") return Promise.resolve();
    return this.#startingSimulator ??= (async () => {
      const onError = (error: unknown): void => this.#logError(error);
      this.#simulated = await startSimulatedDriver(this.#options.driver.dialect, onError);
    })();
  }

  #logError(error: unknown): void {
    // A page that has left, or was closed for a reason that is in the log.
    if (error instanceof WebSocketCloseError) return;
    this.#log.add(error instanceof Error ? error.message : String(error));
  }
}

const POLICY_VIOLATION = 1008;

function isSimulateRequest(text: string): boolean {
  try {
    const request: unknown = JSON.parse(text);
    return isObject(request) && request["simulate"] === true;
  } catch {
    return false;
  }
}
